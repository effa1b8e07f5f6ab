# What a hostile container can do to a process that the runtime executes in it.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	config '.root.readonly = false'
	args sleep 1000
}

# attempt ARG...: exec in the container c; the test checks the result.
attempt() {
	[ -d "$ROOT/c" ] || runtime_ok run -d --bundle "$BUNDLE" c
	runtime exec "$@"
}

@test "exec refuses a leaked directory as working directory" {
	# CVE-2024-21626
	local fd
	for fd in $(seq 3 16); do
		attempt --cwd "/proc/self/fd/$fd" c pwd 7</
		assert_equal 255 "$status"
		assert_equal "" "$out"
	done
}

@test "exec refuses a leaked directory that the image has a link to" {
	# CVE-2024-21626
	local fd
	for fd in $(seq 3 16); do
		ln -s "/proc/self/fd/$fd" "$BUNDLE/rootfs/link$fd"
		attempt --cwd "/link$fd" c pwd 7</
		assert_equal 255 "$status"
		attempt --cwd "/link$fd/../../../.." c cat etc/shadow 7</
		[ "$status" != 0 ]
		assert_equal "" "$out"
	done
}

@test "exec and run refuse a preserved descriptor as working directory" {
	# The process does have the descriptor; a directory of the host would give it more
	# access than its own working directory.
	given() {
		status=0
		"$RUNTIME" --root "$ROOT" "$@" </dev/null >"$T/out" 2>"$T/err" 3<"$T" || status=$?
		read_output
		[ "$status" != 0 ] || failed "it is $out"
		assert_match 'possible container breakout' "$msg"
	}
	runtime_ok run -d --bundle "$BUNDLE" c
	given exec --preserve-fds 1 --cwd /proc/self/fd/3 c pwd
	runtime_ok delete --force c
	config '.process.cwd = "/proc/self/fd/3"'
	args pwd
	given run --preserve-fds 1 --bundle "$BUNDLE" x
}

@test "a container that executes /proc/self/exe gets the stub, not the runtime" {
	# CVE-2019-5736
	local before
	before=$(sha256sum <"$RUNTIME")
	printf '#!/proc/self/exe\n' >"$BUNDLE/rootfs/bin/trap"
	chmod +x "$BUNDLE/rootfs/bin/trap"
	ln -s /proc/self/exe "$BUNDLE/rootfs/bin/trap2"
	# Hold the executable open, and write to it after its process has ended.
	cat >"$BUNDLE/rootfs/hold" <<-'END'
		while :; do
			for exe in /proc/[0-9]*/exe; do
				[ -e "$exe" ] && ! [ "$exe" -ef /bin/busybox ] || continue
				readlink "$exe" >>/seen
				echo overwritten >"$exe" && echo written >>/seen
			done
		done 2>/dev/null
	END
	script '. /hold'
	local program
	for program in /bin/trap /bin/trap2 /proc/self/exe; do
		attempt c "$program"
		[ "$status" != 0 ]
		attempt c sh -c "exec $program"
		[ "$status" != 0 ]
	done
	assert_equal "$before" "$(sha256sum <"$RUNTIME")"
	refute_match "$RUNTIME|written" "$(cat "$BUNDLE/rootfs/seen" 2>/dev/null)"
}

# bats test_tags=berth
@test "the container cannot access the exec stub before it is the program" {
	# CVE-2016-9962
	cp "$PROBE" "$BUNDLE/rootfs/bin/probe"
	args /bin/probe spy
	config '.process.capabilities |= with_entries(.value += ["CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"])'
	spy_on_execs
}

# bats test_tags=berth
@test "root with CAP_SYS_PTRACE in a user namespace cannot access the exec stub" {
	cp "$PROBE" "$BUNDLE/rootfs/bin/probe"
	args /bin/probe spy
	new_user_namespace 0:100000:65536
	config '.process.capabilities |= with_entries(.value += ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_SYS_ADMIN"])'
	spy_on_execs
}

# bats test_tags=berth
@test "the exec stub has no more capabilities than its program when the container can see it" {
	# Root with CAP_SYS_PTRACE in the runtime's own user namespace can trace it,
	# dumpable or not.
	cp "$PROBE" "$BUNDLE/rootfs/bin/probe"
	args /bin/probe spy
	config '.process.capabilities |= with_entries(.value += ["CAP_SYS_PTRACE"]) | .process.noNewPrivileges = true'
	spy_on_execs "privileged"
}

# bats test_tags=berth
@test "the container never sees the mount stub" {
	cp "$PROBE" "$BUNDLE/rootfs/bin/probe"
	args /bin/probe spy
	"$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/spied" 2>&1
	wait_for 5 has_line "$T/spied" spying
	mkdir "$T/source"
	jq -n '[{destination: "/a", type: "tmpfs", source: "t"}, {destination: "/b", source: $source, options: ["bind"]}]' --arg source "$T/source" >"$T/mounts.json"
	local i
	for ((i = 0; i < 20; i++)); do
		runtime_ok mounts add c "$T/mounts.json"
		runtime_ok mounts remove c "$T/mounts.json"
	done
	assert_equal spying "$(cat "$T/spied")"
}

# spy_on_execs [LOOT]: exec until the spy has seen several processes; it must not get
# LOOT.
spy_on_execs() {
	local loot=${1:-got|privileged}
	"$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/spied" 2>&1
	wait_for 5 has_line "$T/spied" spying
	wait_for 20 met_often || failed "not met often enough:" "$(cat "$T/spied")"
	refute_match "$loot" "$(cat "$T/spied")"
}

# met_often: exec once more, for wait_for.
met_often() {
	"$RUNTIME" --root "$ROOT" exec c true </dev/null || failed "exec"
	has_line "$T/spied" 'spied 5'
}

@test "exec opens a terminal only in a devpts" {
	config '.mounts |= map(select(.destination != "/dev/pts"))'
	background "$PROBE" recvtty "$T/tty.sock" "$T"
	wait_for 5 test -S "$T/tty.sock"
	mkdir -p "$BUNDLE/rootfs/dev/pts"
	attempt -d -t --console-socket "$T/tty.sock" c true
	assert_equal 255 "$status"
	assert_match 'ptmx' "$msg"
}

@test "a container cannot prevent exec from dropping the runtime's groups" {
	# setgroups(2) is denied in the user namespace that the container makes.
	new_user_namespace
	config '.process.capabilities |= with_entries(.value += ["CAP_SETFCAP"])' # to map root
	script 'exec unshare -U -r sleep 1000'
	runtime_ok run -d --bundle "$BUNDLE" c
	wait_for 5 grep -q deny "/proc/$(init_pid c)/setgroups"
	status=0
	setpriv --groups 4242 "$RUNTIME" --root "$ROOT" exec c grep Groups /proc/self/status </dev/null >"$T/out" 2>"$T/err" || status=$?
	read_output
	[ "$status" != 0 ] || assert_equal 'Groups:' "$(squeezed "$out")"
}

# bats test_tags=berth
@test "SIGTERM ends an exec that waits for a paused container" {
	runtime_ok run -d --bundle "$BUNDLE" c
	runtime_ok pause c
	"$RUNTIME" --root "$ROOT" exec --ignore-paused c true </dev/null >"$T/out" 2>"$T/err" &
	local exec=$!
	wait_for 5 has_processes c 2
	kill -TERM "$exec"
	status=0
	wait "$exec" || status=$?
	read_output
	assert_equal 255 "$status"
	assert_match 'received terminated before the program could be started' "$msg"
	runtime_ok resume c
	runtime_ok exec c true
	wait_for 5 has_processes c 1
}

# bats test_tags=berth
@test "SIGTERM ends an exec that waits for a file system that never answers" {
	mkdir "$BUNDLE/rootfs/stall"
	with_fuse stall /stall
	background timeout "$(patient 20)" "$RUNTIME" --root "$ROOT" exec --cwd /stall c true </dev/null >"$T/out" 2>"$T/err"
	wait_for 5 stalled c
	# timeout(1) passes the signal on.
	kill -TERM "$background_pid"
	status=0
	wait "$background_pid" || status=$?
	read_output
	assert_match 'before the program could be started' "$msg"
	wait_for 5 has_processes c 1
}

# stalled ID: a process in the container waits in a call that only SIGKILL can end.
stalled() {
	local pid
	for pid in $("$RUNTIME" --root "$ROOT" ps --format json "$1" | jq '.[]'); do
		! grep -q '^State:[[:space:]]*D' "/proc/$pid/status" || return 0
	done
	return 1
}

@test "exec refuses a terminal of a file system that the container mounted" {
	# The file system answers with a descriptor as the other side of the terminal, which
	# would get the program's user as owner: the null device of the stub, here
	# descriptor 1.
	with_fuse terminals /dev/pts 1
	background "$PROBE" recvtty "$T/tty.sock" "$T"
	wait_for 5 test -S "$T/tty.sock"
	mknod "$T/null" c 1 3
	status=0
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount --propagation private sh -c 'mount --bind "$0" /dev/null && exec "$@"' "$T/null" \
		"$RUNTIME" --root "$ROOT" exec -d -t --user 1000 --console-socket "$T/tty.sock" c true >"$T/out" 2>"$T/err" <"$T/mounts" || status=$?
	read_output
	[ "$status" != 0 ]
	assert_equal '0 0' "$(stat -c '%u %g' "$T/null")"
}

# with_fuse COMMAND...: run the container c, in which the probe is init and may mount
# its own file systems.
with_fuse() {
	[ -c /dev/fuse ] || skip "no /dev/fuse here"
	cp "$PROBE" "$BUNDLE/rootfs/bin/probe"
	config '.process.capabilities[] += ["CAP_SYS_ADMIN"] | .linux.devices = [{path: "/dev/fuse", type: "c", major: 10, minor: 229}]
		| .linux.resources.devices += [{allow: true, type: "c", major: 10, minor: 229, access: "rw"}]'
	args /bin/probe "$@"
	"$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/fuse" 2>&1 || failed "$(<"$T/fuse")"
	wait_for 5 has_line "$T/fuse" mounted
}

# has_processes ID N: the container has N processes.
has_processes() {
	[ "$("$RUNTIME" --root "$ROOT" ps --format json "$1" | jq length)" = "$2" ]
}

# bats test_tags=berth
@test "exec refuses a terminal of the host" {
	# CVE-2025-52565: by a link to a terminal that was opened on the host, in its
	# devpts.
	config '.mounts |= map(select(.destination != "/dev/pts"))'
	background "$PROBE" recvtty "$T/tty.sock" "$T"
	wait_for 5 test -S "$T/tty.sock"
	mkdir -p "$BUNDLE/rootfs/dev/pts"
	script 'mkdir /dev/pts; ln -s /proc/1/fd/0 /dev/pts/ptmx; echo ready; exec sleep 1000'
	"$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/pts/ptmx >"$T/printed" 2>&1
	wait_for 5 has_line "$T/printed" ready
	attempt -d -t --console-socket "$T/tty.sock" c true
	assert_equal 255 "$status"
	assert_match 'ptmx.*: too many levels of symbolic links' "$msg"
	[ ! -e "$T/descriptors" ]
}

# bats test_tags=berth
@test "an endless passwd does not block exec" {
	rm "$BUNDLE/rootfs/etc/passwd"
	mkfifo "$BUNDLE/rootfs/etc/passwd"
	attempt c sh -c 'echo $HOME'
	assert_equal / "$out"
	rm "$BUNDLE/rootfs/etc/passwd"
	ln -s /dev/zero "$BUNDLE/rootfs/etc/passwd"
	attempt c sh -c 'echo $HOME'
	assert_equal / "$out"
}

# bats test_tags=berth
@test "exec and mounts add end although the container stops their stubs" {
	cp "$PROBE" "$BUNDLE/rootfs/bin/probe"
	args /bin/probe stop
	"$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/stopping" 2>&1
	wait_for 5 has_line "$T/stopping" stopping
	echo '[{"destination": "/proc2", "type": "proc", "source": "proc"}]' >"$T/added"
	# The stub may be fast enough; else its operation fails.
	local i
	for i in 1 2 3; do
		ended() {
			case $status in
			0 | 137) ;;
			*) assert_match 'stopped \(SIGSTOP\) again and again' "$msg" ;;
			esac
		}
		runtime mounts add c "$T/added"
		ended
		[ "$status" != 0 ] || runtime_ok mounts remove c "$T/added"
		runtime exec -d c true
		ended
	done
	refute_match berth/init "$(for i in $(orphans); do cat "/proc/$i/comm"; done)"
}

# bats test_tags=berth
@test "exec works if passwd is a device, a directory or leased" {
	local passwd=$BUNDLE/rootfs/etc/passwd
	succeeds() {
		attempt c sh -c 'echo $HOME'
		succeeded "exec with $1 as passwd"
		assert_equal / "$out"
		rm -r "$passwd"
	}
	rm "$passwd"
	mknod "$passwd" c 250 250
	succeeds "a device"
	mkdir "$passwd"
	succeeds "a directory"
	ln -s /dev/tty "$passwd"
	succeeds "a terminal"
	echo "root:x:0:0::/leased:" >"$passwd"
	# A process that opens it without O_NONBLOCK waits 45 seconds (fcntl(2)).
	background "$PROBE" lease "$passwd" >"$T/lease"
	wait_for 5 has_line "$T/lease" leased
	succeeds "a file with a lease"
}

# bats test_tags=berth
@test "exec reports a container that ends while exec starts" {
	# Whenever the container ends: the process's exit code, or one clear error.
	local i end=0
	for ((i = 0; i < 25; i++)); do
		args sleep "0.0$((i % 10))"
		"$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" e </dev/null >/dev/null 2>&1
		while :; do
			runtime exec e sleep 0.001
			case $status in
			0 | 137) ;;
			255)
				assert_equal 1 "$(wc -l <"$T/err")"
				assert_match 'container not running|cannot exec in a stopped container' "$msg"
				! [[ $msg =~ "while the process was being started" ]] || end=$((end + 1))
				break
				;;
			*) failed "exit status $status: $err" ;;
			esac
		done
		runtime_ok delete --force e
	done
	echo "# $end of 25 ended in the middle of exec" >&3
}
