# Hooks of the six kinds: config.md, "POSIX-platform Hooks", and runtime.md,
# "Lifecycle". The hooks themselves write down what they see.
# bats file_tags=kernel
load helpers

prepare() { hook_bundle; }

@test "hooks run in the order of the lifecycle" {
	# shellcheck disable=SC2016 # for the hooks
	hooks 'echo $KIND >>$OUT/log'
	script 'echo program >>/out/log; sleep 1000'
	runtime_ok create --bundle "$BUNDLE" c
	assert_equal 'prestart createRuntime createContainer ' "$(logged)"
	runtime_ok start c
	wait_for 5 has_line "$T/seen/log" program
	assert_lines $'createContainer\ncreateRuntime\npoststart\nprestart\nprogram\nstartContainer' "$(cat "$T/seen/log")"
	# Only these two are concurrent.
	assert_match '^prestart createRuntime createContainer startContainer (program poststart|poststart program) $' "$(logged)"
	runtime_ok kill c KILL
	wait_for 5 has_status c stopped
	refute_match poststop "$(logged)"
	runtime_ok delete c
	assert_match ' poststop $' "$(logged)"
}

# bats test_tags=arm64
@test "run executes hooks of every kind" {
	# shellcheck disable=SC2016
	hooks 'echo $KIND >>$OUT/log'
	args true
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal 'createContainer createRuntime poststart poststop prestart startContainer ' "$(sort "$T/seen/log" | tr '\n' ' ')"
}

@test "several hooks of a kind run in the order listed" {
	# shellcheck disable=SC2016
	{
		hook createRuntime 'echo 1 >>$OUT/log'
		hook createRuntime 'echo 2 >>$OUT/log'
		hook createRuntime 'echo 3 >>$OUT/log'
		hook poststop 'echo 4 >>$OUT/log'
		hook poststop 'echo 5 >>$OUT/log'
	}
	args true
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal '1 2 3 4 5 ' "$(logged)"
}

# hook_state KIND FIELD: a field of the state that the hook got.
hook_state() {
	hook_output "$1" | jq -r "$2"
}

@test "hooks get the container's state on standard input" {
	# shellcheck disable=SC2016
	hooks 'cat >$OUT/$KIND'
	config '.annotations = {"a.b": "c\"d"}'
	args sleep 1000
	runtime_ok create --bundle "$BUNDLE" c
	local pid kind
	pid=$(init_pid c)
	runtime_ok start c
	runtime_ok delete --force c
	for kind in prestart createRuntime createContainer startContainer poststart poststop; do
		assert_equal 1 "$(hook_output $kind | wc -l | sed s/0/1/)" # one line, no newline
		assert_equal c "$(hook_state $kind .id)"
		assert_equal "$BUNDLE" "$(hook_state $kind .bundle)"
		assert_match '^1\.' "$(hook_state $kind .ociVersion)"
		assert_equal 'c"d' "$(hook_state $kind '.annotations["a.b"]')"
	done
	assert_equal "creating $pid" "$(hook_state prestart '"\(.status) \(.pid)"')"
	assert_equal "creating $pid" "$(hook_state createRuntime '"\(.status) \(.pid)"')"
	assert_equal "creating 1" "$(hook_state createContainer '"\(.status) \(.pid)"')"
	assert_equal "created 1" "$(hook_state startContainer '"\(.status) \(.pid)"')"
	assert_equal "$pid" "$(hook_state poststart .pid)"
	assert_equal "stopped null" "$(hook_state poststop '"\(.status) \(.pid)"')"
}

@test "a poststart hook gets the status running" {
	# shellcheck disable=SC2016
	hook poststart 'cat >$OUT/$KIND'
	args sleep 1000
	runtime_ok create --bundle "$BUNDLE" c
	[ ! -e "$T/seen/poststart" ] || failed "poststart ran before start"
	runtime_ok start c
	assert_equal running "$(hook_state poststart .status)"
}

@test "hooks get the pid of init in the container's pid namespace" {
	config '.linux.namespaces |= map(select(.type != "pid"))'
	# shellcheck disable=SC2016
	{
		hook createContainer 'cat >$OUT/$KIND'
		hook startContainer 'cat >$OUT/$KIND'
	}
	args sleep 1000
	start_detached c
	assert_equal "$(init_pid c)" "$(hook_state createContainer .pid)"
	assert_equal "$(init_pid c)" "$(hook_state startContainer .pid)"
}

# shellcheck disable=SC2016 # for the hooks
namespaces='for ns in mnt net pid uts ipc; do readlink /proc/self/ns/$ns; done'

@test "hooks run in the runtime's namespaces, or in the container's" {
	hooks "{ $namespaces; } >\$OUT/\$KIND"
	script "{ $namespaces; } >/out/program"
	runtime_ok run --bundle "$BUNDLE" c
	local kind host
	host=$(bash -c "$namespaces")
	for kind in prestart createRuntime poststart poststop; do
		assert_equal "$host" "$(hook_output $kind)"
	done
	for kind in createContainer startContainer; do
		assert_equal "$(hook_output program)" "$(hook_output $kind)"
	done
	refute_match "$(head -n 1 <<<"$host" | sed 's/[][]/\\&/g')" "$(hook_output program)"
}

# The shell itself: its children are there as soon as it has joined the namespace.
@test "a createContainer hook is in the container's pid namespace" {
	# shellcheck disable=SC2016
	hook createContainer 'while read -r key value; do case $key in NSpid:) echo "$value" ;; esac; done </proc/self/status >$OUT/$KIND'
	args true
	runtime_ok run --bundle "$BUNDLE" c
	assert_match $'^[0-9]+\t[0-9]+$' "$(hook_output createContainer)"
}

@test "hooks in the container are in its cgroup" {
	hook createContainer "grep -c '$CGROUP\$' /proc/self/cgroup >\$OUT/\$KIND"
	hook startContainer "grep -c '$CGROUP\$' /proc/self/cgroup >\$OUT/\$KIND"
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	script "grep -c '$CGROUP\$' /proc/self/cgroup >/out/program"
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal "$(hook_output program)" "$(hook_output createContainer)"
	assert_equal "$(hook_output program)" "$(hook_output startContainer)"
	refute_match '^0' "$(hook_output program)"
}

@test "hooks get their arguments and environment" {
	local kind
	for kind in createRuntime createContainer startContainer poststop; do
		# shellcheck disable=SC2016
		hook $kind 'echo "$0|$1|$2|$A|$HOME" >$OUT/$KIND' '.args += ["name", "x y", ""] | .env += ["A=b c"]'
	done
	args true
	runtime_ok run --bundle "$BUNDLE" c
	for kind in createRuntime createContainer startContainer poststop; do
		assert_equal 'name|x y||b c|' "$(hook_output $kind)"
	done
}

@test "a hook without arguments gets its path as argument 0" {
	printf '#!/bin/sh\necho "$# $0" >%s/seen/log\n' "$T" >"$T/hook"
	chmod +x "$T/hook"
	config '.hooks.createRuntime = [{path: $path}]' --arg path "$T/hook"
	args true
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal "0 $T/hook" "$(cat "$T/seen/log")"
}

@test "a hook on the host without an environment has the runtime's" {
	# shellcheck disable=SC2016
	hook createRuntime "echo \$MARK >$T/seen/log" 'del(.env)'
	args true
	MARK=here runtime_ok run --bundle "$BUNDLE" c
	assert_equal here "$(cat "$T/seen/log")"
}

@test "a startContainer hook without an environment has the program's" {
	hook startContainer 'echo $MARK >/out/log' 'del(.env)'
	config '.process.env += ["MARK=inside"]'
	args true
	MARK=here runtime_ok run --bundle "$BUNDLE" c
	assert_equal inside "$(cat "$T/seen/log")"
}

@test "hooks start in the bundle, the root file system or the working directory" {
	# shellcheck disable=SC2016
	hooks 'pwd >$OUT/$KIND'
	config '.process.cwd = "/tmp"'
	args true
	(cd / && runtime_ok run --bundle "$BUNDLE" c)
	assert_equal "$BUNDLE" "$(hook_output prestart)"
	assert_equal "$BUNDLE" "$(hook_output createRuntime)"
	assert_equal "$BUNDLE/rootfs" "$(hook_output createContainer)"
	assert_equal /tmp "$(hook_output startContainer)"
	assert_equal "$BUNDLE" "$(hook_output poststop)"
}

# The program is in the directory that was removed.
# bats test_tags=berth
@test "start reports that a startContainer hook cannot enter the working directory" {
	mkdir "$BUNDLE/rootfs/removed"
	config '.process.cwd = "/removed" | .hooks.startContainer = [{path: "/bin/true"}]'
	args true
	runtime_ok create --bundle "$BUNDLE" c
	rmdir "$BUNDLE/rootfs/removed"
	runtime start c
	refused 'hooks\.startContainer\[0\]: .*process.cwd: chdir to "/removed": no such file or directory'
}

@test "hooks have no descriptors but their standard files" {
	# shellcheck disable=SC2016 # the fourth is that of ls
	hooks 'ls /proc/self/fd | wc -l >$OUT/$KIND'
	args true
	runtime_ok run --bundle "$BUNDLE" c 7</dev/null
	local kind
	for kind in createContainer startContainer; do
		assert_equal 4 "$(hook_output $kind | tr -d ' ')"
	done
}

@test "a startContainer hook has the program's privileges, not the runtime's" {
	config '.process.user = {uid: 1000, gid: 1001, additionalGids: [5], umask: 63} |
		.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 77, hard: 88}]'
	hook startContainer '{ id -u; id -g; id -G; umask; ulimit -n; ulimit -Hn; grep -E "^(Cap(Eff|Prm|Bnd)|NoNewPrivs)" /proc/self/status; } >/out/$KIND'
	script '{ id -u; id -g; id -G; umask; ulimit -n; ulimit -Hn; grep -E "^(Cap(Eff|Prm|Bnd)|NoNewPrivs)" /proc/self/status; } >/out/program'
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal "$(hook_output program)" "$(hook_output startContainer)"
	assert_match $'^1000\n1001\n' "$(hook_output startContainer)"
}

@test "the path of a startContainer hook is resolved in the container" {
	printf '#!/bin/sh\necho inside >/out/log\n' >"$BUNDLE/rootfs/bin/only-here"
	chmod +x "$BUNDLE/rootfs/bin/only-here"
	config '.hooks.startContainer = [{path: "/bin/only-here"}]'
	args true
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal inside "$(cat "$T/seen/log")"
}

@test "a createContainer hook can mount into the container, and the host does not see it" {
	mkdir "$BUNDLE/rootfs/mnt" "$T/extra"
	echo hello >"$T/extra/file"
	hook createContainer "mount --bind $T/extra mnt"
	run_script 'cat /mnt/file'
	assert_equal hello "$out"
	[ ! -e "$BUNDLE/rootfs/mnt/file" ] || failed "the host sees the mount"
}

@test "hooks of create can make files in a root that becomes read-only" {
	config '.root.readonly = true'
	hook createRuntime "touch $BUNDLE/rootfs/made-by-runtime"
	hook createContainer 'touch made-by-container'
	run_script 'ls /; touch /x || true'
	assert_match made-by-runtime "$out"
	assert_match made-by-container "$out"
	assert_match 'Read-only file system' "$err"
}

@test "a hook in the runtime's namespaces can find the container's network" {
	# shellcheck disable=SC2016
	hook createRuntime 'pid=$(sed "s/.*\"pid\"://; s/,.*//"); readlink /proc/$pid/ns/net >$OUT/log; nsenter -t $pid -n cat /proc/net/dev >>$OUT/log'
	run_script 'readlink /proc/self/ns/net'
	assert_equal "$out" "$(head -n 1 "$T/seen/log")"
	assert_match 'lo:' "$(cat "$T/seen/log")"
}

@test "create refuses hooks with invalid fields" {
	args true
	while IFS='|' read -r hook want; do
		config ".hooks = {createRuntime: [$hook]}"
		runtime create --bundle "$BUNDLE" c
		refused "hooks\.createRuntime\[0\]\.$want"
	done <<-'END'
		{path: "bin/true"}|path: .*not an absolute path
		{args: ["x"]}|path: missing
		{path: "/bin/true", timeout: 0}|timeout: 0: want more than 0
		{path: "/bin/true", timeout: -1}|timeout: -1: want more than 0
		{path: "/bin/true", env: ["A"]}|env\[0\]: .*want NAME=VALUE
	END
}

@test "features lists the hooks" {
	runtime_ok features
	assert_equal '["prestart","createRuntime","createContainer","startContainer","poststart","poststop"]' "$(jq -c .hooks <<<"$out")"
}

# bats test_tags=berth
@test "annotations name files to which the output of hooks is appended" {
	# shellcheck disable=SC2016 # for the hooks
	hooks 'echo out of $KIND; echo err of $KIND >&2; ls -l /proc/self/fd >$OUT/$KIND'
	echo before >"$T/stdout"
	config '.annotations["run.oci.hooks.stdout"] = $out | .annotations["run.oci.hooks.stderr"] = "log"' --arg out "$T/stdout"
	args true
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal "" "$out"
	assert_lines $'before\nout of prestart\nout of createRuntime\nout of createContainer\nout of startContainer\nout of poststart\nout of poststop' "$(cat "$T/stdout")"
	assert_equal 6 "$(grep -c '^err of' "$BUNDLE/log")"
	assert_equal 600 "$(stat -c %a "$BUNDLE/log")"
	# No hook holds a descriptor of the file, least of all one in the container.
	assert_equal "" "$(grep -l "$T/stdout" "$T"/seen/* || true)"
}

# bats test_tags=berth
@test "create names the annotation of an output file that cannot be opened" {
	hook createRuntime true
	args true
	config '.annotations["run.oci.hooks.stdout"] = "none/log"'
	runtime create --bundle "$BUNDLE" c
	refused 'run createRuntime hooks: annotations\["run\.oci\.hooks\.stdout"\]: open .*/bundle/none/log: no such file'
	mkfifo "$BUNDLE/pipe"
	config '.annotations["run.oci.hooks.stdout"] = "pipe"'
	runtime create --bundle "$BUNDLE" c
	refused 'annotations\["run\.oci\.hooks\.stdout"\]: open .*a FIFO without a reader'
	config '.annotations["run.oci.hooks.stdout"] = ""'
	runtime create --bundle "$BUNDLE" c
	refused 'annotations\["run\.oci\.hooks\.stdout"\]: missing'
}
