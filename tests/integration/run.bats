# run: exit codes, signals, detaching.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
}

# run_in_background: run a container that can be signalled; $background_pid is the
# runtime's, $T/out the container's output.
run_in_background() {
	background "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$@" c <"${RUNTIME_STDIN:-/dev/null}" >"$T/out" 2>"$T/err"
	wait_for 10 has_line "$T/out" ready
}

# bats test_tags=arm64
@test "run passes the exit status on" {
	local code
	for code in 0 1 42 127 255; do
		script "exit $code"
		runtime run --bundle "$BUNDLE" c
		assert_equal "$code" "$status"
		assert_equal "" "$out$err"
	done
}

@test "run exits with 128 and the signal's number when a signal kills the program" {
	# In a pid namespace of its own, init is immune to its own signals.
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	local signal
	for signal in 1 6 9 15; do
		script "kill -$signal \$\$"
		runtime run --bundle "$BUNDLE" c
		assert_equal $((128 + signal)) "$status"
	done
}

@test "run exits with 137 when the container is killed from outside" {
	script 'echo ready; exec sleep 1000'
	run_in_background
	runtime_ok kill c KILL
	status=0
	wait "$background_pid" || status=$?
	assert_equal 137 "$status"
}

@test "run forwards signals to the container" {
	local signal
	for signal in HUP INT QUIT USR1 USR2 TERM CONT; do
		script "trap 'echo $signal; exit 7' $signal; echo ready; while :; do sleep 0.05; done"
		run_in_background
		kill -"$signal" "$background_pid"
		status=0
		wait "$background_pid" || status=$?
		assert_equal $'ready\n'$signal "$(cat "$T/out")"
		assert_equal 7 "$status"
	done
}

@test "run passes stdin, stdout and stderr through" {
	script 'cat; echo to stderr >&2'
	echo 'from stdin' >"$T/in"
	RUNTIME_STDIN=$T/in runtime_ok run --bundle "$BUNDLE" c
	assert_equal 'from stdin' "$out"
	assert_equal 'to stderr' "$err"
}

@test "run passes a large output through completely" {
	script 'head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2'
	runtime_ok run --bundle "$BUNDLE" c 2>/dev/null
	assert_equal "3000000 3000000" "$(stat -c %s "$T/out" "$T/err" | xargs)"
}

@test "run passes a large output through completely into a pipe" {
	script 'head -c 3000000 /dev/zero'
	assert_equal 3000000 "$("$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c 2>"$T/err" </dev/null | wc -c)"
}

@test "run passes a large input through" {
	script 'wc -c'
	head -c 3000000 /dev/zero >"$T/in"
	RUNTIME_STDIN=$T/in runtime_ok run --bundle "$BUNDLE" c
	assert_equal 3000000 "$out"
}

@test "run ends although its standard input does not" {
	script 'echo done'
	mkfifo "$T/never"
	background sleep 1000 3<>"$T/never"
	status=0
	timeout "$(patient 20)" "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c <>"$T/never" >"$T/out" 2>"$T/err" || status=$?
	assert_equal 0 "$status"
	assert_equal "done" "$(cat "$T/out")"
}

@test "run ends with its program although nobody reads the program's output" {
	script 'echo one; exit 7'
	unread "$T/unread"
	for _ in 1 2 3; do
		status=0
		"$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null 1>&"$unread" 2>"$T/err" || status=$?
		assert_equal 7 "$status"
		assert_equal "" "$(cat "$T/err")"
		no_state_left
	done
}

# A program has not succeeded when its output is lost; runc exits with 0.
# bats test_tags=berth
@test "run fails when it cannot write its program's output" {
	args echo one
	status=0
	"$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >/dev/full 2>"$T/err" || status=$?
	: >"$T/out"
	read_output
	assert_equal 1 "$status"
	assert_match 'not all of its output could be passed on: write /dev/stdout: no space left on device$' "$msg"
	no_state_left
	script 'echo one; exit 7'
	status=0
	"$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >/dev/full 2>"$T/err" || status=$?
	assert_equal 7 "$status"
	assert_match 'level=warning msg=.*no space left on device' "$(cat "$T/err")"
}

@test "run deletes the container" {
	run_script 'true'
	no_state_left
	no_cgroup_left
}

@test "run --keep leaves the container stopped" {
	script 'exit 3'
	runtime run --keep --bundle "$BUNDLE" c
	assert_equal 3 "$status"
	assert_equal stopped "$(status_of c)"
	runtime_ok delete c
}

@test "run --detach returns while the container runs" {
	script 'echo ready; exec sleep 1000'
	runtime_ok run --detach --pid-file "$T/pid" --bundle "$BUNDLE" c
	assert_equal running "$(status_of c)"
	wait_for 5 has_line "$T/out" ready
	assert_equal "$(init_pid c)" "$(cat "$T/pid")"
	assert_equal 0 "$(wc -l <"$T/pid")"
	runtime_ok kill c KILL
	wait_for 5 has_status c stopped
}

@test "run -d leaves no process but the container's" {
	args sleep 1000
	runtime_ok run -d --bundle "$BUNDLE" c
	assert_equal "$(init_pid c)" "$(orphans)"
}

@test "run writes the pid file in the foreground as well" {
	script 'echo ready; exec sleep 1000'
	run_in_background --pid-file "$T/pid"
	assert_equal "$(init_pid c)" "$(cat "$T/pid")"
	runtime_ok kill c KILL
}

@test "run kills the processes that the container's init leaves" {
	run_script 'sleep 1000 & sleep 1000 & exit 0'
	no_process_left
	no_cgroup_left
}

@test "the container survives a runtime that is killed" {
	script 'echo ready; exec sleep 1000'
	run_in_background
	local pid
	pid=$(init_pid c)
	kill -KILL "$background_pid"
	wait "$background_pid" || true
	alive "$pid"
	assert_equal running "$(status_of c)"
	runtime_ok delete --force c
	wait_for 2 dead "$pid"
}

# bats test_tags=berth
@test "run leaves nothing of a program that exists, but cannot be executed" {
	printf '#!/no/such/interpreter\n' >"$BUNDLE/rootfs/bin/script"
	chmod +x "$BUNDLE/rootfs/bin/script"
	args /bin/script
	local flag
	for flag in "" --detach; do
		# shellcheck disable=SC2086 # a word or none
		runtime run $flag --bundle "$BUNDLE" c
		refused 'exec "?/bin/script"?: no such file or directory'
		no_state_left
		no_cgroup_left
		no_process_left
	done
}

@test "run leaves nothing of a program that does not exist" {
	args /no/such/program
	runtime run --bundle "$BUNDLE" c
	refused 'exec:? "/no/such/program": (stat /no/such/program: )?no such file or directory'
	no_state_left
	no_cgroup_left
	no_process_left
}

@test "run does not wait for processes of others" {
	# A child that the caller's exec handed to the runtime is not the container: run
	# neither waits for it nor ends with it.
	script 'sleep 0.3; exit 5'
	status=0
	# shellcheck disable=SC2016 # for the inner shell
	sh -c 'sleep 0.1 & sleep 1000 & exec "$@"' sh "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err" 3>&- 4>&- || status=$?
	assert_equal 5 "$status"
	wait_for 5 pkill -KILL -P "$REAPER" -x sleep
}

@test "run prevents the container from truncating its output file" {
	# /dev/stdout of the container is a pipe to the runtime, not the file.
	script 'echo first; echo second >/dev/stdout; echo third'
	echo before >"$T/out"
	"$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >>"$T/out" 2>"$T/err"
	assert_equal $'before\nfirst\nsecond\nthird' "$(cat "$T/out")"
}

# bats test_tags=berth
@test "run leaves no container when SIGTERM arrives at its start" {
	args true
	# In a separate shell: bats slows the loop that counts.
	# shellcheck disable=SC2016 # for the inner shell
	bash -c 'for ((round = 0; round < 100; round++)); do
		"$0" --root "$1" run --bundle "$2" c </dev/null >/dev/null 2>&1 3>&- &
		for ((n = 0; n < round * 20; n++)); do :; done # some microseconds more each time
		kill -TERM $! 2>/dev/null
		wait $!
		[ ! -e "$1/c" ] || exit 1
	done' "$RUNTIME" "$ROOT" "$BUNDLE"
}
