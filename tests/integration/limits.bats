# Limits of the process, and its session keyring.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
}

@test "every resource limit can be set" {
	# In the order of /proc/PID/limits, below the caller's own limits: create cannot
	# exceed those without CAP_SYS_RESOURCE.
	local limits
	limits=$(cat <<-'END'
		CPU 1000
		FSIZE 1073741824
		DATA 1073741825
		STACK 1048576
		CORE 1001
		RSS 1073741826
		NPROC 1002
		NOFILE 1003
		MEMLOCK 32768
		AS 1073741827
		LOCKS 1004
		SIGPENDING 1005
		MSGQUEUE 10006
		NICE 0
		RTPRIO 0
		RTTIME 1000000
	END
	)
	config '.process.rlimits = ($limits | split("\n") | map(split(" ") | {type: "RLIMIT_\(.[0])", n: .[1] | tonumber})
		| map({type: .type, soft: .n, hard: (if .n == 0 then 0 else .n + 1 end)}))' --arg limits "$limits"
	run_script 'sed 1d /proc/self/limits | cut -c 27-64'
	assert_equal "$(awk '{ print $2, $2 == 0 ? 0 : $2 + 1 }' <<<"$limits")" "$(awk '{ print $1, $2 }' <<<"$out")"
}

@test "the container has a session keyring of its own" {
	config 'del(.linux.maskedPaths)'
	script 'sed "s/.*keyring *//" /proc/keys'
	runtime_ok run --bundle "$BUNDLE" keeper
	assert_match $'(^|\n)_ses\.keeper: ' "$out"
}

# fill_keyring COMMAND...: a container c, in a user namespace, uses up the quota of keys
# of its root. Its IDs are this test's own: all processes with the same ID share one
# quota.
fill_keyring() {
	[ -e /proc/keys ] || skip "the kernel has no keys"
	new_user_namespace "0:$((900000000 + $$ % 10000 * 65536)):65536"
	cp "$PROBE" "$BUNDLE/rootfs/bin/probe"
	args "$@"
	background "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >"$T/keys"
	wait_for 20 grep -q full "$T/keys"
}

# In the caller's session keyring, a container could read the caller's keys.
@test "create refuses a container for which there is no session keyring" {
	fill_keyring /bin/probe fillkeyring 0
	args true
	config --arg path "$CGROUP-other" '.linux.cgroupsPath = $path'
	runtime run --bundle "$BUNDLE" d
	refused 'session keyring: .*disk quota exceeded'
	runtime_ok run --no-new-keyring --bundle "$BUNDLE" d
}

@test "exec refuses a process for which there is no session keyring" {
	fill_keyring /bin/probe leavekeyring /bin/probe fillkeyring
	runtime exec c true
	exec_refused 'session keyring: .*disk quota exceeded'
}

# bats test_tags=berth
@test "create names the remedy when a filter denies keyrings" {
	args true
	status=0
	"$PROBE" deny fail keyctl "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err" || status=$?
	read_output
	refused 'make keyring: join session keyring: keyctl: operation not permitted \(EPERM\) \(.*--no-new-keyring'
	"$PROBE" deny fail keyctl "$RUNTIME" --root "$ROOT" run --no-new-keyring --bundle "$BUNDLE" c </dev/null
}

# Without CAP_SYS_RESOURCE the runtime may not read the limits of another user's process
# (prlimit(2)).
@test "start lowers the limits of a program of another user" {
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 300, hard: 301}] | .process.user.uid = 1000'
	args sh -c 'ulimit -S -n; ulimit -H -n'
	setpriv --bounding-set -sys_resource "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c >"$T/out" </dev/null
	assert_equal $'300\n301' "$(cat "$T/out")"
}

# bats test_tags=berth
@test "start names the capability that a higher limit needs" {
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 300, hard: 301}]'
	args true
	ulimit -n 200
	status=0
	setpriv --bounding-set -sys_resource "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err" || status=$?
	read_output
	refused 'process\.rlimits.*: raise hard limit from 200 to 301: .*needs CAP_SYS_RESOURCE'
}

# Engines run create and start from different processes.
# bats test_tags=berth,host,guest
@test "start raises a limit, whatever the limits of create were" {
	may_raise
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 3000, hard: 3001}] | .process.user.uid = 1000'
	args sleep 1000
	ulimit -n "$(ulimit -H -n)"
	(ulimit -n 2000 && runtime_ok create --bundle "$BUNDLE" c)
	runtime_ok start c
	assert_match '^Max open files +3000 +3001 ' "$(grep 'open files' "/proc/$(init_pid c)/limits")"
}
