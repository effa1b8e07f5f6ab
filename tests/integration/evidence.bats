# Success needs evidence: a process that dies before it has executed the program is an
# error, one that ends right after is not. Only berth can distinguish them.
# bats file_tags=v2,kernel
load helpers

prepare() {
	new_bundle
}

# killed_at_execve PATH ARG...: run the runtime, and kill the process that
# executes the program in that execve(2).
killed_at_execve() {
	local program=$1
	shift
	status=0
	strace -f -o "$T/strace" -P "$program" -e trace=execve -e inject=execve:signal=KILL \
		"$RUNTIME" --root "$ROOT" "$@" </dev/null >"$T/out" 2>"$T/err" 3>&- || status=$?
	sed -i '/^strace: /d' "$T/err" # strace reports that /bin is a link
	read_output
}

# bats test_tags=berth
@test "start reports a process that is killed in execve" {
	args sleep 1000
	runtime_ok create --bundle "$BUNDLE" c
	background strace -o "$T/strace" -p "$(init_pid c)" -e trace=execve -e inject=execve:signal=KILL
	wait_for 10 traced "$(init_pid c)"
	runtime start c
	refused 'execute program: exec "/bin/sleep": execve: container process ended unexpectedly: killed by SIGKILL$'
	has_status c stopped
}

traced() {
	grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/$1/status"
}

# bats test_tags=berth
@test "run reports a process that is killed in execve" {
	args sleep 1000
	killed_at_execve /bin/sleep run --bundle "$BUNDLE" c
	refused 'execute program: .*container process ended unexpectedly: killed by SIGKILL$'
	killed_at_execve /bin/sleep run --detach --bundle "$BUNDLE" c
	refused 'execute program: .*container process ended unexpectedly: killed by SIGKILL$'
	no_state_left
	no_cgroup_left
}

# bats test_tags=berth
@test "exec reports a process that is killed in execve" {
	args sleep 1000
	start_detached c
	local flag
	for flag in --detach --no-new-privs; do
		killed_at_execve /bin/true exec $flag c true
		assert_equal 255 "$status"
		assert_match 'exec "/bin/true": execve: container process ended unexpectedly: killed by SIGKILL$' "$msg"
	done
}

# bats test_tags=berth
@test "a hook in the container that is killed in execve fails" {
	local kind
	args sleep 1000
	for kind in createContainer startContainer; do
		config '.hooks = {($kind): [{path: "/bin/true"}]}' --arg kind "$kind"
		killed_at_execve /bin/true run --bundle "$BUNDLE" c
		refused "hooks\.$kind\[0\]: \"/bin/true\": execute hook: execve: container process ended unexpectedly: killed by SIGKILL\$"
		no_state_left
	done
}

# bats test_tags=berth
@test "start reports a filter that kills its execve" {
	args true
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["execve"], action: "SCMP_ACT_KILL_PROCESS"}]}'
	runtime run --bundle "$BUNDLE" c
	refused 'killed by SIGSYS \(the seccomp filter must allow execve\)$'
	runtime_ok create --bundle "$BUNDLE" c
	runtime start c
	[ "$status" != 0 ] || linux_since 6.15 || skip "the reaper was faster, and Linux before 6.15 has no record of the status"
	refused 'killed by SIGSYS \(the seccomp filter must allow execve\)$'
	runtime_ok delete c
}

# linux_since VERSION: whether this kernel has it.
linux_since() { printf '%s\n' "$1" "$(uname -r)" | sort --check=quiet --version-sort; }

# bats test_tags=berth
@test "create reports a stub that cannot wait for start" {
	args true
	status=0
	strace -f -o "$T/strace" -e trace=accept4 -e inject=accept4:error=ENFILE \
		"$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err" 3>&- || status=$?
	read_output
	refused 'detach stub: accept4: too many open files in system \(ENFILE\)$'
	no_state_left
	no_cgroup_left
}

@test "start and run report no error for programs that end at once, however they end" {
	local i signal
	script 'exit 0'
	for i in {1..10}; do
		runtime_ok create --bundle "$BUNDLE" c
		runtime_ok start c
		runtime_ok delete --force c
	done
	for signal in KILL SYS SEGV; do
		script "kill -$signal \$\$; exec sleep 1000"
		config 'del(.linux.namespaces[] | select(.type == "pid"))'
		runtime_ok run --detach --bundle "$BUNDLE" c
		wait_for 5 has_status c stopped
		runtime_ok delete c
	done
	script 'exit 125'
	runtime run --bundle "$BUNDLE" c
	assert_equal 125 "$status"
	assert_equal "" "$err"
}
