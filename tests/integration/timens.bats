# Time namespaces, seen from inside. runc 1.1 has none.
# bats file_tags=berth
load helpers

prepare() {
	new_bundle
	config '.linux.namespaces += [{type: "time"}]'
}

# offsets CLOCK SECS NANOSECS...: as config.json's timeOffsets.
offsets() {
	config '.linux.timeOffsets = ([$ARGS.positional | _nwise(3) | {(.[0]): {secs: (.[1] | tonumber), nanosecs: (.[2] | tonumber)}}] | add)' --args -- "$@"
}

# hours_up FILE: from a text that begins as /proc/uptime does.
hours_up() {
	awk '{ print int($1 / 3600); exit }' <<<"$1"
}

look='cat /proc/uptime; cat /proc/self/timens_offsets; readlink /proc/self/ns/time; readlink /proc/self/ns/time_for_children; echo me $$'

@test "a time namespace has the offsets of config.json" {
	offsets boottime 3600000 5 monotonic -1 999999999
	run_script "$look"
	assert_equal $((1000 + $(hours_up "$(cat /proc/uptime)"))) "$(hours_up "$out")"
	assert_equal "$(printf 'monotonic -1 999999999\nboottime 3600000 5')" "$(squeezed "$(sed -n 2,3p <<<"$out")")"
	refute_match "$(readlink /proc/self/ns/time | tr '[]' ..)" "$out"
	assert_equal "$(sed -n 4p <<<"$out")" "$(sed -n 5p <<<"$out")"
	assert_match $'\nme 1$' "$out"
}

@test "the monotonic clock of a program is ahead" {
	offsets monotonic 3600000 0
	cp "$PROBE" "$BUNDLE/rootfs/bin/probe"
	args /bin/probe monotonic
	rt_ok run --bundle "$BUNDLE" c
	assert_equal $((1000 + $(hours_up "$("$PROBE" monotonic)"))) "$(hours_up "$out")"
}

@test "a time namespace without offsets has the runtime's clocks" {
	run_script "$look"
	assert_equal "$(hours_up "$(cat /proc/uptime)")" "$(hours_up "$out")"
	refute_match "$(readlink /proc/self/ns/time | tr '[]' ..)" "$out"
}

@test "a time namespace in a user namespace has its offsets" {
	new_user_namespace
	offsets boottime 3600000 0
	run_script "$look; cat /proc/self/uid_map"
	assert_equal $((1000 + $(hours_up "$(cat /proc/uptime)"))) "$(hours_up "$out")"
	assert_match '100000' "$out"
}

@test "a time namespace is joined by path" {
	holder --time --boottime 7200000
	config '(.linux.namespaces[] | select(.type == "time")).path = $path' --arg path "/proc/$holder/ns/time"
	run_script "$look"
	assert_equal $((2000 + $(hours_up "$(cat /proc/uptime)"))) "$(hours_up "$out")"
	assert_match "$(readlink "/proc/$holder/ns/time" | sed 's/[][]/\\&/g')" "$out"
	assert_match $'\nme 1$' "$out"
}

@test "start is as usual in a time namespace" {
	args sleep 1000
	rt_ok create --bundle "$BUNDLE" --pid-file "$T/pid" c
	assert_equal "$(cat "$T/pid")" "$(init_pid c)"
	start_ns=$(readlink "/proc/$(init_pid c)/ns/time")
	rt_ok start c
	assert_equal "$start_ns" "$(readlink "/proc/$(init_pid c)/ns/time")"
	assert_equal "$(cat "$T/pid")" "$(init_pid c)"
}

@test "a clock that would be set before the boot is refused" {
	offsets boottime -360000000 0
	args true
	rt run --bundle "$BUNDLE" c
	refused 'linux.timeOffsets: .*(cannot be|before)'
}
