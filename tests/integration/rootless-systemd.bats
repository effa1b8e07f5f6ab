# Containers of a user of systemd, in the cgroup that the user's manager delegates.
load helpers
# bats file_tags=systemd-user

prepare() {
	mkdir -p "$BUNDLE"
	cp -a "$ROOTFS_TEMPLATE" "$BUNDLE/rootfs"
	"$RUNTIME" spec --rootless --bundle "$BUNDLE"
	config '.process.terminal = false'
}

# own_cgroup: the cgroup of the test.
own_cgroup() {
	sed -n 's/^0:://p' /proc/self/cgroup
}

@test "rootless: a container has a cgroup in a service of the user" {
	args sleep 1000
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	start_detached c
	local dir
	dir=$(sed -n 's/^0:://p' "/proc/$(init_pid c)/cgroup")
	[ "$dir" != "$(own_cgroup)" ] || failed "no cgroup of its own: $dir"
	assert_match "/user@$(id -u).service/" "$dir"
	runtime_ok pause c
	assert_match 'frozen 1' "$(cat "/sys/fs/cgroup$dir/cgroup.events")"
	runtime_ok resume c
	runtime_ok exec c grep ^0:: /proc/self/cgroup
	assert_equal "0::$dir" "$out"
	runtime_ok delete --force c
	[ ! -e "/sys/fs/cgroup$dir" ] || failed "$dir is left"
}

@test "rootless: a container has a cgroup in a delegated scope" {
	# The error without a delegated cgroup names this command.
	script 'grep ^0:: /proc/self/cgroup'
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	RUNTIME_STDIN=/dev/null
	out=$(systemd-run --quiet --user --scope -p Delegate=yes "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c 2>"$T/err") || failed "$(<"$T/err")"
	assert_match "^0::/.*/user@$(id -u).service/.*/c$" "$out"
}

@test "rootless: create maps the range that the host grants" {
	local range
	range=$(awk -F : -v user="$(id -un)" '$1 == user { print $2 " " $3; exit }' /etc/subuid)
	[ -n "$range" ]
	config '.linux.uidMappings += [{containerID: 1, hostID: ($range | split(" ")[0] | tonumber), size: 1000}]
		| .linux.gidMappings += [{containerID: 1, hostID: ($range | split(" ")[0] | tonumber), size: 1000}]
		| .process.user = {uid: 5, gid: 6, additionalGids: [7]}' --arg range "$range"
	run_script 'id -u; id -G; cat /proc/self/uid_map'
	assert_equal "$(printf '5\n6 7\n0 %s 1\n1 %s 1000' "$(id -u)" "${range% *}")" "$(squeezed "$out")"
}

# bats test_tags=guest-user
@test "rootless: create sets limits with the delegated controllers" {
	config '.linux.resources = {memory: {limit: 100000000}, pids: {limit: 50}, cpu: {quota: 20000, period: 100000}}'
	[ "$(id -u)" != 0 ]
	local dir
	dir=/sys/fs/cgroup$(own_cgroup)
	grep -qw memory "$dir/cgroup.controllers" || {
		# Without controllers the error names the missing one.
		runtime run --bundle "$BUNDLE" c
		refused 'linux.resources.[a-z]+.[a-z]+: controller "[a-z]+" is not available in'
		return
	}
	args sleep 1000
	start_detached c
	dir=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(init_pid c)/cgroup")
	assert_equal 99999744 "$(cat "$dir/memory.max")"
	assert_equal 50 "$(cat "$dir/pids.max")"
	assert_equal '20000 100000' "$(cat "$dir/cpu.max")"
	runtime_ok update --pids-limit 60 c
	assert_equal 60 "$(cat "$dir/pids.max")"
}

@test "rootless: root in the user's user namespace has systemd make a cgroup" {
	# As podman runs it for its user.
	config '.linux.cgroupsPath = "user.slice:berth:" + $id | .linux.namespaces |= map(select(.type != "cgroup"))' --arg id "c$BATS_TEST_NUMBER"
	script 'grep ^0:: /proc/self/cgroup'
	out=$(env -u USER unshare --user --map-root-user --map-auto --mount "$RUNTIME" --root "$ROOT" --systemd-cgroup run --bundle "$BUNDLE" c </dev/null 2>"$T/err") || failed "$(<"$T/err")"
	assert_match "^0::/.*/user@$(id -u).service/user.slice/berth-c$BATS_TEST_NUMBER.scope" "$out"
}
