# Executing processes in a container that exists.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	args sleep 1000
}

@test "exec runs a command and passes its output and exit code on" {
	exec_in c sh -c 'echo out; echo err >&2; exit 7'
	assert_equal 7 "$status"
	assert_equal out "$out"
	assert_equal err "$err"
}

@test "exec passes its standard input on" {
	echo typed >"$T/in"
	RUNTIME_STDIN=$T/in exec_in_ok c cat
	assert_equal typed "$out"
}

@test "exec ends with its program although nobody reads the program's output" {
	exec_in_ok c true
	unread "$T/unread"
	status=0
	"$RUNTIME" --root "$ROOT" exec c sh -c 'trap "" PIPE; echo one; exit 7' </dev/null 1>&"$unread" 2>"$T/err" || status=$?
	assert_equal 7 "$status"
	refute_match level= "$(cat "$T/err")"
}

@test "exec sends no SIGPIPE to a program that closes its input" {
	exec_in_ok c true
	# shellcheck disable=SC2016 # for the program
	"$RUNTIME" --root "$ROOT" exec c sh -c '
		exec <&-
		i=0
		while [ $i -lt 300000 ]; do i=$((i + 1)); done
		echo done' </dev/zero >"$T/out" 2>"$T/err"
	assert_equal "done" "$(cat "$T/out")"
}

@test "exec exits with 128 and the signal's number when a signal kills the process" {
	exec_in c sh -c 'kill -KILL $$'
	assert_equal 137 "$status"
}

@test "arguments after the ID belong to the process" {
	exec_in_ok c sh -c 'echo "$@"' sh --tty -d -- --env x
	assert_equal '--tty -d -- --env x' "$out"
}

@test "exec drops two dashes after the ID" {
	exec_in_ok c -- echo -n hello
	assert_equal hello "$out"
}

# bats test_tags=arm64
@test "exec enters all of the container's namespaces" {
	exec_in_ok c sh -c 'cd /proc/self/ns; for n in *; do case $n in *_for_*) ;; *) readlink $n;; esac; done'
	local pid ns
	pid=$(init_pid c)
	for ns in cgroup ipc mnt net pid user uts; do
		assert_match "$ns:$(readlink "/proc/$pid/ns/$ns" | cut -d : -f 2 | tr '[]' '..')" "$out"
	done
	exec_in_ok c sh -c 'echo $(ls /); sleep 0 & echo $!; ps | grep -c "sleep 1000"'
	assert_match 'bin dev etc' "$out"
}

@test "exec enters the container's cgroups" {
	exec_in_ok c sh -c 'cat /proc/1/cgroup; echo; cat /proc/self/cgroup'
	assert_equal "${out%%$'\n\n'*}" "${out##*$'\n\n'}"
	assert_match "$CGROUP" "$(grep -E ':(pids|memory|):' "/proc/$(init_pid c)/cgroup")"
}

@test "exec enters the container's cgroup on v2" {
	config 'del(.linux.namespaces[] | select(.type == "cgroup"))'
	in_view v2 "$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/out" 2>&1
	in_view v2 "$RUNTIME" --root "$ROOT" exec c cat /proc/self/cgroup </dev/null >"$T/out"
	has_line "$T/out" "0::$CGROUP"
	in_view v2 "$RUNTIME" --root "$ROOT" delete --force c
}

@test "exec takes environment, directory, user and groups from the container" {
	config '.process.env += ["OF=container"] | .process.cwd = "/home" | .process.user = {uid: 1000, gid: 100, additionalGids: [5]}'
	exec_in_ok c sh -c 'echo $OF; pwd; id -u; id -g; id -G; echo $HOME; umask'
	assert_equal $'container\n/home\n1000\n100\n100 5\n/home/user\n0022' "$out"
}

@test "the flags of exec replace environment, directory, user and groups" {
	config '.process.env += ["OF=container"] | .process.user.additionalGids = [5]'
	exec_in_ok --cwd /tmp --user 1000:7 -g 8 -g 9 -e OF=flag,with,commas -e NEW=1 -e NEW=2 c sh -c 'echo $OF $NEW; pwd; id -u; id -g; id -G; echo $HOME'
	assert_equal $'flag,with,commas 2\n/tmp\n1000\n7\n7 5 8 9\n/home/user' "$out"
}

@test "the user of the process can reopen its standard files" {
	runtime_ok run -d --bundle "$BUNDLE" c
	runtime_ok exec --user 1000:1000 c sh -c 'echo out >/dev/stdout; echo err >/dev/stderr'
	assert_equal $'out\nerr' "$out"$'\n'"$err"
	RUNTIME_STDIN=$T/in
	echo in >"$RUNTIME_STDIN"
	runtime_ok exec --detach --user 1000:1000 c sh -c 'cat /dev/stdin >/dev/stdout'
	wait_for 5 has_line "$T/out" in
}

@test "exec --user without a group keeps the container's group" {
	config '.process.user.gid = 9'
	exec_in_ok --user 1000 c id -g
	assert_equal 9 "$out"
}

@test "exec refuses flags with invalid values" {
	exec_in --user root c true
	exec_refused 'bad uid'
	exec_in --user 0:wheel c true
	exec_refused 'bad gid'
	exec_in --env NOVALUE c true
	exec_refused 'NOVALUE|missing .=.'
	exec_in --cwd relative c true
	exec_refused 'Cwd|cwd'
	exec_in --cwd /nope c true
	exec_refused 'no such file or directory'
	exec_in c
	exec_refused 'args cannot be empty'
}

@test "usage errors of exec exit with 1" {
	runtime exec
	assert_equal 1 "$status"
	runtime exec --nope c true
	assert_equal 1 "$status"
}

@test "exec reports a program that cannot be executed as engines expect" {
	exec_in c nope
	exec_refused 'exec: "nope": executable file not found in \$PATH|exec "nope": executable file not found in \$PATH'
	exec_in c /nope
	exec_refused 'no such file or directory'
	exec_in c /etc/passwd
	exec_refused 'permission denied'
	exec_in c /etc
	exec_refused 'is a directory|permission denied'
}

@test "exec reports a program of an invalid format as its own error" {
	config '.root.readonly = false'
	exec_in_ok c sh -c 'echo garbage >/tmp/bad; chmod +x /tmp/bad; printf "#!/nope\n" >/tmp/lost; chmod +x /tmp/lost'
	exec_in c /tmp/bad
	exec_refused 'exec format error'
	exec_in c /tmp/lost
	exec_refused 'no such file or directory'
	no_orphan_of_exec
}

# no_orphan_of_exec: only init is in the container's cgroup.
no_orphan_of_exec() {
	assert_equal "$(init_pid c)" "$(cat "$(cgroup_dirs "$CGROUP" | head -n 1)/cgroup.procs")"
}

@test "exec --cap adds to bounding, effective and permitted" {
	config '.process.capabilities = {bounding: ["CAP_CHOWN"], effective: ["CAP_CHOWN"], permitted: ["CAP_CHOWN"]}'
	exec_in_ok --cap CAP_KILL c grep Cap /proc/self/status
	assert_equal $'CapInh:\t0000000000000000\nCapPrm:\t0000000000000021\nCapEff:\t0000000000000021\nCapBnd:\t0000000000000021\nCapAmb:\t0000000000000000' "$out"
}

@test "exec --cap ignores an unknown capability" {
	config '.process.capabilities = {bounding: ["CAP_CHOWN"], effective: ["CAP_CHOWN"], permitted: ["CAP_CHOWN"]}'
	exec_in_ok --cap CAP_NOSUCH --cap CAP_KILL c grep CapEff /proc/self/status
	assert_equal $'CapEff:\t0000000000000021' "$out"
}

# bats test_tags=berth
@test "exec --cap warns of an unknown capability" {
	exec_in_ok --cap net_admin c true
	assert_match 'level=warning msg="--cap: unknown capability .*net_admin.* is ignored; did you mean .*CAP_NET_ADMIN' "$err"
}

@test "exec sets no_new_privs with --no-new-privs only" {
	config '.process.noNewPrivileges = false'
	exec_in_ok c grep NoNewPrivs /proc/self/status
	assert_equal $'NoNewPrivs:\t0' "$out"
	exec_in_ok --no-new-privs c grep NoNewPrivs /proc/self/status
	assert_equal $'NoNewPrivs:\t1' "$out"
}

@test "exec works in a created container that was not started" {
	runtime_ok create --bundle "$BUNDLE" c
	exec_in_ok c sh -c 'ls /; hostname'
	assert_match 'bin' "$out"
	runtime_ok start c
	has_status c running
}

@test "exec refuses a stopped container" {
	args true
	runtime_ok run -d --bundle "$BUNDLE" c
	wait_for 5 has_status c stopped
	runtime exec c true
	exec_refused 'cannot exec in a stopped container'
}

@test "exec refuses a container that does not exist" {
	runtime exec c true
	exec_refused 'container does not exist'
}

@test "exec --detach returns when the process runs" {
	exec_in_ok --detach --pid-file "$T/pid" c sleep 999
	local pid
	pid=$(<"$T/pid")
	assert_equal "$pid" "$(tr -dc 0-9 <"$T/pid")"
	assert_equal 'sleep 999 ' "$(tr '\0' ' ' <"/proc/$pid/cmdline")"
	kill -KILL "$pid"
	wait_for 5 dead "$pid"
}

@test "exec writes the pid file in the foreground as well" {
	exec_in_ok --pid-file "$T/pid" c true
	[ -s "$T/pid" ]
}

@test "exec passes signals on" {
	runtime_ok run -d --bundle "$BUNDLE" c
	background "$RUNTIME" --root "$ROOT" exec c sh -c 'trap "echo got it; exit 3" TERM; echo ready; while :; do sleep 0.05; done' >"$T/printed"
	wait_for 5 has_line "$T/printed" ready
	kill -TERM "$background_pid"
	local code=0
	wait "$background_pid" || code=$?
	assert_equal 3 "$code"
	has_line "$T/printed" 'got it'
}

@test "exec --preserve-fds passes that many descriptors on, and closes the others" {
	runtime_ok run -d --bundle "$BUNDLE" c
	echo three >"$T/three"
	echo four >"$T/four"
	out=$("$RUNTIME" --root "$ROOT" exec --preserve-fds 2 c sh -c 'cat <&3; cat <&4; ls /proc/self/fd' \
		3<"$T/three" 4<"$T/four" 5</dev/null)
	# ls opens the last one.
	assert_equal $'three\nfour\n0\n1\n2\n3\n4\n5' "$out"
	status=0
	"$RUNTIME" --root "$ROOT" exec --preserve-fds 3 c true 3<"$T/three" 4<"$T/four" 5<&- || status=$?
	assert_equal 255 "$status"
}

@test "the process of exec leads a session" {
	exec_in_ok c sh -c 'cut -d " " -f 6 /proc/$$/stat; echo $$'
	assert_equal "${out%%$'\n'*}" "${out##*$'\n'}"
}

@test "exec works in a user namespace" {
	config '.root.readonly = false'
	new_user_namespace 0:100000:65536
	exec_in_ok c sh -c 'id -u; grep Uid /proc/self/status; cat /proc/self/uid_map; touch /tmp/x && stat -c %u /tmp/x'
	assert_match '^0.*100000 +65536.*0$' "$(squeezed "$out" | tr '\n' ' ' | sed 's/ $//')"
	exec_in_ok --user 1000:1000 c id -u
	assert_equal 1000 "$out"
}

@test "exec works in a container that shares the host's pid namespace" {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	exec_in_ok c sh -c 'readlink /proc/self/ns/pid'
	assert_equal "$(readlink /proc/self/ns/pid)" "$out"
}

@test "exec works in a container with joined namespaces" {
	holder --pid --ipc --net
	config '(.linux.namespaces[] | select(.type == "pid" or .type == "ipc")) |= (.path = "/proc/\($pid)/ns/\(.type)")' --arg pid "$holder"
	exec_in_ok c sh -c 'readlink /proc/self/ns/ipc; ps | grep -c "sleep 1000"'
	assert_match "$(readlink "/proc/$holder/ns/ipc" | tr '[]' '..')" "$out"
}

# bats test_tags=arm64
@test "exec sends the terminal to the console socket" {
	background "$PROBE" recvtty "$T/tty.sock" "$T"
	wait_for 5 test -S "$T/tty.sock"
	exec_in_ok -d -t --console-socket "$T/tty.sock" c sh -c 'tty; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all three; echo controlling >/dev/tty'
	wait_for 5 grep -q 'all three' "$T/output"
	wait_for 5 grep -q '/dev/pts/0' "$T/output"
	wait_for 5 grep -q 'controlling' "$T/output"
	assert_equal 1 "$(cat "$T/descriptors")"
}

@test "exec --detach --tty needs a console socket" {
	exec_in -d -t c true
	exec_refused 'cannot allocate tty if [a-z]+ will detach without setting console socket'
	exec_in --console-socket "$T/tty.sock" c true
	exec_refused 'cannot use console socket'
}

@test "exec refuses a leaked directory of the host" {
	# CVE-2024-21626
	local fd
	runtime_ok run -d --bundle "$BUNDLE" c
	for fd in $(seq 3 16); do
		runtime exec --cwd "/proc/self/fd/$fd" c cat /etc/passwd 7</
		assert_equal 255 "$status"
	done
}

@test "exec --cgroup names a cgroup below the container's" {
	runtime_ok run -d --bundle "$BUNDLE" c
	local dir file
	for dir in $(cgroup_dirs "$CGROUP"); do
		mkdir "$dir/sub"
		# A v1 cpuset has no CPUs until they are written.
		for file in "$dir"/cpuset.{cpus,mems}; do
			[ ! -e "$file" ] || cat "$file" >"$dir/sub/${file##*/}"
		done
	done
	# Without a cgroup namespace the container sees the host's path.
	exec_in_ok --detach --pid-file "$T/pid" --cgroup sub c sleep 999
	assert_equal "$(cgroup_dirs "$CGROUP" | wc -l)" "$(grep -c ":$CGROUP/sub\$" "/proc/$(<"$T/pid")/cgroup")"
	kill -KILL "$(<"$T/pid")"
	wait_for 5 dead "$(<"$T/pid")"
	exec_in --cgroup ../sub c true
	exec_refused 'sub cgroup path'
	exec_in --cgroup nope c true
	exec_refused 'no such file or directory'
}

@test "exec --cgroup can name a cgroup for some controllers" {
	[ -d /sys/fs/cgroup/pids ] || skip "needs cgroup v1"
	runtime_ok run -d --bundle "$BUNDLE" c
	mkdir "/sys/fs/cgroup/pids$CGROUP/sub" "/sys/fs/cgroup/memory$CGROUP/sub"
	exec_in_ok --detach --pid-file "$T/pid" --cgroup pids,memory:sub c sleep 999
	grep -q ":pids:$CGROUP/sub\$" "/proc/$(<"$T/pid")/cgroup"
	grep -q ":memory:$CGROUP/sub\$" "/proc/$(<"$T/pid")/cgroup"
	grep -q ":freezer:$CGROUP\$" "/proc/$(<"$T/pid")/cgroup"
	kill -KILL "$(<"$T/pid")"
	wait_for 5 dead "$(<"$T/pid")"
	exec_in --cgroup pids:sub --cgroup sub c true
	exec_refused 'missing.*controller.*prefix|no .*controller.*prefix'
	exec_in --cgroup pids:sub --cgroup pids:sub c true
	exec_refused 'multiple times'
	exec_in --cgroup nope:sub c true
	exec_refused 'unknown controller'
}

@test "on v2, exec uses the cgroup of init when the container's accepts no processes" {
	grep -q hugetlb /sys/fs/cgroup/{,unified/}cgroup.controllers 2>/dev/null || skip "no v2 controller that is not a threaded one"
	in_view v2 "$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/out" 2>&1
	local dir=/sys/fs/cgroup/unified
	[ -d "$dir" ] || dir=/sys/fs/cgroup
	echo +hugetlb >"$dir/cgroup.subtree_control"
	echo +hugetlb >"$dir$CGROUP_PARENT/cgroup.subtree_control"
	mkdir "$dir$CGROUP/below" "$dir$CGROUP/empty"
	init_pid c >"$dir$CGROUP/below/cgroup.procs"
	echo +hugetlb >"$dir$CGROUP/cgroup.subtree_control"
	in_view v2 "$RUNTIME" --root "$ROOT" exec -d --pid-file "$T/pid" c sleep 999 </dev/null >"$T/out" 2>&1
	grep -qx "0::$CGROUP/below" "/proc/$(<"$T/pid")/cgroup"
	# But not when --cgroup names one.
	status=0
	in_view v2 "$RUNTIME" --root "$ROOT" exec --cgroup / c true </dev/null >"$T/out" 2>"$T/err" || status=$?
	assert_equal 255 "$status"
	in_view v2 "$RUNTIME" --root "$ROOT" exec --cgroup empty c grep -q . /proc/self/cgroup
	in_view v2 "$RUNTIME" --root "$ROOT" delete --force c
	echo -hugetlb >"$dir$CGROUP_PARENT/cgroup.subtree_control"
}

@test "exec refuses a paused container without --ignore-paused" {
	runtime_ok run -d --bundle "$BUNDLE" c
	runtime_ok pause c
	exec_in c true
	exec_refused 'cannot exec in a paused container'
	background "$RUNTIME" --root "$ROOT" exec --ignore-paused c echo later >"$T/printed"
	# exec waits for the thaw when the cgroup has two processes.
	wait_for 5 two_processes
	[ ! -s "$T/printed" ]
	runtime_ok resume c
	wait_for 5 has_line "$T/printed" later
}

two_processes() {
	[ "$(wc -l <"$(cgroup_dirs "$CGROUP" | head -n 1)/cgroup.procs")" = 2 ]
}

# Since runc 1.2.
# bats test_tags=berth
@test "exec sends a pidfd of the process to --pidfd-socket" {
	runtime_ok run -d --bundle "$BUNDLE" c
	background "$PROBE" recvpidfd "$T/pidfd.sock" "$T"
	wait_for 5 test -S "$T/pidfd.sock"
	exec_in_ok --detach --pid-file "$T/pid" --pidfd-socket "$T/pidfd.sock" c sleep 999
	wait_for 5 appears "$T/pidfd"
	assert_equal "setns $(<"$T/pid")" "$(<"$T/pidfd")"
	exec_in --pidfd-socket "$T/nobody" c true
	exec_refused "$T/nobody.*no such file or directory"
}

# Since runc 1.2.
# bats test_tags=berth
@test "exec uses the scheduling of the container unless the process has its own" {
	config '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6} | .process.scheduler = {policy: "SCHED_BATCH", nice: 7}'
	exec_in_ok c sh -c 'ionice; cut -d " " -f 19,41 /proc/self/stat'
	assert_equal $'best-effort: prio 6\n7 3' "$out"
	jq '{args: ["sh", "-c", "ionice; cut -d \" \" -f 19,41 /proc/self/stat"], cwd: "/", env: ["PATH=/bin"],
		ioPriority: {class: "IOPRIO_CLASS_IDLE", priority: 0}, scheduler: {policy: "SCHED_OTHER", nice: 3}}' -n >"$T/process.json"
	exec_in_ok --process "$T/process.json" c
	assert_equal $'idle\n3 0' "$out"
}

# Since runc 1.2.
# bats test_tags=berth
@test "exec uses the personality and the memory policy of the container" {
	config '.linux.personality = {domain: "LINUX32"}'
	[ ! -e /proc/self/numa_maps ] || config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0"}'
	runtime_ok run -d --bundle "$BUNDLE" c
	runtime_ok exec c sh -c 'cat /proc/self/personality; head -n 1 /proc/self/numa_maps 2>&1'
	assert_match '^00000008' "$out"
	[ ! -e /proc/self/numa_maps ] || assert_match ' bind:0 ' "$out"
}

# bats test_tags=berth
@test "exec sets a real-time policy" {
	jq '{args: ["cut", "-d", " ", "-f", "40,41", "/proc/self/stat"], cwd: "/", env: ["PATH=/bin"], scheduler: {policy: "SCHED_RR", priority: 9}}' -n >"$T/process.json"
	! real_time_above 2000 || config '.linux.resources.cpu = {realtimeRuntime: 1000, realtimePeriod: 1000000}'
	exec_in_ok --process "$T/process.json" c
	assert_equal '9 2' "$out"
}

# Since runc 1.3.
# bats test_tags=berth
@test "exec applies execCPUAffinity" {
	[ "$(nproc)" -gt 1 ] || skip "needs two CPUs"
	config '.process.execCPUAffinity = {initial: "0", final: "1"}'
	exec_in_ok c grep Cpus_allowed_list /proc/self/status
	assert_equal $'Cpus_allowed_list:\t1' "$out"
	jq '{args: ["grep", "Cpus_allowed_list", "/proc/self/status"], cwd: "/", env: ["PATH=/bin"], execCPUAffinity: {initial: "0"}}' -n >"$T/process.json"
	exec_in_ok --process "$T/process.json" c
	assert_equal $'Cpus_allowed_list:\t0' "$out"
	# Init does not have it.
	assert_equal $'Cpus_allowed_list:\t0-'"$(($(nproc --all) - 1))" "$(grep Cpus_allowed_list "/proc/$(init_pid c)/status")"
}

# Since runc 1.4.
# bats test_tags=berth
@test "without execCPUAffinity, exec uses all CPUs of the cpuset" {
	runtime_ok run -d --bundle "$BUNDLE" c
	out=$(taskset -c 0 "$RUNTIME" --root "$ROOT" exec c grep Cpus_allowed_list /proc/self/status)
	assert_equal "$(grep Cpus_allowed_list "/proc/$(init_pid c)/status")" "$out"
}

# Since runc 1.2.
# bats test_tags=berth
@test "exec starts no process when a cgroup of the container cannot be looked at" {
	runtime_ok run -d --bundle "$BUNDLE" c
	local dirs
	mapfile -t dirs < <(cgroup_dirs "$CGROUP")
	failing statfs EMFILE "${dirs[0]}" -- exec c cat /proc/self/cgroup
	[ "$status" != 0 ] || failed "the process is in $out"
	assert_equal "" "$out"
	assert_match "find cgroup: statfs ${dirs[0]}: too many open files" "$err"
}

@test "exec uses the clocks of the container's time namespace" {
	config '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 1000000, nanosecs: 0}}'
	exec_in_ok c cut -d . -f 1 /proc/uptime
	[ "$out" -gt 1000000 ]
}

@test "exec uses the keyring of the container" {
	[ -e /proc/keys ] || skip "no keys in this kernel"
	config 'del(.linux.maskedPaths)'
	# The name of a session keyring, as root sees it in /proc/keys.
	exec_in_ok c sh -c 'grep -o "keyring *_ses.*" /proc/keys'
	assert_match "_ses.c: " "$out"
}

@test "the terminal of exec has the size of the process object, and belongs to its user" {
	background "$PROBE" recvtty "$T/tty.sock" "$T"
	wait_for 5 test -S "$T/tty.sock"
	jq '{args: ["sh", "-c", "stty size; stat -c %u:%g /dev/pts/0; echo ok >/dev/pts/0"], cwd: "/", env: ["PATH=/bin"], terminal: true,
		consoleSize: {height: 33, width: 111}, user: {uid: 1000, gid: 1000}}' -n >"$T/process.json"
	exec_in_ok -d --process "$T/process.json" --console-socket "$T/tty.sock" c
	wait_for 5 grep -q '33 111' "$T/output"
	wait_for 5 grep -q '1000:5' "$T/output"
	wait_for 5 grep -q ok "$T/output"
}

@test "many processes can be executed concurrently" {
	runtime_ok run -d --bundle "$BUNDLE" c
	local i pids=()
	for ((i = 0; i < 20; i++)); do
		"$RUNTIME" --root "$ROOT" exec c sh -c "exit $i" </dev/null &
		pids+=($!)
	done
	for ((i = 0; i < 20; i++)); do
		local code=0
		wait "${pids[i]}" || code=$?
		assert_equal "$i" "$code"
	done
}

@test "exec waits for the output of processes that its program left running, until a signal" {
	runtime_ok run -d --bundle "$BUNDLE" c
	exec_in_ok c sh -c '{ sleep 0.3; echo late; } & echo early'
	assert_equal $'early\nlate' "$out"
	background "$RUNTIME" --root "$ROOT" exec c sh -c 'sleep 1000 & echo $!; exit 3' >"$T/printed"
	wait_for 5 appears "$T/printed"
	wait_for 5 without_shell
	kill -TERM "$background_pid"
	local code=0
	wait "$background_pid" || code=$?
	assert_equal 3 "$code"
}

# without_shell: the executed shell has ended.
without_shell() {
	! pgrep -x sh -P "$background_pid" >/dev/null
}
