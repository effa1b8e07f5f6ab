# Terminals.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	config '.process.terminal = true'
	socket=$T/tty.sock
}

# receive: the other end of the console socket; see tests/integration/probe.
receive() {
	background "$PROBE" recvtty "$socket" "$T"
	wait_for 5 test -S "$socket"
}

# printed TEXT: the terminal printed it, for wait_for.
printed() {
	tr -d '\r' <"$T/output" 2>/dev/null | grep -qF -- "$1"
}

@test "create sends the terminal to the console socket" {
	receive
	script 'tty; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all three; readlink /proc/self/fd/0'
	runtime_ok create --bundle "$BUNDLE" --console-socket "$socket" c
	# The terminal is in the socket before create returns, whenever it is read.
	wait_for 5 appears "$T/descriptors"
	assert_equal 1 "$(cat "$T/descriptors")"
	assert_match '/ptmx$' "$(cat "$T/payload")" # engines name it in their errors
	runtime_ok start c
	wait_for 5 printed 'all three'
	printed '/dev/pts/0'
}

@test "the terminal of create waits in the socket until it is read" {
	# containerd reads it only after create has returned.
	background "$PROBE" recvtty "$socket" "$T"
	wait_for 5 test -S "$socket"
	kill -STOP "$background_pid"
	script 'echo hello'
	runtime_ok create --bundle "$BUNDLE" --console-socket "$socket" c
	kill -CONT "$background_pid"
	runtime_ok start c
	wait_for 5 printed hello
}

@test "run --detach sends the terminal to a relative path" {
	socket=$BUNDLE/tty.sock
	receive
	script 'echo hello'
	runtime_ok run -d --bundle "$BUNDLE" --console-socket tty.sock c
	wait_for 5 printed hello
}

@test "the terminal is the program's controlling terminal" {
	receive
	script 'echo from tty >/dev/tty; cut -d " " -f 5-8 /proc/1/stat'
	runtime_ok run -d --bundle "$BUNDLE" --console-socket "$socket" c
	wait_for 5 printed 'from tty'
	# Process group, session, terminal 136:0, and its foreground process group.
	wait_for 5 printed '1 1 34816 1'
}

@test "the terminal is also /dev/console" {
	receive
	script 'echo from console >/dev/console; stat -c "%F" /dev/console'
	runtime_ok run -d --bundle "$BUNDLE" --console-socket "$socket" c
	wait_for 5 printed 'from console'
	wait_for 5 printed 'character special file'
}

@test "the terminal has the size of config.json" {
	config '.process.consoleSize = {height: 33, width: 111}'
	receive
	script 'stty size'
	runtime_ok run -d --bundle "$BUNDLE" --console-socket "$socket" c
	wait_for 5 printed '33 111'
}

@test "the terminal belongs to the user of the container" {
	config '.process.user = {uid: 1000, gid: 1000}'
	receive
	script 'stat -c "%u:%g %A" /dev/pts/0; echo ok >/dev/pts/0'
	runtime_ok run -d --bundle "$BUNDLE" --console-socket "$socket" c
	wait_for 5 printed '1000:5 crw--w----'
	wait_for 5 printed ok
}

@test "typed input reaches the program, and ^C is a signal" {
	printf 'typed\n' >"$T/input"
	receive
	script 'read -r line; echo "got $line"; trap "echo interrupted; exit 0" INT; kill -INT $$; sleep 1000'
	runtime_ok run -d --bundle "$BUNDLE" --console-socket "$socket" c
	wait_for 5 printed 'got typed'
	wait_for 5 printed interrupted
}

@test "create reports a console socket on which no program listens" {
	script true
	runtime create --bundle "$BUNDLE" --console-socket "$T/nobody" c
	refused "$T/nobody.*no such file or directory"
	no_state_left
	no_process_left
	no_cgroup_left
}

# bats test_tags=berth
@test "create reports a console socket path that is too long" {
	local dir
	dir=$T/$(printf 'd%.0s' {1..120})
	mkdir "$dir"
	script true
	runtime create --bundle "$BUNDLE" --console-socket "$dir/s" c
	refused 'connect to console socket .* but a socket path has at most 107'
	no_state_left
}

@test "create and run --detach refuse a terminal without a console socket" {
	script true
	runtime create --bundle "$BUNDLE" c
	refused 'cannot allocate tty if [a-z]+ will detach without setting console socket'
	runtime run -d --bundle "$BUNDLE" c
	refused 'cannot allocate tty if [a-z]+ will detach without setting console socket'
	no_state_left
}

@test "create refuses a console socket without a terminal, run in the foreground refuses any" {
	script true
	runtime run --bundle "$BUNDLE" --console-socket "$socket" c
	refused 'cannot use console socket'
	config '.process.terminal = false'
	runtime create --bundle "$BUNDLE" --console-socket "$socket" c
	refused 'cannot use console socket'
	no_state_left
}

@test "run in the foreground needs a terminal of its own" {
	script true
	rt_without_terminal() { setsid --wait "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c; }
	status=0
	rt_without_terminal </dev/null >"$T/out" 2>"$T/err" || status=$?
	read_output
	refused 'open /dev/tty: no such device or address'
	no_state_left
	no_process_left
}

# in_terminal COMMAND...: run it on a terminal, with standard input as typed input; the
# typescript goes to $T/typescript, the exit status to $status.
in_terminal() {
	status=0
	script_of_words=$(printf '%q ' "$@")
	command script -q -e -c "$script_of_words" "$T/typescript" >/dev/null 2>"$T/err" || status=$?
}

@test "run sends no terminal if config.json asks for none" {
	# A process with the host's terminal open can type into it.
	config '.process.terminal = false'
	script 'for fd in 0 1 2; do [ -t $fd ] && echo "$fd is a terminal"; done; echo none'
	in_terminal "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null
	refute_match 'is a terminal' "$(cat "$T/typescript")"
	assert_match none "$(cat "$T/typescript")"
}

@test "run in the foreground connects its terminal with the container's" {
	script 'tty; echo "to stdout"; echo "to stderr" >&2; exit 7'
	in_terminal "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null
	assert_equal 7 "$status"
	assert_match '/dev/pts/0' "$(cat "$T/typescript")"
	assert_match 'to stdout' "$(cat "$T/typescript")"
	assert_match 'to stderr' "$(cat "$T/typescript")"
}

@test "run in the foreground passes typed input on" {
	script 'read -r line; echo "<$line>"'
	{ echo typed; wait_for 10 grep -q '<typed>' "$T/typescript"; } |
		in_terminal "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c
	assert_match '<typed>' "$(cat "$T/typescript")"
}

@test "run in the foreground copies the size of its terminal" {
	# The size changes while the container runs.
	script 'for i in $(seq 3000); do [ "$(stty size)" = "22 99" ] && break; sleep 0.02; done; stty size'
	in_terminal sh -c "stty rows 22 cols 99; exec $(printf '%q ' "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c)" </dev/null
	assert_match '22 99' "$(cat "$T/typescript")"
}

@test "run in the foreground restores its terminal" {
	script true
	in_terminal sh -c "stty -a >$T/before; $(printf '%q ' "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c); stty -a >$T/after" </dev/null
	assert_equal "$(cat "$T/before")" "$(cat "$T/after")"
}

# captured COMMAND...: run it on a terminal without typed input, not even an end of
# file, which would be echoed. Its output goes to $T/captured.
captured() {
	mkfifo "$T/keyboard"
	in_terminal sh -c "$(printf '%q ' "$@") >$T/captured" <>"$T/keyboard"
}

# lines_are_kept: the output is exactly these bytes.
lines_are_kept() {
	assert_equal "$(printf 'a\nb\n' | od -c)" "$(od -c <"$T/captured")"
}

# With runc, an executed program may print before the mode is set.
await_mode='i=0; until stty -a 2>/dev/null | grep -q -e -onlcr || [ $i = 250 ]; do i=$((i+1)); sleep 0.02; done'

@test "run in the foreground prints lines without carriage returns" {
	script 'echo a; echo b'
	captured "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c
	lines_are_kept
}

@test "exec --tty prints lines without carriage returns" {
	config '.process.terminal = false'
	args sleep 1000
	runtime_ok run -d --bundle "$BUNDLE" c
	captured "$RUNTIME" --root "$ROOT" exec -t c sh -c "$await_mode; echo a; echo b"
	lines_are_kept
}

@test "the terminal of exec is the controlling terminal of its process" {
	config '.process.terminal = false'
	args sleep 1000
	runtime_ok run -d --bundle "$BUNDLE" c
	captured "$RUNTIME" --root "$ROOT" exec -t c sh -c 'echo from tty >/dev/tty'
	assert_equal 'from tty' "$(tr -d '\r' <"$T/captured")"
}

# bats test_tags=berth
@test "exec --tty sets the mode before the program runs" {
	config '.process.terminal = false'
	args sleep 1000
	runtime_ok run -d --bundle "$BUNDLE" c
	captured "$RUNTIME" --root "$ROOT" exec -t c stty -a
	assert_match ' -onlcr ' "$(cat "$T/captured")"
}

@test "run in the foreground prints lines on its terminal that start at the left" {
	script 'echo a; echo b'
	in_terminal "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null
	assert_match $'a\r\nb\r\n' "$(cat "$T/typescript")"
	refute_match $'\r\r' "$(cat "$T/typescript")"
}

@test "a terminal that is sent to a console socket has the kernel's modes" {
	# Its receiver sets others, if necessary.
	receive
	script 'stty -a 2>/dev/null | tr " " "\n" | grep onlcr; echo end'
	runtime_ok run -d --bundle "$BUNDLE" --console-socket "$socket" c
	wait_for 5 printed end
	assert_equal $'onlcr\r\nend\r' "$(cat "$T/output")"
}
