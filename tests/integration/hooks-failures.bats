# Hooks that fail, hang, or leave processes: runtime.md, "Lifecycle".
load helpers

prepare() { hook_bundle; }

# fails KIND: create or start fails because of its hook, and leaves nothing.
fails() {
	hook "$1" 'echo to stdout; echo to stderr >&2; exit 3'
	# shellcheck disable=SC2016
	hook "$1" 'echo second >>$OUT/log'
	# shellcheck disable=SC2016
	hook poststop 'echo poststop >>$OUT/log'
	script 'sleep 1000'
}

@test "a create hook that fails ends the container, and poststop hooks run" {
	local kind
	for kind in prestart createRuntime createContainer; do
		rm -f "$T/seen/log"
		config 'del(.hooks)'
		fails $kind
		runtime create --bundle "$BUNDLE" c
		assert_equal 1 "$status"
		assert_match 'exit status 3.*stdout: .?to stdout.*stderr: .?to stderr' "$msg"
		assert_equal 'poststop ' "$(logged)"
		no_such_container c
	done
}

@test "the error of a failed hook names the hook" {
	local kind
	for kind in prestart createRuntime createContainer; do
		config 'del(.hooks)'
		fails $kind
		runtime create --bundle "$BUNDLE" c
		refused "hooks\.$kind\[0\]: .?\"/bin/sh.?\": exit status 3"
	done
	for kind in startContainer poststart; do
		config 'del(.hooks)'
		fails $kind
		runtime run --bundle "$BUNDLE" c
		refused "hooks\.$kind\[0\]: .?\"/bin/sh.?\": exit status 3"
	done
}

@test "a startContainer or poststart hook that fails ends the container" {
	local kind
	for kind in startContainer poststart; do
		rm -f "$T/seen/log"
		config 'del(.hooks)'
		fails $kind
		runtime_ok create --bundle "$BUNDLE" c
		runtime start c
		refused "hooks.$kind\[0\]: .*exit status 3"
		assert_equal 'poststop ' "$(logged)"
		no_such_container c
	done
}

@test "the error of a hook that cannot be executed names the hook" {
	local kind
	for kind in prestart createContainer; do
		config '.hooks = {($kind): [{path: "/nonexistent/hook"}]}' --arg kind $kind
		args true
		runtime create --bundle "$BUNDLE" c
		assert_equal 1 "$status"
		assert_match '/nonexistent/hook.*no such file or directory' "$msg"
		no_such_container c
	done
}

@test "poststop hooks run after every create that fails midway" {
	# shellcheck disable=SC2016
	hook poststop 'echo poststop >>$OUT/log'
	args nope
	runtime create --bundle "$BUNDLE" c
	assert_equal 1 "$status"
	assert_equal 'poststop ' "$(logged)"
}

@test "a poststop hook that fails causes a warning, and the others run" {
	hook poststop 'echo bad luck; exit 3'
	# shellcheck disable=SC2016
	hook poststop 'echo second >>$OUT/log'
	args true
	runtime_ok create --bundle "$BUNDLE" c
	runtime_ok --log "$T/log" delete --force c
	assert_equal 'second ' "$(logged)"
	assert_match 'level=warning msg=.*hooks.poststop\[0\]: .*exit status 3, stdout: .*bad luck' "$(cat "$T/log")"
	no_such_container c
}

# A hook that hangs, in three ways; the pids are in $OUT/pids.
# shellcheck disable=SC2016
hang='sleep 1001 & echo $! >>$OUT/pids; setsid sleep 1002 & echo $! >>$OUT/pids; sleep 1003'

no_sleepers() {
	! pgrep -f '^sleep 100[0-9]$' >/dev/null
}

# bats test_tags=berth
@test "the timeout of a hook ends it with all its processes" {
	local kind
	for kind in prestart createRuntime createContainer; do
		config 'del(.hooks)'
		hook $kind "$hang" '.timeout = 1'
		args true
		runtime create --bundle "$BUNDLE" c
		assert_equal 1 "$status"
		assert_match "hooks.$kind\[0\]: .*timed out after 1s" "$msg"
		no_such_container c
		wait_for 2 no_sleepers || failed "left running: $(pgrep -af '^sleep')"
	done
}

# bats test_tags=berth
@test "the timeout ends a startContainer, poststart or poststop hook" {
	local kind
	for kind in startContainer poststart; do
		config 'del(.hooks)'
		hook $kind "$hang" '.timeout = 1'
		args true
		runtime_ok create --bundle "$BUNDLE" c
		runtime start c
		refused "hooks.$kind\[0\]: .*timed out after 1s"
		wait_for 2 no_sleepers || failed "left running: $(pgrep -af '^sleep')"
		no_such_container c
	done
	config 'del(.hooks)'
	hook poststop "$hang" '.timeout = 1'
	runtime_ok create --bundle "$BUNDLE" c
	runtime_ok delete --force c
	wait_for 2 no_sleepers || failed "left running: $(pgrep -af '^sleep')"
}

# bats test_tags=berth
@test "the runtime does not wait for a daemon that a hook leaves" {
	# shellcheck disable=SC2016
	hook createRuntime 'sleep 1000 & echo $! >$OUT/pid'
	args true
	runtime_ok run --bundle "$BUNDLE" c
	alive "$(hook_output pid)" || failed "the daemon was ended"
	kill "$(hook_output pid)"
}

# bats test_tags=berth
@test "a hook need not read its state" {
	config '.annotations = {big: ("x" * 200000)}'
	hook createRuntime 'exec <&-; sleep 0.1'
	hook createContainer true
	hook startContainer true
	# shellcheck disable=SC2016
	hook poststop 'cat | wc -c >$OUT/log'
	args true
	runtime_ok run --bundle "$BUNDLE" c
	[ "$(cat "$T/seen/log")" -gt 200000 ]
}

@test "a poststart hook can use the runtime on its container" {
	hook poststart "$RUNTIME --root $ROOT state c | jq -r .status >\$OUT/status; $RUNTIME --root $ROOT kill c KILL"
	args sleep 1000
	runtime_ok create --bundle "$BUNDLE" c
	runtime_ok start c
	assert_equal running "$(hook_output status)"
	wait_for 5 has_status c stopped
	runtime_ok delete c
}

# bats test_tags=berth
@test "delete --force of a create that was killed in a hook runs poststop hooks" {
	# shellcheck disable=SC2016
	{
		hook createRuntime 'echo here >$OUT/hung; exec sleep 1009'
		hook poststop 'echo poststop >>$OUT/log'
	}
	args true
	background "$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" c
	wait_for 5 appears "$T/seen/hung"
	kill -KILL "$background_pid"
	wait_for 5 pkill -f '^sleep 1009$'
	runtime_ok delete --force c
	assert_equal 'poststop ' "$(logged)"
	no_such_container c
}
