# exec: into a running container.
# bats file_tags=docker,podman
load helpers

@test "exec prints the output of the process, each stream separately" {
	idle
	engine_ok exec "$NAME" sh -c 'echo one; echo two >&2'
	assert_equal one "$out"
	assert_equal two "$err"
}

@test "exec passes standard input on" {
	idle
	echo 'from outside' >"$T/in"
	STDIN=$T/in engine_ok exec -i "$NAME" cat
	assert_equal 'from outside' "$out"
}

@test "exec passes the exit status on" {
	idle
	local code
	for code in 0 1 42 255; do
		engine exec "$NAME" sh -c "exit $code"
		assert_equal "$code" "$status"
	done
	engine exec "$NAME" sh -c 'kill -KILL $$'
	assert_equal 137 "$status"
}

@test "exec reports a program that does not exist" {
	idle
	# Docker before 28 has one status for all errors of a program.
	local want=127
	if [ "$ENGINE" = docker ] && [ "$(docker version --format '{{.Server.Version}}' | cut -d . -f 1)" -lt 28 ]; then
		want=126
	fi
	engine exec "$NAME" nonesuch
	assert_equal "$want" "$status"
	assert_match 'executable file .*nonesuch.* not found|nonesuch.*executable file not found in \$PATH' "$out$err"
	engine exec "$NAME" /nonesuch
	assert_equal "$want" "$status"
	assert_match 'no such file or directory' "$out$err"
}

@test "exec exits with 126 for a program that is not executable" {
	idle
	engine exec "$NAME" /srv/text
	assert_equal 126 "$status"
}

@test "exec runs in the container's namespaces and cgroup" {
	idle
	local namespaces='for n in cgroup ipc mnt net pid uts; do readlink /proc/$1/ns/$n; done; cat /proc/$1/cgroup'
	engine_ok exec "$NAME" sh -c "$namespaces" sh 1
	local first=$out
	engine_ok exec "$NAME" sh -c "$namespaces" sh self
	assert_equal "$first" "$out"
}

@test "exec sets user, directory and environment" {
	idle
	engine_ok exec -u user -w /srv -e A=1 "$NAME" sh -c 'id -un; id -gn; pwd; echo "$A"'
	assert_equal $'user\nuser\n/srv\n1' "$out"
}

@test "exec has the capabilities and the filter of the container" {
	idle --cap-drop ALL --cap-add CHOWN --security-opt no-new-privileges
	engine_ok exec "$NAME" sh -c 'grep -E "^(Cap(Prm|Eff|Bnd)|NoNewPrivs|Seccomp):" /proc/self/status'
	assert_equal $'CapPrm:\t0000000000000001\nCapEff:\t0000000000000001\nCapBnd:\t0000000000000001\nNoNewPrivs:\t1\nSeccomp:\t2' "$out"
}

# With Debian's runc, the soft limit of files is sometimes the hard one: its Go runtime
# raises the limit of a process when it starts, and races with the runtime that sets it.
# bats test_tags=berth
@test "exec has the limits of the container" {
	# Podman raises limits without a flag to values that this root may not set.
	idle --ulimit nofile=111:222 --ulimit nproc=4000
	engine_ok exec "$NAME" sh -c 'ulimit -Sn; ulimit -Hn'
	assert_equal $'111\n222' "$out"
}

@test "exec -t connects a terminal" {
	idle
	on_terminal "$ENGINE" exec -t "$NAME" sh -c 'tty; test -t 0 && test -t 1 && test -t 2 && exit 5'
	assert_equal 5 "$status"
	assert_match /dev/pts/ "$out"
}

@test "exec -it passes typed input" {
	idle
	printf 'stty -echo\necho $((6 * 7))\nexit 3\n' >"$T/in"
	STDIN=$T/in on_terminal "$ENGINE" exec -it "$NAME" sh
	assert_equal 3 "$status"
	assert_match 42 "$out"
}

@test "exec -it sets the size of the terminal" {
	idle
	on_terminal sh -c "stty cols 99 rows 33; $ENGINE exec -it $NAME sh -c 'until stty size | grep \"33 99\"; do sleep 0.05; done'"
	assert_equal 0 "$status"
	assert_match '33 99' "$out"
}

@test "exec -d returns while the process runs" {
	idle
	engine_ok exec -d "$NAME" sh -c 'echo done >/tmp/result'
	wait_for 10 engine_prints 'done' exec "$NAME" cat /tmp/result
}

engine_prints() {
	engine "${@:2}"
	[ "$out" = "$1" ]
}

@test "exec refuses a stopped container" {
	engine_ok run --name "$NAME" "$IMAGE" true
	engine exec "$NAME" true
	[ "$status" != 0 ]
	assert_match 'not running|is not running|container state improper' "$err"
}

@test "a process of exec ends with its container" {
	idle
	background "$ENGINE" exec "$NAME" sh -c 'echo ready >/tmp/ready; while :; do sleep 0.1; done'
	wait_for 10 engine_prints ready exec "$NAME" cat /tmp/ready
	engine_ok kill "$NAME"
	wait_for 10 dead "$background_pid"
}

# alone: the container has no process but init.
alone() {
	engine_ok exec "$NAME" ps -o comm
	[ "$(grep -c '^sh$' "$T/out")" = 1 ]
}

@test "20 execs leave no process" {
	idle
	seq 20 | xargs -P 4 -I {} "$ENGINE" exec "$NAME" sh -c 'echo {}' >"$T/out" 3>&- 4>&-
	assert_lines "$(seq 20)" "$(cat "$T/out")"
	# An engine may return when the output ends, a moment before the process has.
	wait_for 10 alone
}
