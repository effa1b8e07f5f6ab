# containerd, by its client ctr, which passes on containerd's features.
# The bed "shim" runs the same tests with berth as the shim. $with_berth selects berth.
# bats file_tags=containerd,shim
load helpers

# The start of a container whose output the test needs: ctr may lose the output of a
# container that ends before ctr listens. $1 is a file to wait for; the rest is
# executed.
# shellcheck disable=SC2016 # for the container's shell
when_heard='echo ready; echo ready >&2; until [ -e "$1" ]; do sleep 0.02; done; shift; exec "$@"'

# ctr_heard FILE ARG...: run ctr, with a container that runs $when_heard; FILE is the
# file that it waits for, as this side sees it.
ctr_heard() {
	local file=$1 client
	shift
	rm -f "$file"
	: >"$T/out"
	: >"$T/err"
	ctr "$@" <"${STDIN:-/dev/null}" >"$T/out" 2>"$T/err" 3>&- 4>&- &
	client=$!
	wait_for 10 heard "$client"
	touch "$file"
	status=0
	wait "$client" || status=$?
	out=$(grep -vx ready "$T/out" || true)
	err=$(grep -vx ready "$T/err" || true)
}

# heard PID: the client has both streams, or has ended.
heard() {
	dead "$1" || { has_line "$T/out" ready && has_line "$T/err" ready; }
}

# ctr_run OPTION... -- COMMAND...: run a container that is removed when it has ended.
ctr_run() {
	options_and_command "$@"
	mkdir -p "$T/heard"
	ctr_heard "$T/heard/file" run --rm "${with_berth[@]}" --mount "type=bind,src=$T/heard,dst=/heard,options=rbind:ro" \
		"${options[@]}" "$IMAGE" "$NAME" sh -c "$when_heard" sh /heard/file "${command[@]}"
}

# ctr_run_only OPTION... -- COMMAND...: the same, without waiting for ctr.
ctr_run_only() {
	options_and_command "$@"
	engine run --rm "${with_berth[@]}" "${options[@]}" "$IMAGE" "$NAME" "${command[@]}"
}

# ctr_idle OPTION...: start one that does nothing until SIGTERM.
ctr_idle() {
	ctr_start "$@" -- sh -c 'trap "exit 4" TERM; echo ready; while :; do sleep 0.1; done'
	wait_for 10 has_line "$T/log" ready
}

# inspected: print the pid, the only property that knob needs.
inspected() {
	cat "$T/pid"
}

@test "run prints the output of the container, each stream separately" {
	ctr_run -- sh -c 'echo one; echo two >&2'
	succeeded run
	assert_equal one "$out"
	assert_equal two "$err"
}

@test "run passes standard input on" {
	echo 'from outside' >"$T/in"
	STDIN=$T/in ctr_run -- head -n 1
	assert_equal 'from outside' "$out"
}

@test "run passes the exit status on" {
	local code
	for code in 0 1 42 255; do
		ctr_run -- sh -c "exit $code"
		assert_equal "$code" "$status"
	done
}

@test "run reports a program that cannot be executed" {
	ctr_run_only -- nonesuch
	assert_equal 1 "$status"
	assert_match 'executable file not found in \$PATH' "$err"
	ctr_run_only -- /nonesuch
	assert_match 'no such file or directory' "$err"
	ctr_run_only -- /srv/text
	assert_match 'permission denied' "$err"
}

@test "run --tty connects a terminal, with typed input" {
	printf 'stty -echo\ntty\necho $((6 * 7))\nexit 3\n' >"$T/in"
	STDIN=$T/in on_terminal ctr run --rm --tty "${with_berth[@]}" "$IMAGE" "$NAME" sh
	assert_equal 3 "$status"
	assert_match '/dev/pts/0' "$out"
	assert_match 42 "$out"
}

@test "run sets environment, directory and read-only root" {
	ctr_run --env A=1 --cwd /srv --read-only -- sh -c 'echo $A; pwd; touch file'
	assert_equal $'1\n/srv' "$out"
	assert_match 'Read-only file system' "$err"
}

@test "run sets capabilities" {
	ctr_run --cap-drop CAP_CHOWN --cap-add CAP_NET_ADMIN -- grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status
	assert_equal $'CapPrm:\t00000000a80435fa\nCapEff:\t00000000a80435fa\nCapBnd:\t00000000a80435fa' "$out"
}

@test "run sets no_new_privs, or not" {
	ctr_run -- grep NoNewPrivs /proc/self/status
	assert_equal $'NoNewPrivs:\t1' "$out"
	ctr_run --allow-new-privs -- grep NoNewPrivs /proc/self/status
	assert_equal $'NoNewPrivs:\t0' "$out"
}

@test "run applies containerd's own seccomp profile" {
	ctr_run --seccomp -- sh -c 'grep Seccomp: /proc/self/status; unshare -U true'
	assert_equal $'Seccomp:\t2' "$out"
	assert_match 'Operation not permitted' "$err"
}

@test "run mounts volumes" {
	mkdir "$T/dir"
	ctr_run --mount "type=bind,src=$T/dir,dst=/data,options=rbind:rw" --mount "type=bind,src=$T/dir,dst=/ro,options=rbind:ro" \
		--mount type=tmpfs,src=tmpfs,dst=/scratch,options=size=1m -- sh -c 'touch /data/file; touch /ro/other; df -k /scratch | awk "NR == 2 { print \$2 }"'
	assert_match 'Read-only file system' "$err"
	assert_equal 1024 "$out"
	[ -e "$T/dir/file" ]
	[ ! -e "$T/dir/other" ]
}

@test "run adds a device" {
	ctr_run --device /dev/fuse -- sh -c ': </dev/fuse && echo opened'
	assert_equal opened "$out"
}

@test "run joins the host's network namespace, and one by path" {
	ctr_run --net-host -- readlink /proc/self/ns/net
	assert_equal "$(readlink /proc/self/ns/net)" "$out"
	holder --net
	ctr_run --with-ns "network:/proc/$holder/ns/net" -- readlink /proc/self/ns/net
	assert_equal "$(readlink "/proc/$holder/ns/net")" "$out"
}

@test "run sets limits" {
	needs_controllers memory cpu
	ctr_idle --memory-limit 67108864 --cpu-shares 512 --cpus 0.5
	knob_is 67108864 67108864 memory memory.limit_in_bytes memory.max
	knob_is 512 20 cpu cpu.shares cpu.weight
	knob_is 50000 '50000 100000' cpu cpu.cfs_quota_us cpu.max
}

@test "run makes a user namespace" {
	if [ -n "$SHIM" ] && [ "$(cgroup_driver)" = systemd ]; then
		skip "ctr refuses --uidmap with --runtime-config-path"
	fi
	# With these options ctr ignores --runc-binary.
	[ -n "$SHIM" ] || mount --bind "$BERTH" /usr/sbin/runc
	ctr_run --uidmap 0:100000:65536 --gidmap 0:200000:65536 -- sh -c 'id -u; tr -s " " </proc/self/uid_map; tr -s " " </proc/self/gid_map'
	[ -n "$SHIM" ] || umount /usr/sbin/runc
	succeeded run
	assert_equal $'0\n 0 100000 65536\n 0 200000 65536' "$out"
}

@test "run accepts a root directory with a config.json" {
	ctr_heard "$BATS_RUN_TMPDIR/rootfs/tmp/heard" run --rm "${with_berth[@]}" --env PATH=/bin --rootfs "$BATS_RUN_TMPDIR/rootfs" "$NAME" \
		/bin/sh -c "$when_heard" sh /tmp/heard cat /srv/volume/file
	assert_equal 'from the image' "$out"
	"$BERTH" spec --bundle "$T"
	jq --arg rootfs "$BATS_RUN_TMPDIR/rootfs" '.process.terminal = false | .root.path = $rootfs | .process.args = ["sh", "-c", $script, "sh", "/tmp/heard", "hostname"]
		| .hostname = "configured"' --arg script "$when_heard" "$T/config.json" >"$T/config2.json"
	ctr_heard "$BATS_RUN_TMPDIR/rootfs/tmp/heard" run --rm "${with_berth[@]}" --config "$T/config2.json" "$NAME"
	rm "$BATS_RUN_TMPDIR/rootfs/tmp/heard"
	assert_equal configured "$out"
}

@test "task kill sends a signal" {
	ctr_idle
	engine_ok task kill "$NAME"
	wait_for 5 task_is STOPPED
	engine_ok task rm "$NAME"
}

@test "task kill --all signals every process" {
	ctr_idle
	ctr_exec -d -- sleep 1000
	wait_for 5 in_ps 'sleep'
	engine_ok task kill --all -s KILL "$NAME"
	wait_for 5 task_is STOPPED
}

# in_ps COMM: a process of the container has that name.
in_ps() {
	local p
	for p in $(ctr task ps "$NAME" | awk 'NR > 1 { print $1 }'); do
		[ "$(cat "/proc/$p/comm")" != "$1" ] || return 0
	done
	return 1
}

@test "task exec passes output, status, user and directory" {
	ctr_idle
	# shellcheck disable=SC2016 # for the container's shell
	ctr_heard "/proc/$pid/root/tmp/heard" task exec --exec-id one --user 1000:1000 --cwd /srv "$NAME" \
		sh -c "$when_heard" sh /tmp/heard sh -c 'id -u; pwd; echo two >&2; exit 6'
	assert_equal 6 "$status"
	assert_equal $'1000\n/srv' "$out"
	assert_equal two "$err"
}

@test "task exec reports a program that cannot be executed" {
	ctr_idle
	ctr_exec -- nonesuch
	assert_equal 1 "$status"
	assert_match 'executable file not found in \$PATH' "$err"
}

@test "task exec connects a terminal" {
	ctr_idle
	printf 'stty -echo\necho $((6 * 7))\nexit 3\n' >"$T/in"
	STDIN=$T/in on_terminal ctr task exec --tty --exec-id one "$NAME" sh
	assert_equal 3 "$status"
	assert_match 42 "$out"
}

@test "task pause and resume freeze and thaw the container" {
	ctr_idle
	engine_ok task pause "$NAME"
	task_is PAUSED
	engine_ok task resume "$NAME"
	task_is RUNNING
	ctr_exec -- true
	succeeded exec
}

@test "task metrics prints statistics" {
	needs_controllers memory pids
	ctr_idle --memory-limit 67108864
	engine_ok task metrics --format json "$NAME"
	jq -e '(.memory.usage.usage // .usage // 1) > 0 and (.pids.current // .current // 1) >= 1' <<<"$out"
}

@test "events report an OOM-killed process" {
	needs_controllers memory
	ctr events >"$T/events" 2>&1 3>&- 4>&- &
	background_pids+=($!)
	ctr_idle --memory-limit 33554432
	wait_for 10 events_come
	ctr_exec -- tail /dev/zero
	assert_equal 137 "$status"
	wait_for 5 grep -q '/tasks/oom' "$T/events"
}

# events_come: ctr prints the events from here on.
events_come() {
	ctr_exec -- true
	grep -q '/tasks/exec-started' "$T/events"
}

@test "the container ends when its shim is killed" {
	ctr_idle
	local shim
	shim=$(ps -o ppid= -p "$pid" | tr -d ' ')
	kill -KILL "$shim"
	wait_for 10 dead "$pid"
	no_runtime_state_left
}

@test "a container continues without containerd, and its exit status is kept" {
	ctr_idle
	kill_containerd
	restart_containerd
	task_is RUNNING
	ctr_exec -- true
	succeeded exec
	kill_containerd
	kill -TERM "$pid"
	wait_for 5 dead "$pid"
	restart_containerd
	# containerd 1.7 and later remove a task that has no process when they start.
	if [[ $(containerd --version) != *' 1.6.'* ]]; then
		refute_match "$NAME" "$(ctr task ls)"
		return
	fi
	task_is STOPPED
	engine task rm "$NAME"
	assert_match 'exit code 4' "$err"
}

# kill_containerd: the bed has no other.
kill_containerd() {
	local daemon
	daemon=$(pgrep -x containerd)
	kill -KILL "$daemon"
	wait_for 5 dead "$daemon"
}

# restart_containerd: start it for this test and those that follow.
restart_containerd() {
	containerd >>/var/log/containerd 2>&1 3>&- 4>&- &
	SUITE_PIDS+=" $! "
	disown
	wait_for 20 ctr version >/dev/null 2>&1
}

@test "50 containers can run concurrently" {
	ctr_flags "$NAME-{}"
	seq 50 | xargs -P 10 -I {} ctr run -d --null-io "${with_berth[@]}" "$IMAGE" "$NAME-{}" sleep 1000 >"$T/out" 2>"$T/err" 3>&- 4>&-
	assert_equal 50 "$(ctr task ls | grep -c RUNNING)"
	ctr task ls -q | xargs -P 10 -I {} ctr task rm -f {} >/dev/null 2>&1 3>&- 4>&- || true
	assert_equal 0 "$(ctr task ls -q | wc -l)"
}
