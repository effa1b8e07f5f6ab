# A container as a service that reports when it is ready (sd_notify(3)). runc 1.1 knows
# no barrier, and hangs when a program ends without READY=1.
# bats file_tags=berth,kernel
load helpers

prepare() {
	new_bundle
	cp "$PROBE" "$BUNDLE/rootfs/bin/probe"
	background "$PROBE" manage "$T/manager" "$T/received"
	wait_for 5 test -S "$T/manager"
}

# as_service ARG...: run the runtime as a service manager does.
as_service() {
	NOTIFY_SOCKET=$T/manager runtime "$@"
	succeeded "runtime $*"
}

# manager_got MESSAGE: the manager got it; MESSAGE is quoted like a Go string.
manager_got() {
	has_line "$T/received" "\"$1\""
}

# manager_has_read: the runtime waited for the manager, which is slow.
manager_has_read() {
	has_line "$T/received" '1 descriptors closed' || failed "the runtime did not wait for the manager:" "$(cat "$T/received")"
}

@test "run --detach returns when the program is ready" {
	script 'echo $NOTIFY_SOCKET >&2; probe notify STATUS=starting; sleep 0.3; : >/dev/shm/x; probe notify READY=1; exec sleep 1000'
	as_service run -d --bundle "$BUNDLE" c
	manager_got 'READY=1\n'
	manager_got "MAINPID=$(init_pid c)\\n"
	manager_got 'BARRIER=1'
	manager_has_read
	assert_equal /run/notify/notify.sock "$(cat "$T/err")"
	[ -e "/proc/$(init_pid c)/root/dev/shm/x" ]
}

@test "start returns when the program is ready" {
	script 'probe notify READY=1; exec sleep 1000'
	as_service create --bundle "$BUNDLE" c
	[ ! -s "$T/received" ]
	as_service start c
	manager_got 'READY=1\n'
	manager_got "MAINPID=$(init_pid c)\\n"
}

@test "run --detach waits for the end of a program that sends no READY=1" {
	args sleep 0.5
	as_service run -d --bundle "$BUNDLE" c
	assert_equal stopped "$(status_of c)"
	[ ! -s "$T/received" ]
}

@test "a status with READY=1 in its text does not mean that the program is ready" {
	script 'exec probe notify "STATUS=not READY=1 yet"'
	as_service run -d --bundle "$BUNDLE" c
	manager_got 'STATUS=not READY=1 yet\n'
	refute_match MAINPID "$(cat "$T/received")"
	assert_equal stopped "$(status_of c)"
}

@test "the last message of a program is passed on" {
	script 'exec probe notify READY=1'
	as_service run -d --bundle "$BUNDLE" c
	manager_got 'READY=1\n'
	manager_has_read
}

@test "run in the foreground reports itself as the main process" {
	script 'probe notify READY=1 READY=1 READY=1 STATUS=working; exit 5'
	NOTIFY_SOCKET=$T/manager background "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c
	local code=0
	wait "$background_pid" || code=$?
	assert_equal 5 "$code"
	manager_got 'READY=1\n'
	manager_got "MAINPID=$background_pid\\n"
	manager_got 'STATUS=working\n'
}

@test "run in the foreground passes signals on before the program is ready" {
	script 'trap "exit 4" TERM; echo waiting; while :; do sleep 0.05; done'
	NOTIFY_SOCKET=$T/manager background "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c >"$T/printed"
	wait_for 5 has_line "$T/printed" waiting
	kill -TERM "$background_pid"
	local code=0
	wait "$background_pid" || code=$?
	assert_equal 4 "$code"
}

@test "only messages about the service are passed on" {
	script 'probe notify "" "$(printf "MAINPID=1\nREADY=1\nFDSTORE=1")"; exec sleep 1000'
	as_service run -d --bundle "$BUNDLE" c
	manager_got 'READY=1\n'
	refute_match 'MAINPID=1\\|FDSTORE' "$(cat "$T/received")"
}

@test "all messages about the service are passed on, before and with READY=1" {
	local words='STATUS=on\nERRNO=2\nWATCHDOG=1\nEXTEND_TIMEOUT_USEC=5\nRELOADING=1\nSTOPPING=1'
	script "probe notify \"\$(printf '$words')\" \"\$(printf 'BUSERROR=x\nREADY=1\nREADYX=1\nX_STATUS=x')\"; exec sleep 1000"
	as_service run --bundle "$BUNDLE" -d c
	manager_got "$words\\n"
	manager_got 'READY=1\n'
}

@test "the runtime answers the barrier of a program" {
	local words
	for words in 'STATUS=on BARRIER=1 READY=1' 'READY=1 BARRIER=1'; do
		: >"$T/received"
		script "probe notify $words >&2; exec sleep 1000"
		as_service run -d --bundle "$BUNDLE" c
		wait_for 5 has_line "$T/err" 'let through'
		manager_got 'READY=1\n'
		# The manager got only the runtime's own barrier.
		refute_match 'BARRIER.*READY' "$(tr '\n' ' ' <"$T/received")"
		runtime_ok delete --force c
	done
}

@test "a program of another user can notify" {
	config '.process.user = {uid: 1000, gid: 1000}'
	script 'probe notify READY=1; exec sleep 1000'
	umask 077
	as_service run -d --bundle "$BUNDLE" c
	manager_got 'READY=1\n'
}

@test "root of a user namespace can notify" {
	new_user_namespace 0:100000:65536
	script 'probe notify READY=1; exec sleep 1000'
	as_service run -d --bundle "$BUNDLE" c
	manager_got 'READY=1\n'
}

@test "the directory of the socket is read-only, and delete removes it" {
	script 'grep " /run/notify " /proc/self/mountinfo >&2; probe notify READY=1; exec sleep 1000'
	as_service run -d --bundle "$BUNDLE" c
	assert_options "$(cat "$T/err")" /run/notify ro nosuid nodev noexec
	runtime_ok delete --force c
	no_state_left
}

@test "the manager's socket may have an abstract name, but no relative path" {
	local name=@$T/manager
	background "$PROBE" manage "$name" "$T/received"
	wait_for 5 grep -q "$name" /proc/net/unix
	script 'probe notify STATUS=abstract READY=1; exec sleep 1000'
	NOTIFY_SOCKET=$name runtime_ok run -d --bundle "$BUNDLE" c
	manager_got 'STATUS=abstract\n'
	runtime_ok delete --force c
	NOTIFY_SOCKET=manager runtime run -d --bundle "$BUNDLE" c
	refused 'NOTIFY_SOCKET .*manager.*: neither an absolute path nor an abstract name'
	no_state_left
}

@test "without a service manager the container has no socket" {
	script 'echo "<$NOTIFY_SOCKET>"; ls /run/notify'
	runtime run --bundle "$BUNDLE" c
	assert_equal '<>' "$out"
	refute_match notify "$out"
}

@test "start with NOTIFY_SOCKET refuses a container that was created without" {
	args sleep 1000
	runtime_ok create --bundle "$BUNDLE" c
	NOTIFY_SOCKET=$T/manager runtime start c
	refused notify
}

@test "delete removes files that the container adds to the directory of the socket" {
	config '.process.capabilities[] += ["CAP_SYS_ADMIN"]'
	script 'mount -o remount,bind,rw /run/notify && mkdir /run/notify/dir && touch /run/notify/dir/file && ln -s / /run/notify/link && probe notify READY=1; exec sleep 1000'
	as_service run -d --bundle "$BUNDLE" c
	[ -e "$ROOT/c/notify/dir/file" ] || failed "the container made no files there"
	runtime_ok delete --force c
	[ ! -e "$ROOT/c" ]
}
