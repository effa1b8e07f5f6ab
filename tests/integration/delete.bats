# delete.
# bats file_tags=v2,kernel
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

@test "delete removes a stopped container" {
	args true
	start_detached c
	wait_for 5 has_status c stopped
	runtime_ok delete c
	assert_equal "" "$out$err"
	nothing_left
	runtime state c
	refused 'container does not exist$'
}

@test "delete removes a created container" {
	local pid
	runtime_ok create --bundle "$BUNDLE" c
	pid=$(init_pid c)
	alive "$pid"
	runtime_ok delete c
	dead "$pid"
	nothing_left
}

@test "delete refuses a running container" {
	start_detached c
	runtime delete c
	refused 'cannot delete container c that is not stopped: running'
	alive "$(init_pid c)"
	assert_equal running "$(status_of c)"
}

@test "delete --force kills and removes a running container" {
	local pid
	start_detached c
	pid=$(init_pid c)
	alive "$pid"
	runtime_ok delete --force c
	assert_equal "" "$out$err"
	dead "$pid"
	nothing_left
	start_detached c
	runtime_ok delete -f c
	nothing_left
}

@test "delete refuses a container that does not exist, --force does not" {
	runtime delete c
	refused 'container does not exist$'
	runtime_ok delete --force c
	assert_equal "" "$out$err"
}

@test "delete refuses an invalid ID, with and without --force" {
	local id
	mkdir -p "$ROOT" "$T/victim"
	for id in ../victim .. . /; do
		runtime delete "$id"
		refused 'invalid container ID format'
		runtime delete --force "$id"
		refused 'invalid container ID format'
	done
	[ -d "$T/victim" ]
}

@test "delete removes a directory that has no state" {
	mkdir -p "$ROOT/c"
	runtime delete c
	refused 'container does not exist$'
	[ ! -e "$ROOT/c" ]
	mkdir -p "$ROOT/c"
	runtime_ok delete --force c
	[ ! -e "$ROOT/c" ]
}

@test "delete works without the bundle" {
	start_detached c
	runtime_ok kill c KILL
	wait_for 5 has_status c stopped
	rm -rf "$BUNDLE"
	cd /
	runtime_ok delete c
	nothing_left
}

@test "delete kills the remaining processes of a container that shares its pid namespace" {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	script 'sleep 1000 & sleep 1000 & exit 0'
	start_detached c
	wait_for 5 has_status c stopped
	assert_equal 2 "$(orphans | wc -l)"
	runtime_ok delete c
	nothing_left
}

@test "delete --force kills all processes of a container that shares its pid namespace" {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	script 'sleep 1000 & sleep 1000 & echo ready; exec sleep 1000'
	"$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/c.out" 2>&1 3>&-
	wait_for 5 has_line "$T/c.out" ready
	runtime_ok delete --force c
	nothing_left
}

@test "delete removes cgroups below the container's" {
	local dir
	start_detached c
	for dir in $(cgroup_dirs "$CGROUP"); do
		mkdir -p "$dir/sub/sub"
	done
	[ -d "$dir/sub/sub" ]
	runtime_ok delete --force c
	nothing_left
}

@test "delete can run concurrently with another delete" {
	local pids=() i
	start_detached c
	assert_equal running "$(status_of c)"
	for i in 1 2 3 4; do
		"$RUNTIME" --root "$ROOT" delete --force c </dev/null >"$T/out.$i" 2>&1 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i" || true; done
	runtime_ok delete --force c
	nothing_left
}

@test "create accepts the ID of a deleted container" {
	args true
	local i
	for i in 1 2 3; do
		runtime_ok create --bundle "$BUNDLE" c
		assert_equal created "$(status_of c)"
		runtime_ok delete c
	done
}

# bats test_tags=berth
@test "delete --regex removes every container with a matching ID" {
	args sleep 1000
	local id
	for id in web-1 web-2 db-1; do
		config '.linux.cgroupsPath = $cgroup' --arg cgroup "$CGROUP-$id"
		start_detached "$id"
	done
	runtime_ok kill web-2 KILL
	wait_for 5 has_status web-2 stopped
	runtime delete --regex '^web-'
	refused 'cannot delete container web-1 that is not stopped'
	runtime state web-2
	refused 'container does not exist'
	runtime_ok delete --force --regex '.'
	runtime_ok list -q
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
	runtime delete --force c
	refused "use cgroup \"$precious\": .*not in a cgroup file system"
	[ -d "$precious/sub" ] || failed "$precious was removed"
	cp "$T/saved.json" "$ROOT/c/state.json"
	runtime_ok delete c
}

# bats test_tags=berth
@test "delete --force and create report a state directory that they cannot look up" {
	args sleep 1000
	start_detached c
	failing newfstatat EIO "$ROOT/c" -- delete --force c
	refused 'lock state: .*input/output error'
	has_status c running
	failing newfstatat EIO "$ROOT/d" -- create --bundle "$BUNDLE" d
	refused 'lock state: .*input/output error'
	refute_match 'does not exist' "$msg"
	runtime_ok delete --force c
	runtime_ok delete --force d
}

# bats test_tags=berth
@test "delete --force removes the remains of a failed create" {
	local dirs
	args no-such-program
	mapfile -t dirs < <(cgroup_roots)
	failing unlinkat EIO "${dirs[@]/%/$CGROUP}" -- create --bundle "$BUNDLE" c
	assert_equal 1 "$status"
	assert_match 'no-such-program' "$err"
	assert_match 'input/output error' "$err"
	has_status c stopped
	[ -n "$(cgroup_dirs "$CGROUP")" ] || failed "the cgroup was removed"
	runtime_ok delete --force c
	nothing_left
}
