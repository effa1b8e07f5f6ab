# Cgroups of an unprivileged user's containers: delegated, or missing.
load helpers

prepare() {
	rootless_user
	rootless_bundle
}

# bats test_tags=berth
@test "rootless: create works without a cgroup when it can have none" {
	script 'cat /proc/self/cgroup'
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal "$(grep -E ':(memory|freezer)?:' /proc/self/cgroup)" "$(grep -E ':(memory|freezer)?:' <<<"$out")"
}

@test "rootless: without a cgroup, a cgroup mount shows the cgroups of the runtime" {
	script 'ls /sys/fs/cgroup'
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal "$(ls --ignore unified /sys/fs/cgroup)" "$out" # like runc, v1 without v2
}

# bats test_tags=berth
@test "rootless: create refuses limits and a cgroupsPath that need a cgroup, and names the remedy" {
	args true
	config '.linux.resources = {memory: {limit: 100000000}}'
	runtime run --bundle "$BUNDLE" c
	refused 'limit cgroup: set linux.resources.memory.limit: .*systemd-run --user --scope -p Delegate=yes'
	config 'del(.linux.resources) | .linux.cgroupsPath = "/mine"'
	runtime run --bundle "$BUNDLE" c
	refused 'make cgroup: .*permission denied .*systemd-run --user --scope -p Delegate=yes'
}

# bats test_tags=berth
@test "rootless: a container has a cgroup of its own in a delegated cgroup" {
	delegate_cgroup
	script 'cat /proc/self/cgroup; ls /dev/shm; sleep 1000'
	runtime_ok create --bundle "$BUNDLE" c
	local pid dir
	pid=$(init_pid c)
	assert_match "^.*:$DELEGATED/c$" "$(grep ^0: "/proc/$pid/cgroup")"
	dir=$(cgroup_dirs "$DELEGATED/c")
	assert_equal 4242 "$(stat -c %u "$dir")"
	runtime_ok start c
	runtime_ok kill c KILL
	wait_for 5 has_status c stopped
	runtime_ok delete c
	[ ! -e "$dir" ] || failed "$dir is left"
}

# bats test_tags=berth
@test "rootless: delete --force kills by cgroup a container that shares its pid namespace" {
	delegate_cgroup
	config 'del(.linux.namespaces[] | select(.type == "pid")) | .mounts |= map(select(.type != "proc")) | del(.linux.maskedPaths, .linux.readonlyPaths)'
	script 'sleep 1000 & sleep 1000; true'
	start_detached c
	local procs
	procs=$(cgroup_dirs "$DELEGATED/c")/cgroup.procs
	wait_for 5 has_lines 3 "$procs"
	runtime_ok kill c KILL
	wait_for 5 has_status c stopped
	runtime_ok delete c
}

has_lines() {
	[ "$(wc -l <"$2")" = "$1" ]
}

# bats test_tags=berth
@test "rootless: pause and resume work in a delegated cgroup" {
	delegate_cgroup
	script 'while :; do date +%s%N >/dev/shm/now; done'
	start_detached c
	runtime_ok pause c
	assert_equal paused "$(status_of c)"
	assert_match 'frozen 1' "$(cat "$(cgroup_dirs "$DELEGATED/c")/cgroup.events")"
	runtime_ok resume c
	assert_equal running "$(status_of c)"
	runtime_ok delete --force c
}

# bats test_tags=berth
@test "rootless: ps, events and kill --all work in a delegated cgroup" {
	delegate_cgroup
	script 'sleep 1000 & exec sleep 1000'
	start_detached c
	local pid procs
	pid=$(init_pid c)
	procs=$(cgroup_dirs "$DELEGATED/c")/cgroup.procs
	wait_for 5 has_lines 2 "$procs"
	runtime_ok exec --detach c sleep 1000
	runtime_ok ps --format json c
	assert_equal "$(sort -n "$procs" | jq -cs .)" "$(jq -c sort <<<"$out")"
	runtime_ok ps c
	assert_equal 3 "$(grep -c 'sleep 1000' <<<"$out")"
	runtime_ok events --stats c
	assert_equal '["stats","c"]' "$(jq -c '[.type, .id]' <<<"$out")"
	runtime_ok kill --all c KILL
	wait_for 5 dead "$pid"
	wait_for 5 has_lines 0 "$procs"
	runtime_ok delete c
}

# bats test_tags=berth
@test "rootless: pause, update and events refuse a container without a cgroup, and name the remedy" {
	args sleep 1000
	start_detached c
	runtime pause c
	refused 'pause "c": .*no cgroup .*systemd-run --user --scope -p Delegate=yes'
	runtime update --pids-limit 5 c
	refused 'update "c": set linux.resources.pids.limit: .*no cgroup .*systemd-run --user --scope -p Delegate=yes'
	runtime ps c
	refused 'list processes of "c": .*no cgroup .*systemd-run --user --scope -p Delegate=yes'
}

@test "rootless: exec works in a delegated cgroup" {
	delegate_cgroup
	args sleep 1000
	start_detached c
	runtime_ok exec c cat /proc/self/cgroup
	assert_match "(^|"$'\n'")0::$DELEGATED/c($|"$'\n'")" "$out"
}
