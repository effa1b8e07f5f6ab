# checkpoint and restore, by CRIU.
# bats file_tags=criu
load helpers

prepare() {
	new_bundle
	counter
}

@test "a restored container continues where checkpoint stopped it" {
	run_piped c
	wait_for 10 counts c
	save c
	gone c
	local last
	last=$(tail -n 1 "$T/output")
	restore_piped c
	wait_for 10 counts c "$last"
	no_gap
	assert_equal running "$(status_of c)"
}

@test "checkpoint --leave-running lets the container run" {
	run_piped c
	wait_for 10 counts c
	save c --leave-running
	assert_equal running "$(status_of c)"
	wait_for 10 counts c "$(count c)"
	local saved
	saved=$(count c)
	runtime_ok delete --force c
	restore_piped c
	[ "$(count c)" -le "$((saved + 1000))" ]
	wait_for 10 counts c "$(count c)"
}

@test "a restored container can be checkpointed again" {
	run_piped c
	wait_for 10 counts c
	save c
	restore_piped c
	mv "$T/image" "$T/first"
	save c
	gone c
	restore_piped c
	wait_for 10 counts c "$(tail -n 1 "$T/output")"
}

@test "a restored container is like any other" {
	run_piped c
	wait_for 10 counts c
	save c
	restore_piped c --pid-file "$T/pid"
	assert_equal "$(init_pid c)" "$(cat "$T/pid")"
	runtime_ok exec c sh -c 'tr "\0" " " </proc/1/cmdline'
	assert_match '^sh -c n=0' "$out"
	runtime_ok pause c
	assert_equal paused "$(status_of c)"
	runtime_ok resume c
	runtime_ok events --stats c
	assert_match '"type":"stats"' "$out"
	runtime_ok ps c
	runtime_ok kill c KILL
	wait_for 10 has_status c stopped
	runtime_ok delete c
}

@test "restore in the foreground returns the program's exit status" {
	script 'while [ ! -e /tmp/end ]; do sleep 0.05; done; exit 7'
	run_piped c
	save c --leave-running
	runtime_ok delete --force c
	background sh -c '"$@"; echo $? >"$0"' "$T/status" "$RUNTIME" --root "$ROOT" restore --bundle "$BUNDLE" --image-path "$T/image" c
	wait_for 10 has_status c running
	runtime_ok exec c touch /tmp/end
	wait_for 10 test -s "$T/status"
	assert_equal 7 "$(cat "$T/status")"
	gone c
}

# runc cannot dump a file of the host as standard output.
# bats test_tags=berth
@test "files of the host are standard output again" {
	"$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" -d c </dev/null >"$T/output" 2>&1
	wait_for 10 counts c
	save c
	local last
	last=$(tail -n 1 "$T/output")
	"$RUNTIME" --root "$ROOT" restore --bundle "$BUNDLE" --image-path "$T/image" -d c </dev/null >>"$T/output" 2>&1
	wait_for 10 counts c "$last"
	no_gap
}

@test "a null device of the host is restored where a pipe cannot replace it" {
	"$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" -d c </dev/null >/dev/null 2>&1
	wait_for 10 counts c
	save c
	: | "$RUNTIME" --root "$ROOT" restore --bundle "$BUNDLE" --image-path "$T/image" -d c > >(exec cat >>"$T/output" 3>&- 4>&-) 2>&1
	wait_for 10 counts c
	runtime_ok exec c sh -c 'readlink /proc/1/fd/0; readlink /proc/1/fd/1'
	assert_equal $'/dev/null\n/dev/null' "$out"
}

@test "a terminal is sent to the console socket again" {
	config '.process.terminal = true'
	script 'while read -r line; do echo "got $line"; done'
	mkdir "$T/one" "$T/two"
	background "$PROBE" recvtty "$T/tty1.sock" "$T/one"
	wait_for 5 test -S "$T/tty1.sock"
	runtime_ok run -d --bundle "$BUNDLE" --console-socket "$T/tty1.sock" c
	save c
	background "$PROBE" recvtty "$T/tty2.sock" "$T/two"
	wait_for 5 test -S "$T/tty2.sock"
	runtime_ok restore -d --bundle "$BUNDLE" --image-path "$T/image" --console-socket "$T/tty2.sock" c
	runtime_ok exec c sh -c 'readlink /proc/1/fd/0; ls -l /dev/console >/dev/null && echo there'
	assert_equal $'/dev/pts/0\nthere' "$out"
}

@test "bind mounts have the sources of config.json, by their destinations" {
	mkdir "$T/first" "$T/second"
	echo first >"$T/first/name"
	echo second >"$T/second/name"
	config '.mounts += [{destination: "/data", type: "bind", source: $dir, options: ["rbind", "ro"]}]' --arg dir "$T/first"
	run_piped c
	save c
	config '.mounts |= map(if .destination == "/data" then .source = $dir else . end)' --arg dir "$T/second"
	restore_piped c
	runtime_ok exec c sh -c 'cat /data/name; ! touch /data/x 2>/dev/null && echo read-only'
	assert_equal $'second\nread-only' "$out"
}

@test "masked and read-only paths, and devices, are as before" {
	run_piped c
	save c
	restore_piped c
	runtime_ok exec c sh -c '
		[ ! -s /proc/keys ] && [ -z "$(ls -A /sys/firmware)" ] && echo masked
		! echo 1 2>/dev/null >/proc/sys/kernel/shmmax && echo read-only
		head -c 1 /dev/zero | wc -c; echo x >/dev/null && ls -l /dev/full | cut -c 1'
	assert_equal $'masked\nread-only\n1\nc' "$out"
}

@test "the limits of config.json apply to the restored container" {
	run_piped c
	needs_limit pids-limit
	runtime_ok update --pids-limit 50 c
	save c
	config '.linux.resources.pids.limit = 60'
	restore_piped c
	assert_equal 60 "$(cat "$(pids_cgroup)/pids.max")"
	local pid
	pid=$(init_pid c)
	grep -qx "$pid" "$(pids_cgroup)/cgroup.procs"
}

# pids_cgroup: the directory of the container's cgroup with its limit of processes.
pids_cgroup() {
	local dir
	for dir in $(cgroup_dirs "$CGROUP"); do
		[ ! -e "$dir/pids.max" ] || echo "$dir"
	done
}

# bats test_tags=berth
@test "a container that may not make device nodes is restored, and still may not" {
	config '.process.capabilities |= map_values(. + ["CAP_MKNOD"])
		| .linux.resources.devices = [{allow: false, access: "rwm"}, {allow: false, type: "c", access: "m"}]'
	run_piped c
	save c
	restore_piped c
	runtime exec c mknod /tmp/null c 1 3
	assert_match 'Operation not permitted' "$err"
	runtime_ok exec c sh -c 'head -c 1 /dev/zero | wc -c'
	assert_equal 1 "$out"
}

# bats test_tags=berth
@test "checkpoint saves no cgroup of a hierarchy that the container is not in" {
	run_piped c
	grep -qE '^[0-9]+:pids:/$' "/proc/$(init_pid c)/cgroup" || skip "no v1 hierarchy here that the container is not in"
	mkdir "$T/pids"
	mount -t cgroup -o pids pids "$T/pids"
	local other=$T/pids$CGROUP_PARENT-other
	mkdir "$other"
	save c
	rmdir "$other"
	restore_piped c
	local again=no
	[ ! -e "$other" ] || again=yes
	umount "$T/pids"
	assert_equal no $again
}

@test "privileges are as before" {
	config '.process.noNewPrivileges = true | .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 200}] | .process.oomScoreAdj = 77
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 1}]}'
	run_piped c
	local before after
	before=$(privileges_of "$(init_pid c)")
	save c
	restore_piped c
	after=$(privileges_of "$(init_pid c)")
	assert_equal "$before" "$after"
	assert_match 'Seccomp:	2' "$after"
	# exec has the filter, too.
	runtime exec c mkdir /tmp/x
	assert_match 'Operation not permitted' "$err"
}

# privileges_of PID: what the kernel reports.
privileges_of() {
	grep -E '^(Cap|NoNewPrivs|Seccomp:|Uid|Gid|Groups)' "/proc/$1/status"
	grep 'open files' "/proc/$1/limits"
	cat "/proc/$1/oom_score_adj"
}

@test "hooks run when a container is restored" {
	local kind
	for kind in prestart createRuntime poststop; do
		config '.hooks[$kind] = [{path: "/bin/sh", args: ["sh", "-c", "echo \($kind) >>\($file); cat >/dev/null"]}]' --arg kind "$kind" --arg file "$T/hooks"
	done
	run_piped c
	save c
	: >"$T/hooks"
	restore_piped c
	assert_equal $'prestart\ncreateRuntime' "$(cat "$T/hooks")"
	runtime_ok delete --force c
	assert_equal poststop "$(tail -n 1 "$T/hooks")"
}

# bats test_tags=berth
@test "a hook that fails ends the restore" {
	run_piped c
	save c
	config '.hooks.createRuntime = [{path: "/bin/false"}]'
	runtime restore -d --bundle "$BUNDLE" --image-path "$T/image" c
	assert_equal 1 "$status"
	assert_match 'hooks.createRuntime\[0\]' "$msg"
	gone c
}

@test "processes with threads, timers and files are restored" {
	config '.root.readonly = false'
	script 'echo one >/file; exec 5<>/file; read -r line <&5; sleep 1000 & trap "echo two >&5; cat /file >/tmp/n" USR1; while :; do sleep 0.05; done'
	run_piped c
	wait_for 10 sleeping
	save c
	restore_piped c
	sleeping
	runtime_ok kill c USR1
	wait_for 10 wrote
	assert_equal $'one\ntwo' "$out"
}

sleeping() {
	runtime_ok exec c ps
	[[ $out == *'sleep 1000'* ]]
}

wrote() {
	runtime exec c cat /tmp/n
	[ "$out" = $'one\ntwo' ]
}

@test "a container with a zombie is restored" {
	script 'sleep 0 & exec tail -f /dev/null' # which waits for no child
	piped run --bundle "$BUNDLE" --detach c
	wait_for 10 has_zombie c
	save c
	restore_piped c
	has_zombie c
	assert_equal running "$(status_of c)"
}

# has_zombie ID: a child of init has ended.
has_zombie() {
	local pid
	pid=$(pgrep -P "$(init_pid "$1")") && grep -q '^State:.*Z' "/proc/$pid/status"
}

@test "a joined network namespace is joined again" {
	background unshare --net sleep 1000
	local path=/proc/$background_pid/ns/net
	wait_for 10 own_network "$path"
	config '.linux.namespaces |= map(if .type == "network" then .path = $path else . end)' --arg path "$path"
	run_piped c
	save c
	restore_piped c
	assert_equal "$(stat -L -c %i "$path")" "$(stat -L -c %i "/proc/$(init_pid c)/ns/net")"
}

own_network() {
	[ "$(readlink "$1")" != "$(readlink /proc/self/ns/net)" ]
}

# bats test_tags=berth
@test "the loopback device of a private network namespace is up again" {
	run_piped c
	save c
	restore_piped c
	runtime_ok exec c cat /sys/class/net/lo/flags
	assert_equal 0x9 "$out"
}

@test "checkpoint refuses a container that does not run" {
	runtime_ok create --bundle "$BUNDLE" c
	runtime checkpoint --image-path "$T/image" c
	assert_equal 1 "$status"
	assert_match 'Container cannot be checkpointed in created state' "$msg"
	assert_equal created "$(status_of c)"
}

@test "a failed checkpoint leaves the container running" {
	script 'exec 7<>/dev/ptmx; n=0; while :; do n=$((n + 1)); echo $n >/tmp/n; sleep 0.05; done'
	mkdir "$T/dir"
	echo deleted >"$T/dir/file"
	run_piped c
	wait_for 10 counts c
	runtime checkpoint --image-path "$T/image" --manage-cgroups-mode nonsense c
	assert_equal 1 "$status"
	assert_match '[Mm]anage.cgroups.mode' "$msg"
	runtime checkpoint --image-path "$T/image" --parent-path "/absolute" c
	assert_equal 1 "$status"
	assert_match 'must be relative' "$msg"
	assert_equal running "$(status_of c)"
	wait_for 10 counts c "$(count c)"
}

# bats test_tags=berth
@test "a container runs on if CRIU is killed while it freezes the processes" {
	run_piped c
	wait_for 10 counts c
	# CRIU logs that it freezes, or has frozen, a cgroup: "freezer.state=FROZEN" on v1.
	kill_criu dump.log 'cgroup.freeze=1|freezer.state=FR'
	runtime --criu "$T/criu" checkpoint --image-path "$T/image" --work-path "$T/work" c
	refused "criu failed: type DUMP errno 0: CRIU ended without a reply \(log file: $T/work/dump.log\)"
	assert_equal running "$(status_of c)"
	wait_for 10 counts c "$(count c)"
}

# bats test_tags=berth
@test "nothing is left of a container if CRIU is killed while it restores it" {
	run_piped c
	save c
	kill_criu restore.log 'Forking task'
	runtime --criu "$T/criu" restore --detach --bundle "$BUNDLE" --image-path "$T/image" --work-path "$T/work" c
	assert_equal 1 "$status"
	assert_match 'criu failed: type RESTORE errno 0: .*CRIU ended without a reply' "$msg"
	gone c
	restore_piped c
}

# kill_criu LOG REGEXP: make $T/criu, a CRIU that is killed when a line of its log matches.
kill_criu() {
	printf '#!/bin/sh\necho $$ >"%s/criu.pid"\nexec criu "$@"\n' "$T" >"$T/criu"
	chmod +x "$T/criu"
	background bash -c 'until grep -qsE "$2" "$1"; do :; done; kill -KILL "$(cat "$0/criu.pid")"' "$T" "$T/work/$1" "$2"
}

# While CRIU has its code in the processes, it has isolated the network of the container.
# bats test_tags=berth
@test "the network of a container is not isolated if CRIU is killed during a dump" {
	run_piped c
	wait_for 10 counts c
	trace_criu sendto:signal=KILL:when=5
	runtime --criu "$T/criu" checkpoint --image-path "$T/image" --work-path "$T/work" --leave-running c
	refused 'criu failed: type DUMP errno 0: CRIU ended without a reply.*; CRIU had its code in the processes, .*kill the container'
	refute_match isolated "$msg"
	refute_match CRIU "$(nsenter --net="/proc/$(init_pid c)/ns/net" iptables -S)"
	assert_equal running "$(status_of c)"
	wait_for 10 counts c "$(count c)"
	rm -r "$T/image"
	save c
	restore_piped c
}

# bats test_tags=berth
@test "the error says that the container has ended with CRIU" {
	run_piped c
	stopped_criu
	kill -KILL "$(init_pid c)"
	kill -KILL "$(<"$T/criu.pid")"
	wait_for 10 ended "$background_pid"
	assert_match 'CRIU ended without a reply.*; the container has ended' "$(<"$T/error")"
	assert_equal 1 "$(wc -l <"$T/error")"
	assert_equal stopped "$(status_of c)"
	runtime_ok delete c
}

# bats test_tags=berth
@test "a checkpoint repairs the network after berth and CRIU were killed in the one before" {
	run_piped c
	wait_for 10 counts c
	stopped_criu
	kill -KILL "$background_pid" "$(<"$T/criu.pid")"
	wait_for 10 ended "$(<"$T/criu.pid")"
	assert_equal running "$(status_of c)"
	local net
	net=/proc/$(init_pid c)/ns/net
	assert_match 'INPUT -j CRIU' "$(nsenter --net="$net" iptables -S)"
	save c --leave-running
	refute_match CRIU "$(nsenter --net="$net" iptables -S)"
	wait_for 10 counts c "$(count c)"
}

# bats test_tags=berth
@test "delete --force removes a container while a stopped CRIU dumps it" {
	run_piped c
	stopped_criu
	runtime_ok delete --force c
	gone c
	kill -CONT "$(<"$T/criu.pid")"
	wait_for 10 ended "$background_pid"
}

# bats test_tags=berth
@test "a terminal's interrupt does not kill CRIU during a dump" {
	run_piped c
	wait_for 10 counts c
	stopped_criu
	kill -INT -- "-$background_pid"
	sleep 0.2
	kill -CONT "$(<"$T/criu.pid")"
	wait_for 10 ended "$background_pid"
	wait_for 10 grep -q 'Dumping FAILED' "$T/work/dump.log"
	assert_equal running "$(status_of c)"
	wait_for 10 counts c "$(count c)"
}

# The lazy pages of this CRIU are never requested.
# bats test_tags=berth
# serving_criu: dump c with a stand-in of CRIU that waits for requests for its memory.
serving_criu() {
	cat >"$T/criu" <<-'EOF'
		#!/bin/sh
		case $(dd bs=65536 count=1 <&3 2>/dev/null | od -An -tu1 -N2) in
		*10) printf '\010\012\020\001\122\004\010\004\020\001' >&3 ;; # version 4.1
		*) printf '\010\006\020\001\052\016\012\014status-ready' >&3 && echo $$ >"$0.pid" && exec sleep 1000 ;;
		esac
	EOF
	chmod +x "$T/criu"
	background "$RUNTIME" --root "$ROOT" --criu "$T/criu" checkpoint --lazy-pages --image-path "$T/image" --work-path "$T/work" c
	wait_for 10 test -s "$T/criu.pid"
}

@test "a container is not locked while CRIU serves its memory" {
	run_piped c
	serving_criu
	wait_for 10 paused c
	runtime_ok resume c
	kill -KILL "$(<"$T/criu.pid")"
	wait_for 10 ended "$background_pid"
	wait_for 10 counts c "$(count c)"
}

@test "checkpoint leaves another container that has got the ID while CRIU served the memory" {
	run_piped c
	serving_criu
	runtime_ok delete --force c
	run_piped c
	wait_for 10 paused c
	kill -KILL "$(<"$T/criu.pid")"
	wait_for 10 ended "$background_pid"
	assert_equal paused "$(status_of c)"
	runtime_ok resume c
}

paused() {
	runtime pause "$1"
	[ "$status" = 0 ]
}

# stopped_criu: dump c in the background, until CRIU, with its code in the processes, is
# stopped by SIGSTOP.
stopped_criu() {
	trace_criu sendto:signal=STOP:when=5
	# shellcheck disable=SC2016 # for the inner shell
	background setsid env --default-signal=INT bash -c 'exec "$@" 2>"$0"' "$T/error" "$RUNTIME" --root "$ROOT" --criu "$T/criu" \
		checkpoint --image-path "$T/image" --work-path "$T/work" c
	wait_for 10 stays_stopped
}

# stays_stopped: CRIU is stopped, and not only by strace for a moment, for wait_for.
stays_stopped() {
	local size
	size=$(stat -c %s "$T/work/dump.log" 2>/dev/null) || return 1
	sleep 0.5
	[ "$size" = "$(stat -c %s "$T/work/dump.log")" ] && grep -q '^State:.*[tT]' "/proc/$(<"$T/criu.pid")/status"
}

# trace_criu INJECTION: make $T/criu, a CRIU that strace injects into. Its PID will be in
# $T/criu.pid.
trace_criu() {
	# shellcheck disable=SC2016 # for the inner shell
	printf '#!/bin/sh\necho $$ >"%s/criu.pid"\nexec strace -D -o /dev/null -e inject=%s criu "$@"\n' "$T" "$1" >"$T/criu"
	chmod +x "$T/criu"
}

# ended PID: the child has ended, for wait_for.
ended() {
	! kill -0 "$1" 2>/dev/null || grep -q '^State:.*Z' "/proc/$1/status"
}

# bats test_tags=berth
@test "the error names the CRIU that is required, and what was found" {
	run_piped c
	runtime --criu /nonexistent/criu checkpoint --image-path "$T/image" c
	assert_equal 1 "$status"
	assert_match 'needs CRIU 3.17 or later: .*/nonexistent/criu' "$msg"
	PATH=/nonexistent runtime_in "$RUNTIME" --root "$ROOT" checkpoint --image-path "$T/image" c
	assert_match 'needs CRIU 3.17 or later: \\?"criu\\?" is not in \$PATH' "$msg"
	runtime --criu /bin/true checkpoint --image-path "$T/image" c
	assert_equal 1 "$status"
	assert_match 'needs CRIU 3.17 or later, but .*/bin/true.* does not answer' "$msg"
	assert_equal running "$(status_of c)"
}

# runtime_in COMMAND...: like runtime, for a command with another environment.
runtime_in() {
	status=0
	"$@" </dev/null >"$T/out" 2>"$T/err" 3>&- || status=$?
	read_output
}

@test "restore refuses an ID in use" {
	run_piped c
	save c --leave-running
	runtime restore -d --bundle "$BUNDLE" --image-path "$T/image" c
	assert_equal 1 "$status"
	assert_match 'container with given ID already exists' "$msg"
	wait_for 10 counts c "$(count c)"
}

# runc restores it writable.
# bats test_tags=berth
@test "a read-only root is read-only again" {
	run_piped c
	save c
	restore_piped c
	runtime exec c touch /x
	assert_match 'Read-only file system' "$err"
}

@test "a container with a user namespace is restored" {
	new_user_namespace
	mkdir -m 755 "$T/image" # CRIU reads it as the container's root
	run_piped c
	wait_for 10 counts c
	save c
	restore_piped c
	wait_for 10 counts c "$(tail -n 1 "$T/output")"
	runtime_ok exec c cat /proc/1/uid_map
	assert_match '0 +100000 +65536' "$out"
	runtime_ok exec c sh -c 'echo x >/dev/null && head -c 1 /dev/zero | wc -c'
	assert_equal 1 "$out"
}

@test "a container with a cgroup namespace is restored" {
	config '.linux.namespaces |= map(select(.type != "cgroup")) + [{type: "cgroup"}]'
	run_piped c
	wait_for 10 counts c
	save c
	restore_piped c
	wait_for 10 counts c "$(tail -n 1 "$T/output")"
	runtime_ok exec c sh -c 'cut -d : -f 3 /proc/1/cgroup | sort -u'
	assert_equal / "$out"
}

@test "restore --no-pivot restores a container" {
	run_piped c
	wait_for 10 counts c
	save c
	restore_piped c --no-pivot
	wait_for 10 counts c "$(tail -n 1 "$T/output")"
}

# bats test_tags=berth
@test "a pre-dump is an error of CRIU on a kernel that does not track memory" {
	run_piped c
	wait_for 10 counts c
	runtime checkpoint --pre-dump --image-path "$T/image" --work-path "$T/work" c
	if [ "$status" = 0 ]; then
		save c --parent-path ../first
		return
	fi
	assert_match 'criu failed: type PRE_DUMP' "$msg"
	assert_equal running "$(status_of c)"
	wait_for 10 counts c "$(count c)"
}
