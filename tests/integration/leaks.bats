# Nothing is left: neither after many runs, nor when the runtime is killed midway.
load helpers

prepare() {
	new_bundle
}

# everything: the containers, cgroups, mounts, processes and files that could be left.
everything() {
	find "$ROOT" 2>/dev/null
	cgroup_dirs "$CGROUP_PARENT*"
	cgroup_dirs "$CGROUP_PARENT/*"
	host_mounts
	orphans
	find /dev/shm /run -maxdepth 1 -name '*berth*'
}

@test "200 runs leave no state, cgroup, mount, process or file" {
	args /bin/true
	# The first run makes the state root and the parent cgroup.
	runtime_ok run --bundle "$BUNDLE" c
	everything >"$T/before"
	local i
	for ((i = 0; i < 200; i++)); do
		runtime run --bundle "$BUNDLE" c
		[ "$status" = 0 ] || failed "run $i: $err"
	done
	everything >"$T/after"
	diff "$T/before" "$T/after"
}

@test "50 failed creates leave no state, cgroup, mount, process or file" {
	args /nope
	runtime create --bundle "$BUNDLE" c
	everything >"$T/before"
	local i
	for ((i = 0; i < 50; i++)); do
		runtime create --bundle "$BUNDLE" c
		assert_equal 1 "$status"
	done
	everything >"$T/after"
	diff "$T/before" "$T/after"
}

@test "1000 execs leave no process, mount, file or descriptor" {
	args sleep 1000
	runtime_ok run -d --bundle "$BUNDLE" c
	everything >"$T/before"
	ls "/proc/$(init_pid c)/fd" >>"$T/before"
	local i
	for ((i = 0; i < 1000; i++)); do
		"$RUNTIME" --root "$ROOT" exec c true </dev/null >"$T/out" 2>&1 || failed "exec $i: $(cat "$T/out")"
	done
	everything >"$T/after"
	ls "/proc/$(init_pid c)/fd" >>"$T/after"
	diff "$T/before" "$T/after"
	# Ended processes are reaped: there are no zombies.
	assert_equal "$(init_pid c)" "$(cat "$(cgroup_dirs "$CGROUP" | head -n 1)/cgroup.procs")"
}

@test "30 execs, killed at any moment, leave no process, cgroup or mount" {
	args sleep 1000
	runtime_ok run -d --bundle "$BUNDLE" c
	everything >"$T/before"
	local i
	for ((i = 0; i < 30; i++)); do
		kill_at $((i * 500)) exec c sh -c :
	done
	wait_for 5 as_before
}

# as_before: the processes that a killed command started have ended.
as_before() {
	everything >"$T/after"
	diff "$T/before" "$T/after"
}

# kill_at MICROSECONDS COMMAND...: run the runtime, and kill it after that time.
kill_at() {
	local delay=$1 pid
	shift
	"$RUNTIME" --root "$ROOT" "$@" </dev/null >"$T/killed.out" 2>&1 3>&- 4>&- &
	pid=$!
	sleep "$(printf '0.%06d' "$delay")"
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}

# only_the_container: "state" knows every process that is left.
only_the_container() {
	local known
	known=$("$RUNTIME" --root "$ROOT" state c 2>/dev/null | jq -r .pid)
	! orphans | grep -qvx "${known:-0}"
}

# survives_kill COMMAND...: kill the command at 30 moments of its life.
survives_kill() {
	local i whole start
	start=${EPOCHREALTIME/[.,]/}
	runtime "$@"
	whole=$((${EPOCHREALTIME/[.,]/} - start))
	"$RUNTIME" --root "$ROOT" delete --force c
	for ((i = 0; i < 30; i++)); do
		kill_at $((whole * RANDOM / 32768)) "$@"
		wait_for 1 only_the_container || failed "outlives it: $(ps -o pid=,args= -p "$(orphans | xargs)")"
		runtime delete --force c
		succeeded "delete --force after a kill"
		no_state_left
		no_process_left
		no_cgroup_left
		no_mount_left
	done
}

# bats test_tags=v2
@test "create killed at 30 moments leaves nothing that delete --force does not remove" {
	args sleep 1000
	survives_kill create --bundle "$BUNDLE" c
}

@test "run --detach killed at 30 moments leaves nothing that delete --force does not remove" {
	args sleep 1000
	survives_kill run -d --bundle "$BUNDLE" c
}

@test "delete killed at 30 moments can be repeated" {
	local i
	args sleep 1000
	for ((i = 0; i < 30; i++)); do
		runtime_ok run -d --bundle "$BUNDLE" c
		kill_at $((20000 * RANDOM / 32768)) delete --force c
		runtime_ok delete --force c
		no_state_left
		no_process_left
		no_cgroup_left
	done
}

@test "20 containers can be created and deleted concurrently" {
	local i pids=()
	args sleep 1000
	for ((i = 0; i < 20; i++)); do
		config '.linux.cgroupsPath = $cgroup' --arg cgroup "$CGROUP-$i"
		mkdir "$T/b$i"
		cp "$BUNDLE/config.json" "$T/b$i"
		ln "$BUNDLE/config.json" "$T/b$i/../config.$i" 2>/dev/null || true
		jq --arg root "$BUNDLE/rootfs" '.root.path = $root' "$BUNDLE/config.json" >"$T/b$i/config.json"
		"$RUNTIME" --root "$ROOT" run -d --bundle "$T/b$i" "c$i" </dev/null >"$T/out.$i" 2>&1 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
	runtime_ok list -q
	assert_equal 20 "$(wc -l <<<"$out")"
	pids=()
	for ((i = 0; i < 20; i++)); do
		"$RUNTIME" --root "$ROOT" delete --force "c$i" </dev/null >"$T/out.$i" 2>&1 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i"; done
}
