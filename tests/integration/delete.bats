# delete.
# bats file_tags=v2
load helpers

prepare() {
	new_bundle
	config '.process.args = ["sleep", "1000"]'
}

nothing_left() {
	no_state_left
	no_cgroup_left
	no_process_left
	no_mount_left
}

@test "delete removes what has stopped" {
	args true
	start_detached c
	wait_for 5 has_status c stopped
	rt_ok delete c
	assert_equal "" "$out$err"
	nothing_left
	rt state c
	refused 'container does not exist$'
}

@test "delete removes what was only created" {
	local pid
	rt_ok create --bundle "$BUNDLE" c
	pid=$(init_pid c)
	alive "$pid"
	rt_ok delete c
	dead "$pid"
	nothing_left
}

@test "delete refuses what is running" {
	start_detached c
	rt delete c
	refused 'cannot delete container c that is not stopped: running'
	alive "$(init_pid c)"
	assert_equal running "$(status_of c)"
}

@test "delete --force ends what is running" {
	local pid
	start_detached c
	pid=$(init_pid c)
	alive "$pid"
	rt_ok delete --force c
	assert_equal "" "$out$err"
	dead "$pid"
	nothing_left
	start_detached c
	rt_ok delete -f c
	nothing_left
}

@test "delete refuses what does not exist, --force does not" {
	rt delete c
	refused 'container does not exist$'
	rt_ok delete --force c
	assert_equal "" "$out$err"
}

@test "delete refuses an id that is none, forced or not" {
	local id
	mkdir -p "$ROOT" "$T/victim"
	for id in ../victim .. . /; do
		rt delete "$id"
		refused 'invalid container ID format'
		rt delete --force "$id"
		refused 'invalid container ID format'
	done
	[ -d "$T/victim" ]
}

@test "delete removes a directory that has no state in it" {
	mkdir -p "$ROOT/c"
	rt delete c
	refused 'container does not exist$'
	[ ! -e "$ROOT/c" ]
	mkdir -p "$ROOT/c"
	rt_ok delete --force c
	[ ! -e "$ROOT/c" ]
}

@test "delete does without the bundle" {
	start_detached c
	rt_ok kill c KILL
	wait_for 5 has_status c stopped
	rm -rf "$BUNDLE"
	cd /
	rt_ok delete c
	nothing_left
}

@test "delete takes what is left of a container that shares its pid namespace" {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	script 'sleep 1000 & sleep 1000 & exit 0'
	start_detached c
	wait_for 5 has_status c stopped
	assert_equal 2 "$(orphans | wc -l)"
	rt_ok delete c
	nothing_left
}

@test "delete --force takes all of a container that shares its pid namespace" {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	script 'sleep 1000 & sleep 1000 & echo ready; exec sleep 1000'
	"$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/c.out" 2>&1 3>&-
	wait_for 5 has_line "$T/c.out" ready
	rt_ok delete --force c
	nothing_left
}

@test "delete removes cgroups below the container's" {
	local dir
	start_detached c
	for dir in $(cgroup_dirs "$CGROUP"); do
		mkdir -p "$dir/sub/sub"
	done
	[ -d "$dir/sub/sub" ]
	rt_ok delete --force c
	nothing_left
}

@test "delete can be repeated while another does it" {
	local pids=() i
	start_detached c
	assert_equal running "$(status_of c)"
	for i in 1 2 3 4; do
		"$RUNTIME" --root "$ROOT" delete --force c </dev/null >"$T/out.$i" 2>&1 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i" || true; done
	rt_ok delete --force c
	nothing_left
}

@test "after delete the id is free again" {
	args true
	local i
	for i in 1 2 3; do
		rt_ok create --bundle "$BUNDLE" c
		assert_equal created "$(status_of c)"
		rt_ok delete c
	done
}

# bats test_tags=berth
@test "delete --regex removes every container whose id matches" {
	args sleep 1000
	local id
	for id in web-1 web-2 db-1; do
		config '.linux.cgroupsPath = $cgroup' --arg cgroup "$CGROUP-$id"
		start_detached "$id"
	done
	rt_ok kill web-2 KILL
	wait_for 5 has_status web-2 stopped
	rt delete --regex '^web-'
	refused 'cannot delete container web-1 that is not stopped'
	rt state web-2
	refused 'container does not exist'
	rt_ok delete --force --regex '.'
	rt_ok list -q
	assert_equal "" "$out"
}

# bats test_tags=berth
@test "delete refuses a saved cgroup outside of the cgroup file systems, and touches nothing" {
	local precious=$T/precious
	args true
	start_detached c
	wait_for 5 has_status c stopped
	mkdir -p "$precious/sub"
	cp "$ROOT/c/state.json" "$T/saved.json"
	jq --arg dir "$precious" '.cgroups[] = $dir' "$T/saved.json" >"$ROOT/c/state.json"
	rt delete --force c
	refused "use cgroup \"$precious\": .*not in a cgroup file system"
	[ -d "$precious/sub" ] || failed "$precious was removed"
	cp "$T/saved.json" "$ROOT/c/state.json"
	rt_ok delete c
}
