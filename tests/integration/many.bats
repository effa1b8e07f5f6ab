# Many containers at once.
# bats file_tags=berth,v2
load helpers

prepare() {
	new_bundle
	args sleep 1000
}

many=300

# each COMMAND...: run it for every container, eight concurrently; {} is the number.
each() {
	seq $many | xargs -P 8 -I{} "$@"
}

# one_of_many N: make a bundle for container N, which shares the root file system.
one_of_many() {
	mkdir "$T/b$1"
	jq --arg root "$BUNDLE/rootfs" --arg cgroup "$CGROUP-$1" '.root.path = $root | .linux.cgroupsPath = $cgroup' "$BUNDLE/config.json" >"$T/b$1/config.json"
}

# fastest_list: the processor time in milliseconds of the fastest of several lists,
# which excludes other load of the machine.
fastest_list() {
	local i best=1000000 took TIMEFORMAT='%3U %3S'
	for i in $(seq 20); do
		{ time "$RUNTIME" --root "$ROOT" list -f json >"$T/list" 2>&3; } 3>&2 2>"$T/took"
		took=$(awk '{ print int(($1 + $2) * 1000) }' "$T/took")
		[ "$took" -ge "$best" ] || best=$took
		[ "$i" -lt 5 ] || [ "$best" -ge 200 ] || break
	done
	echo "$best"
}

@test "300 containers run and are listed concurrently, and leave nothing" {
	local i
	for i in $(seq $many); do one_of_many "$i"; done
	each sh -c 'exec "$RUNTIME" --root "$ROOT" run -d --bundle "$T/b{}" "c{}" </dev/null >"$T/{}.out" 2>&1 3>&-'
	assert_equal "" "$(cat "$T"/*.out)"

	local took
	took=$(fastest_list)
	echo "# list of $many: $took ms" >&3
	assert_equal "$many running" "$(jq -r 'map(.status) | "\(length) \(unique | join(" "))"' "$T/list")"
	assert_equal "$many" "$(jq -r '.[].pid' "$T/list" | sort -u | wc -l)"
	[ "$took" -lt 200 ]

	each "$RUNTIME" --root "$ROOT" delete --force 'c{}'
	no_state_left
	no_process_left
	no_cgroup_left
}
