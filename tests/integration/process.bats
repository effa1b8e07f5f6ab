# The process: its user, privileges and environment, from its own /proc/self.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
}

# self FIELD: a line of the /proc/self/status in $out.
self() {
	sed -n "s/^$1:[[:space:]]*//p" <<<"$out" | tr -s '\t ' ' ' | sed 's/ $//'
}

status_of_self='cat /proc/self/status'

# mask CAPABILITY-NUMBER...: as /proc/PID/status prints it.
mask() {
	local bit mask=0
	for bit; do mask=$((mask | 1 << bit)); done
	printf '%016x' "$mask"
}

@test "create sets the real, effective, saved and file system uid and gid" {
	config '.process.user = {uid: 1000, gid: 1001}'
	run_script "$status_of_self"
	assert_equal '1000 1000 1000 1000' "$(self Uid)"
	assert_equal '1001 1001 1001 1001' "$(self Gid)"
}

@test "create sets the additional groups and drops those of the caller" {
	config '.process.user = {uid: 1000, gid: 1000, additionalGids: [5, 100, 70000]}'
	run_script "$status_of_self"
	assert_equal '5 100 70000' "$(self Groups)"
	config '.process.user = {uid: 0, gid: 0}'
	script "$status_of_self"
	setpriv --groups 7,8 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err"
	read_output
	assert_equal '' "$(self Groups)"
}

# bats test_tags=berth
@test "an annotation keeps the caller's groups" {
	config '.process.user = {uid: 1000, gid: 1000, additionalGids: [5]} | .annotations["run.oci.keep_original_groups"] = "1"'
	script "$status_of_self"
	setpriv --groups 7,8 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err"
	read_output
	assert_equal '7 8' "$(self Groups)"
	assert_match 'level=warning msg="?process\.user\.additionalGids: not set' "$err"
	# The use case: an unprivileged user's groups, in a user namespace that does not map
	# them.
	new_user_namespace
	config 'del(.process.user.additionalGids)'
	setpriv --groups 7,8 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" d </dev/null >"$T/out" 2>"$T/err"
	read_output
	assert_equal '65534 65534' "$(self Groups)"
	config '.annotations["run.oci.keep_original_groups"] = "0"'
	setpriv --groups 7,8 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" e </dev/null >"$T/out" 2>"$T/err"
	read_output
	assert_equal '' "$(self Groups)"
}

@test "a uid is a number, whatever the image's passwd contains" {
	echo '1000:x:0:0:trap:/trap:/bin/sh' >"$BUNDLE/rootfs/etc/passwd"
	config '.process.user = {uid: 1000, gid: 1000}'
	run_script "$status_of_self"
	assert_equal '1000 1000 1000 1000' "$(self Uid)"
}

@test "the umask is 0022 by default" {
	umask 077
	run_script umask
	assert_equal 0022 "$out"
	config '.process.user.umask = 63'
	run_script umask
	assert_equal 0077 "$out"
	config '.process.user.umask = 0'
	run_script umask
	assert_equal 0000 "$out"
}

@test "create sets the five capability sets" {
	config '.process.capabilities = {
		bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT"],
		permitted: ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
		effective: ["CAP_CHOWN", "CAP_KILL"],
		inheritable: ["CAP_KILL"],
		ambient: ["CAP_KILL"]}
		| .process.user = {uid: 1000, gid: 1000} | .process.noNewPrivileges = false'
	run_script "$status_of_self"
	assert_equal "$(mask 0 5 10 18)" "$(self CapBnd)"
	assert_equal "$(mask 5)" "$(self CapInh)"
	assert_equal "$(mask 5)" "$(self CapAmb)"
	# execve leaves only the ambient set to a user that is not root.
	assert_equal "$(mask 5)" "$(self CapPrm)"
	assert_equal "$(mask 5)" "$(self CapEff)"
}

@test "root has the permitted and effective capabilities and no others" {
	config '.process.capabilities = {bounding: ["CAP_CHOWN", "CAP_KILL"], permitted: ["CAP_CHOWN", "CAP_KILL"], effective: ["CAP_CHOWN", "CAP_KILL"]}'
	run_script "$status_of_self; chown 5:5 /dev/shm && echo may; hostname new || echo 'may not'"
	assert_equal "$(mask 0 5)" "$(self CapPrm)"
	assert_equal "$(mask 0 5)" "$(self CapEff)"
	assert_equal "$(mask 0 5)" "$(self CapBnd)"
	assert_equal "$(mask)" "$(self CapInh)"
	assert_equal "$(mask)" "$(self CapAmb)"
	assert_match $'\nmay\nmay not$' "$out"
}

@test "a program without capabilities has none" {
	config 'del(.process.capabilities)'
	run_script "$status_of_self"
	local set
	for set in CapPrm CapEff CapBnd CapInh CapAmb; do
		assert_equal "$(mask)" "$(self $set)"
	done
}

@test "create leaves out an unknown capability, with a warning" {
	config '.process.capabilities.bounding += ["CAP_NOPE"]'
	script "$status_of_self"
	runtime_ok --log "$T/log" run --bundle "$BUNDLE" c
	assert_equal "$(mask 5 10 29)" "$(self CapBnd)"
	assert_match 'level=warning msg=.*(CAP_NOPE.* is ignored|ignoring .*CAP_NOPE)' "$(cat "$T/log")"
	assert_equal "" "$err"
}

@test "a user that is not root loses the effective capabilities" {
	config '.process.user = {uid: 1000, gid: 1000}'
	run_script "$status_of_self"
	[ "$(self CapAmb)" != "$(mask)" ] || assert_equal "$(mask)" "$(self CapEff)"
	assert_equal "$(mask 5 10 29)" "$(self CapBnd)"
}

@test "create sets no_new_privs if config.json asks for it" {
	run_script "$status_of_self"
	assert_equal 1 "$(self NoNewPrivs)"
	config '.process.noNewPrivileges = false'
	run_script "$status_of_self"
	assert_equal 0 "$(self NoNewPrivs)"
}

@test "no_new_privs makes a set-uid program harmless" {
	chmod 4755 "$BUNDLE/rootfs/bin/busybox"
	config '.process.user = {uid: 1000, gid: 1000}'
	run_script "$status_of_self"
	assert_equal '1000 1000 1000 1000' "$(self Uid)"
}

@test "create sets the resource limits" {
	config '.process.rlimits = [
		{type: "RLIMIT_NOFILE", soft: 100, hard: 200},
		{type: "RLIMIT_CORE", soft: 0, hard: 0},
		{type: "RLIMIT_STACK", soft: 1048576, hard: 2097152},
		{type: "RLIMIT_NPROC", soft: 50, hard: 50}]'
	run_script 'cat /proc/self/limits'
	assert_match 'Max open files +100 +200 ' "$out"
	assert_match 'Max core file size +0 +0 ' "$out"
	assert_match 'Max stack size +1048576 +2097152 ' "$out"
	assert_match 'Max processes +50 +50 ' "$out"
}

@test "the working directory is that of config.json" {
	config '.process.cwd = "/etc"'
	run_script 'pwd; readlink /proc/self/cwd; cat passwd'
	assert_match $'^/etc\n/etc\nroot:' "$out"
}

@test "create makes a missing working directory, even on a read-only root" {
	config '.process.cwd = "/made/for/me"'
	run_script 'pwd; stat -c "%a %u:%g" /made /made/for/me'
	assert_equal $'/made/for/me\n755 0:0\n755 0:0' "$out"
	[ -d "$BUNDLE/rootfs/made/for/me" ]
}

@test "create refuses a working directory that is a file" {
	config '.process.cwd = "/etc/passwd"'
	args true
	runtime run --bundle "$BUNDLE" c
	refused '/etc/passwd.*not a directory'
}

@test "create enters the working directory before it changes the user" {
	mkdir -m 700 "$BUNDLE/rootfs/private"
	config '.process.cwd = "/private" | .process.user = {uid: 1000, gid: 1000}'
	run_script 'readlink /proc/self/cwd'
	assert_equal /private "$out"
}

@test "create enters a working directory that only the user may enter" {
	mkdir -m 700 "$BUNDLE/rootfs/private"
	chown 1000:1000 "$BUNDLE/rootfs/private"
	config '.process.cwd = "/private" | .process.user = {uid: 1000, gid: 1000}'
	run_script pwd
	assert_equal /private "$out"
}

@test "create refuses a working directory that leads out by a descriptor of the host" {
	# CVE-2024-21626: a directory that the runtime has open.
	local n
	args true
	for n in 3 4 5 6 7 8 9 10 11 12; do
		config '.process.cwd = $cwd' --arg cwd "/proc/self/fd/$n"
		runtime run --bundle "$BUNDLE" c 9</
		[ "$status" != 0 ] || failed "cwd /proc/self/fd/$n was accepted"
	done
}

# bats test_tags=berth
@test "create refuses a working directory that leads out by a process of the host" {
	# By a link to a file that is not a descriptor of the stub, which it may follow as
	# root.
	config '.linux.namespaces |= map(select(.type != "pid"))'
	args true
	local link
	for link in root cwd; do
		config '.process.cwd = $cwd' --arg cwd "/proc/$$/$link"
		runtime run --bundle "$BUNDLE" c
		refused 'enter working directory: process\.cwd: ".*" is outside of the container.s root: possible container breakout'
	done
	config '.process.cwd = "/"'
	args sleep 1000
	start_detached c
	runtime exec --cwd "/proc/$$/root" c true
	assert_equal 255 "$status"
	assert_match 'possible container breakout' "$msg"
}

@test "the environment contains that of config.json and HOME" {
	config '.process.env = ["PATH=/bin", "A=1", "EMPTY=", "EQUALS=a=b", "SPACE=a b"]'
	export LEAK=1
	args env
	runtime_ok run --bundle "$BUNDLE" c
	assert_lines $'PATH=/bin\nA=1\nEMPTY=\nEQUALS=a=b\nSPACE=a b\nHOME=/root' "$out"
}

@test "the last of two environment entries with one name applies" {
	config '.process.env = ["A=first", "PATH=/bin", "A=last"]'
	args env
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal A=last "$(grep ^A= <<<"$out")"
}

@test "HOME is looked up in the image's passwd, by number" {
	config '.process.user = {uid: 1000, gid: 1000}'
	run_script 'echo $HOME'
	assert_equal /home/user "$out"
	config '.process.user = {uid: 4242, gid: 0}'
	run_script 'echo $HOME'
	assert_equal / "$out"
	rm "$BUNDLE/rootfs/etc/passwd"
	run_script 'echo $HOME'
	assert_equal / "$out"
}

# bats test_tags=berth
@test "the lookup of HOME does not read the program's input" {
	ln -sf /proc/self/fd/0 "$BUNDLE/rootfs/etc/passwd"
	# shellcheck disable=SC2016 # for the program
	script 'cat; echo "HOME is $HOME"'
	printf 'a line\n' | "$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" c >"$T/printed" 2>&1
	runtime_ok start c
	wait_for 5 has_line "$T/printed" 'HOME is /'
	assert_equal 'a line' "$(head -n 1 "$T/printed")"
}

@test "HOME of config.json is kept, unless it is empty" {
	config '.process.env += ["HOME=/mine"]'
	run_script 'echo $HOME'
	assert_equal /mine "$out"
	config '.process.env |= map(select(startswith("HOME") | not)) + ["HOME="]'
	run_script 'echo $HOME'
	assert_equal /root "$out"
}

@test "create finds the program in the PATH of config.json" {
	mkdir -p "$BUNDLE/rootfs"/{one,two}
	cp "$BUNDLE/rootfs/bin/busybox" "$BUNDLE/rootfs/two/program"
	ln -s /bin/busybox "$BUNDLE/rootfs/two/echo"
	# The lookup skips a file that is not executable, and a directory.
	touch "$BUNDLE/rootfs/one/echo"
	mkdir "$BUNDLE/rootfs/one/program"
	config '.process.env = ["PATH=/nowhere:/one:/two"]'
	args echo found
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal found "$out"
}

@test "a path with a slash is resolved from the working directory" {
	config '.process.cwd = "/bin"'
	args ./echo found
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal found "$out"
}

@test "arguments reach the program unchanged" {
	args sh -c 'for a; do echo "[$a]"; done' sh '' 'a b' '-x' '*' $'two\nlines' 'ä$(id)'
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal $'[]\n[a b]\n[-x]\n[*]\n[two\nlines]\n[ä$(id)]' "$out"
}

# create_refused REGEX ARG...: create itself fails, and leaves nothing.
create_refused() {
	local regex=$1
	shift
	args "$@"
	runtime create --bundle "$BUNDLE" c
	refused "$regex"
	no_state_left
	no_cgroup_left
	no_process_left
}

@test "create reports a program that is not in PATH" {
	create_refused 'exec:? "nope": executable file not found in \$PATH' nope
	config '.process.env = []'
	create_refused 'exec:? "sh": executable file not found in \$PATH' sh
}

@test "create reports a program that does not exist" {
	create_refused 'exec:? "/nope": (stat /nope: )?no such file or directory' /nope
	create_refused 'exec:? "/etc/passwd/x": (stat /etc/passwd/x: )?not a directory' /etc/passwd/x
}

@test "create reports a program that may not be executed" {
	create_refused 'exec:? "/etc/passwd": permission denied' /etc/passwd
	cp "$BUNDLE/rootfs/bin/busybox" "$BUNDLE/rootfs/root-only"
	chmod 700 "$BUNDLE/rootfs/root-only"
	config '.process.user = {uid: 1000, gid: 1000}'
	create_refused 'exec:? "?/root-only"?: permission denied' /root-only
}

@test "create reports a program that is a directory, with permission denied" {
	# Old docker clients and podman parse the second phrase.
	create_refused 'exec:? "/etc": is a directory.*permission denied' /etc
}

@test "the program has no descriptors but its standard files" {
	exec 9</etc/passwd 8</
	run_script 'ls /proc/self/fd'
	exec 9<&- 8<&-
	# ls opens the fourth.
	assert_equal '0 1 2 3' "$(xargs <<<"$out")"
}

@test "the standard files belong to the user of the container" {
	config '.process.user = {uid: 1000, gid: 1000}'
	args sh -c 'echo again >/dev/stdout'
	: >"$T/c.out"
	chmod 600 "$T/c.out"
	local null
	null=$(stat -c %u:%g /dev/null)
	"$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/c.out" 2>"$T/err" 3>&-
	wait_for 5 has_status c stopped
	assert_equal 1000:0 "$(stat -c %u:%g "$T/c.out")"
	assert_equal "$null" "$(stat -c %u:%g /dev/null)"
}

@test "create sets oom_score_adj" {
	config '.process.oomScoreAdj = 321'
	run_script 'cat /proc/self/oom_score_adj'
	assert_equal 321 "$out"
}

@test "the program ignores no signal" {
	# Shells start background processes with INT and QUIT ignored. The runtime itself
	# catches them in the foreground.
	args sleep 1000
	(
		trap '' HUP INT QUIT PIPE USR1 CHLD
		exec "$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err"
	)
	out=$(<"/proc/$(init_pid c)/status")
	assert_equal "$(mask)" "$(self SigIgn)"
}

# bats test_tags=berth
@test "the program blocks no signal" {
	script "$status_of_self"
	env --block-signal=TERM,WINCH,RTMIN "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err"
	read_output
	assert_equal "$(mask)" "$(self SigBlk)"
}

@test "the program leads a session of its own" {
	run_script 'cut -d " " -f 5,6 /proc/1/stat'
	assert_equal '1 1' "$out"
}
