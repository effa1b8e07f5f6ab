# linux.seccomp: the system calls that a container may make. With both backends.
# bats file_tags=libseccomp,kernel
load helpers

prepare() {
	new_bundle
	cp "$PROBE" "$BUNDLE/rootfs/bin/probe"
}

# profile DEFAULT [RULE...]: set a profile of rules in JSON. $EXTRA is merged into it.
profile() {
	config '.linux.seccomp = ({defaultAction: $default, architectures: [$arch],
		syscalls: [$ARGS.positional[] | fromjson]} * ($extra | fromjson))' \
		--arg default "SCMP_ACT_$1" --arg arch "SCMP_ARCH_$(uname -m | tr '[:lower:]' '[:upper:]')" --arg extra "${EXTRA:-{\}}" --args -- "${@:2}"
}

# rule ACTION NAME [MORE]: an entry of syscalls.
rule() {
	jq -nc --arg action "SCMP_ACT_$1" --arg name "$2" --argjson more "${3:-{\}}" '{names: [$name], action: $action} + $more'
}

# when INDEX OP VALUE [VALUETWO]: conditions, for rule.
when() {
	printf '{"args": [{"index": %s, "op": "SCMP_CMP_%s", "value": %s, "valueTwo": %s}]}' "$1" "$2" "$3" "${4:-0}"
}

# no_new_privs true|false
no_new_privs() {
	config ".process.noNewPrivileges = $1"
}

# calls CALL...: the results of system calls in the container, on one line.
calls() {
	args /bin/probe calls "$@"
	runtime_ok run --bundle "$BUNDLE" "c$BATS_TEST_NUMBER"
	out=${out//$'\n'/ }
}

# in_force ID: the flags and the actions of the filter of a container's init, as the
# kernel reports them; the kernel reports only SECCOMP_FILTER_FLAG_LOG.
in_force() {
	"$PROBE" filter "$(init_pid "$1")"
}

# The results of an action, for containers of root and of others. Each leaves no
# container.

denies() {
	profile ALLOW "$(rule ERRNO personality)" "$(rule ERRNO getpgid '{"errnoRet": 7}')" "$(rule ERRNO openat2 '{"errnoRet": 0}')"
	local on
	for on in true false; do
		no_new_privs "$on"
		calls personality getpgid openat2
		assert_equal 'personality EPERM getpgid E2BIG openat2 0' "$out"
	done
}

kills() {
	local action
	for action in KILL KILL_THREAD KILL_PROCESS; do
		profile ALLOW "$(rule "$action" mkdir)" "$(rule "$action" mkdirat)"
		args mkdir /tmp/x
		runtime run --bundle "$BUNDLE" c
		assert_equal 159 "$status"
	done
}

traps() {
	profile ALLOW "$(rule TRAP chdir)"
	# The signal can be handled; the shell handles it between two commands.
	config '.process.cwd = "/"'
	run_script 'trap "echo trapped" SYS; cd /bin; echo on'
	assert_equal $'trapped\non' "$out"
}

logs() {
	profile ALLOW "$(rule LOG getppid)"
	calls getppid
	assert_equal 'getppid 0' "$out"
	args sleep 1000
	start_detached c
	assert_match $'flags 0x0\n.*action 0x7ffc0000' "$(in_force c)" # SECCOMP_RET_LOG
	runtime_ok delete --force c
}

# bats test_tags=host,guest,arm64
@test "a denied call returns the errno" {
	denies
}

@test "a filter applies to every user" {
	profile ALLOW "$(rule ERRNO getpgid)"
	local on
	config '.process.user = {uid: 1000, gid: 1000}'
	for on in true false; do
		no_new_privs "$on"
		calls getpgid
		assert_equal 'getpgid EPERM' "$out"
	done
}

@test "the process is in filter mode, and has the capabilities of config.json" {
	profile ALLOW "$(rule ERRNO getpgid)"
	config '.process.capabilities = {bounding: ["CAP_KILL", "CAP_CHOWN"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"]}'
	no_new_privs false
	run_script 'grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status | tr "\n\t" "  "'
	assert_equal 'CapInh: 0000000000000000 CapPrm: 0000000000000021 CapEff: 0000000000000021 CapBnd: 0000000000000021 CapAmb: 0000000000000000 NoNewPrivs: 0 Seccomp: 2 ' "$out"
	config '.process.user.uid = 1000'
	run_script 'grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status | tr "\n\t" "  "'
	assert_equal 'CapInh: 0000000000000000 CapPrm: 0000000000000000 CapEff: 0000000000000000 CapBnd: 0000000000000021 CapAmb: 0000000000000000 NoNewPrivs: 0 Seccomp: 2 ' "$out"
	# The capability that installs the filter does not become ambient by that.
	config '.process.capabilities = (["CAP_SYS_ADMIN"] as $a | {bounding: $a, inheritable: $a, ambient: $a})'
	run_script 'grep -E "^Cap(Prm|Amb)" /proc/self/status | tr "\n\t" "  "'
	assert_equal 'CapPrm: 0000000000000000 CapAmb: 0000000000000000 ' "$out"
	no_new_privs true
	run_script 'grep -E "^(NoNewPrivs|Seccomp:)" /proc/self/status | tr "\n\t" "  "'
	assert_equal 'NoNewPrivs: 1 Seccomp: 2 ' "$out"
}

@test "all 64 bits of an argument are compared" {
	profile ALLOW "$(rule ERRNO personality "$(when 0 EQ 8)")" \
		"$(rule ERRNO getppid "$(when 0 GT 4294967296)")" \
		"$(rule ERRNO getpgid "$(when 0 MASKED_EQ 61440 4096)")"
	calls personality,8 getppid,4294967296 getppid,4294967297 getpgid,0x1fff getpgid,0x3fff
	assert_equal 'personality,8 EPERM getppid,4294967296 0 getppid,4294967297 EPERM getpgid,0x1fff EPERM getpgid,0x3fff ESRCH' "$out"
}

@test "two conditions on one argument are alternatives" {
	profile ALLOW "$(rule ERRNO getppid '{"args": [{"index": 0, "op": "SCMP_CMP_EQ", "value": 3}, {"index": 0, "op": "SCMP_CMP_EQ", "value": 5}]}')"
	calls getppid,3 getppid,4 getppid,5
	assert_equal 'getppid,3 EPERM getppid,4 0 getppid,5 EPERM' "$out"
}

@test "two conditions on two arguments must both match" {
	profile ALLOW "$(rule ERRNO getppid '{"args": [{"index": 0, "op": "SCMP_CMP_EQ", "value": 3}, {"index": 1, "op": "SCMP_CMP_NE", "value": 5}]}')" \
		"$(rule ERRNO getpgid '{"args": [{"index": 0, "op": "SCMP_CMP_EQ", "value": 999999}, {"index": 1, "op": "SCMP_CMP_EQ", "value": 5}]}')"
	calls getppid,3 getppid,4 getpgid,999999
	assert_equal 'getppid,3 EPERM getppid,4 0 getpgid,999999 ESRCH' "$out"
}

# bats test_tags=host,guest
@test "a call that kills ends the process by SIGSYS" {
	kills
}

# bats test_tags=host,guest
@test "a call that traps sends SIGSYS" {
	traps
}

@test "a traced call fails without a tracer" {
	profile ALLOW "$(rule TRACE getppid)"
	calls getppid
	assert_equal 'getppid ENOSYS' "$out"
}

# bats test_tags=host,guest
@test "a logged call succeeds" {
	logs
}

@test "calls newer than the profile return ENOSYS" {
	# Podman's profile lists the calls that the probe needs.
	local names
	names=$(jq -c '[.syscalls[] | select(.action == "SCMP_ACT_ALLOW" and .args == null).names[]] - ["getppid", "faccessat2"]' "$BATS_TEST_DIRNAME/../../seccomp/testdata/podman.json")
	profile ERRNO "{\"names\": $names, \"action\": \"SCMP_ACT_ALLOW\"}"
	calls getppid future
	assert_equal 'getppid EPERM future ENOSYS' "$out"
	config '.linux.seccomp.defaultErrnoRet = 7'
	calls getppid future
	assert_equal 'getppid E2BIG future ENOSYS' "$out"
	# A call that is older than the newest known one is denied.
	profile ERRNO "{\"names\": $(jq -c '. + ["futex_waitv"]' <<<"$names"), \"action\": \"SCMP_ACT_ALLOW\"}"
	calls faccessat2
	assert_equal 'faccessat2 EPERM' "$out"
}

# bats test_tags=arm64
@test "create accepts the default profile of Docker" {
	config '.linux.seccomp = $p[0]' --slurpfile p "$BATS_TEST_DIRNAME/../../seccomp/testdata/docker.json"
	calls getppid future
	assert_equal 'getppid 0 future ENOSYS' "$out"
	config '.process.capabilities = {bounding: ["CAP_SYS_ADMIN"], permitted: ["CAP_SYS_ADMIN"], effective: ["CAP_SYS_ADMIN"]}'
	run_script 'mkdir /tmp/x 2>/dev/null; mount -t tmpfs x /tmp 2>&1 || true; ls /bin/sh'
	assert_match '^mount: permission denied' "$out"
	assert_match '/bin/sh$' "$out"
}

@test "create leaves out unknown names of calls" {
	profile ALLOW "$(rule ERRNO no_such_call)" "$(rule ERRNO getppid)"
	calls getppid
	assert_equal 'getppid EPERM' "$out"
}

# bats test_tags=host,guest
@test "create accepts the flags of the specification" {
	EXTRA='{"flags": ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]}' \
		profile ALLOW "$(rule ERRNO getppid)"
	calls getppid
	assert_equal 'getppid EPERM' "$out"
	args sleep 1000
	start_detached c
	assert_match '^flags 0x2' "$(in_force c)"
}

@test "exec is filtered as well" {
	profile ALLOW "$(rule ERRNO getppid)"
	args sleep 1000
	start_detached c
	local more
	for more in "" --no-new-privs; do
		# shellcheck disable=SC2086 # none, or one
		runtime_ok exec $more c /bin/probe calls getppid
		assert_equal 'getppid EPERM' "$out"
	done
	runtime_ok exec --user 1000 c sh -c 'grep -E "^(CapPrm|Seccomp:)" /proc/self/status | tr "\n\t" "  "'
	assert_equal 'CapPrm: 0000000000000000 Seccomp: 2 ' "$out"
}

# bats test_tags=berth
@test "a startContainer hook is filtered" {
	profile ALLOW "$(rule ERRNO getppid)"
	mkdir -m 777 "$T/seen"
	config '.mounts += [{destination: "/out", type: "bind", source: $out, options: ["bind"]}]
		| .hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "/bin/probe calls getppid >/out/hook"]}]' --arg out "$T/seen"
	args true
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal 'getppid EPERM' "$(cat "$T/seen/hook")"
}

# bats test_tags=berth
@test "a filter may allow nothing but execve" {
	local on
	for on in true false; do
		no_new_privs "$on"
		# And the calls of the program, which do not include read or sendto.
		profile KILL_PROCESS '{"names": ["execve", "brk", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "readlink",
			"readlinkat", "getrandom", "mprotect", "fstat", "newfstatat", "getuid", "write", "prctl", "exit_group"], "action": "SCMP_ACT_ALLOW"}'
		args echo hello
		runtime_ok run --bundle "$BUNDLE" c
		assert_equal hello "$out"
		profile KILL_PROCESS "$(rule ALLOW execve)"
		runtime run --bundle "$BUNDLE" c
		assert_equal 159 "$status" # the program's own first call
	done
}

# bats test_tags=berth
@test "start reports that the filter denies execve" {
	profile ALLOW "$(rule ERRNO execve '{"errnoRet": 13}')"
	args true
	runtime_ok create --bundle "$BUNDLE" c
	runtime start c
	refused 'start .c.: execute program: exec "/bin/true": permission denied$'
	profile ALLOW "$(rule ERRNO execve)"
	runtime run --bundle "$BUNDLE" d
	refused 'exec "/bin/true": operation not permitted \(linux.seccomp must allow execve\)$'
}

# libseccomp's maximum, on three architectures.
@test "create accepts a profile of four thousand rules on one argument" {
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
		syscalls: [range(4000) | {names: ["getppid"], action: "SCMP_ACT_ERRNO", args: [{index: 0, op: "SCMP_CMP_EQ", value: (. * 17 + 8)}]}]}'
	calls getppid,7 getppid,8 getppid,67991 getppid,67992 getppid,4294967304
	assert_equal 'getppid,7 0 getppid,8 EPERM getppid,67991 EPERM getppid,67992 0 getppid,4294967304 0' "$out"
}

# bats test_tags=berth
@test "create reports a profile that is too long" {
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [range(4500) | {names: ["read"], action: "SCMP_ACT_ERRNO",
		args: [{index: 0, op: "SCMP_CMP_EQ", value: (. * 3 + 100)}]}]}'
	args true
	runtime create --bundle "$BUNDLE" c
	refused 'compile filter: linux\.seccomp\.syscalls: the filter has [0-9]* instructions, and the kernel takes 4096'
}

# bats test_tags=berth
@test "create names the invalid field of a profile" {
	args true
	profile ALLOW "$(rule ERRNO getppid "$(when 6 EQ 0)")"
	runtime create --bundle "$BUNDLE" c
	refused 'linux\.seccomp\.syscalls\[0\]\.args\[0\]\.index: 6: a system call has arguments 0 to 5'
	profile ALOW
	runtime create --bundle "$BUNDLE" c
	refused 'linux\.seccomp\.defaultAction: unknown action "SCMP_ACT_ALOW"; did you mean "SCMP_ACT_ALLOW"?'
}

# agent: answer getppid with 4242 for the containers of this test.
agent() {
	background "$PROBE" agent "$T/agent" "$T"
	wait_for 5 [ -S "$T/agent" ]
	EXTRA=$(jq -nc --arg path "$T/agent" '{listenerPath: $path, listenerMetadata: "a=b"}')
}

# bats test_tags=host,guest,arm64
@test "an agent answers the calls of a container" {
	local on
	agent
	profile ALLOW "$(rule NOTIFY getppid)"
	for on in true false; do
		no_new_privs "$on"
		calls getppid getpgid
		assert_equal 'getppid 4242 getpgid ESRCH' "$out"
	done
}

@test "an agent gets the state of the container" {
	agent
	profile ALLOW "$(rule NOTIFY getppid)"
	config '.annotations = {"a": "b"}'
	args sleep 1000
	start_detached c
	wait_for 5 appears "$T/state.1"
	local want pid
	pid=$(init_pid c)
	want=$(jq -ncS --argjson pid "$pid" --arg bundle "$BUNDLE" '{fds: ["seccompFd"], metadata: "a=b", pid: $pid,
		state: {annotations: {a: "b"}, bundle: $bundle, id: "c", pid: $pid, status: "creating"}}')
	assert_equal "$want" "$(jq -cS 'del(.ociVersion, .state.ociVersion) | .state.annotations |= {a}' "$T/state.1")"
	runtime_ok exec c /bin/probe calls getppid
	assert_equal 'getppid 4242' "$out"
	wait_for 5 appears "$T/state.2"
	assert_equal "$(jq -c --argjson pid "$pid" '["running", $pid, true]' <<<null)" \
		"$(jq -c --argjson pid "$pid" '[.state.status, .state.pid, .pid != $pid]' "$T/state.2")"
}

# bats test_tags=berth
@test "an agent gets the listener of a startContainer hook" {
	agent
	profile ALLOW "$(rule NOTIFY getppid)"
	mkdir -m 777 "$T/seen"
	config '.mounts += [{destination: "/out", type: "bind", source: $out, options: ["bind"]}]
		| .hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "/bin/probe calls getppid >/out/hook"]}]' --arg out "$T/seen"
	args sleep 1000
	start_detached c
	assert_equal 'getppid 4242' "$(cat "$T/seen/hook")"
	wait_for 5 appears "$T/state.1"
	assert_equal "$(jq -c --argjson pid "$(init_pid c)" '["created", $pid, true]' <<<null)" \
		"$(jq -c --argjson pid "$(init_pid c)" '[.state.status, .state.pid, .pid != $pid]' "$T/state.1")"
}

# bats test_tags=berth
@test "an agent can answer every call of a container" {
	agent
	profile NOTIFY
	calls getppid getpgid
	assert_equal 'getppid 4242 getpgid ESRCH' "$out"
}

# bats test_tags=berth
@test "create sets the flags of a listener" {
	agent
	EXTRA=$(jq -c '.flags = ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]' <<<"$EXTRA") \
		profile ALLOW "$(rule NOTIFY getppid)"
	calls getppid
	assert_equal 'getppid 4242' "$out"
	args sleep 1000
	start_detached c
	assert_match '^flags 0x2' "$(in_force c)"
}

# bats test_tags=berth
@test "create reports a listener without an agent" {
	args true
	profile ALLOW "$(rule NOTIFY getppid)"
	runtime create --bundle "$BUNDLE" c
	refused 'linux\.seccomp\.listenerPath: missing: SCMP_ACT_NOTIFY wants a socket'
	EXTRA='{"listenerPath": "/nowhere"}' profile ALLOW "$(rule NOTIFY getppid)"
	runtime create --bundle "$BUNDLE" c
	refused 'compile filter: linux\.seccomp\.listenerPath: "/nowhere": no such file or directory'
	agent
	profile ALLOW "$(rule NOTIFY getppid)"
	runtime_ok create --bundle "$BUNDLE" c
	stop_background
	runtime start c
	refused 'install filter: linux\.seccomp\.listenerPath: ".*/agent": connection refused \(is the seccomp agent running\?\)$'
	wait_for 5 has_status c stopped
}

# bats test_tags=berth
@test "start reports that it cannot fetch the listener" {
	args true
	agent
	profile ALLOW "$(rule NOTIFY getppid)"
	runtime_ok create --bundle "$BUNDLE" c
	status=0
	"$PROBE" deny lack pidfd_getfd "$RUNTIME" --root "$ROOT" start c </dev/null >"$T/out" 2>"$T/err" 3>&- || status=$?
	read_output
	refused 'linux\.seccomp: pidfd_getfd: function not implemented'
	wait_for 5 has_status c stopped
}

# bats test_tags=berth
@test "features describes the seccomp support" {
	runtime_ok features
	assert_equal '[true,9,7,23,4]' "$(jq -c '.linux.seccomp | [.enabled, (.actions, .operators, .archs, .knownFlags | length)]' <<<"$out")"
	assert_match TSYNC "$(jq -c .linux.seccomp.supportedFlags <<<"$out")"
}

@test "calls are filtered in a user namespace" {
	new_user_namespace
	profile ALLOW "$(rule ERRNO getpgid)"
	local on
	for on in true false; do
		no_new_privs "$on"
		calls getpgid
		assert_equal 'getpgid EPERM' "$out"
	done
}

# rootless: this test's bundle and the agent belong to an unprivileged user.
rootless() {
	rootless_user
	BUNDLE=$T/users
	rootless_bundle
	cp "$PROBE" "$BUNDLE/rootfs/bin/probe"
}

# bats test_tags=host,guest
@test "rootless: a filter denies, kills, traps and logs calls" {
	rootless
	denies
	no_new_privs true
	kills
	traps
	logs
}

# bats test_tags=berth,libseccomp
@test "rootless: an agent answers the calls of a container, and of a user of the range" {
	rootless
	grant_range
	background "$USER_DIR/bin/as-user" "$PROBE" agent "$USER_DIR/run/agent" "$USER_DIR/run"
	wait_for 5 [ -S "$USER_DIR/run/agent" ]
	EXTRA=$(jq -nc --arg path "$USER_DIR/run/agent" '{listenerPath: $path}') profile ALLOW "$(rule NOTIFY getppid)"
	local uid on
	for uid in 0 1000; do
		for on in true false; do
			config ".process.user.uid = $uid"
			no_new_privs "$on"
			calls getppid
			assert_equal 'getppid 4242' "$out"
		done
	done
	args sleep 1000
	start_detached c
	runtime_ok exec --user 1000 c /bin/probe calls getppid
	assert_equal 'getppid 4242' "$out"
}
