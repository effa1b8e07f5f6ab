# create and start.
# bats file_tags=v2,kernel
load helpers

prepare() {
	new_bundle
	config '.root.readonly = false'
}

# bats test_tags=arm64
@test "create does not run the program, start does" {
	script 'echo ran >/marker; exec sleep 1000'
	runtime_ok create --bundle "$BUNDLE" c
	assert_equal "" "$out$err"
	assert_equal created "$(status_of c)"
	runtime_ok start c
	assert_equal "" "$out$err"
	assert_equal running "$(status_of c)"
	wait_for 5 has_line "$BUNDLE/rootfs/marker" ran
}

@test "a created container has not run its program" {
	script 'echo ran >/marker'
	runtime_ok create --bundle "$BUNDLE" c
	# The one process of the container still waits: it has nothing of the program, and
	# cannot write the marker any more after it has ended.
	alive "$(init_pid c)"
	refute_match 'sh|busybox' "$(readlink "/proc/$(init_pid c)/exe")"
	runtime_ok delete --force c
	[ ! -e "$BUNDLE/rootfs/marker" ]
}

@test "start keeps the process that create started" {
	script 'exec sleep 1000'
	runtime_ok create --bundle "$BUNDLE" c
	local pid
	pid=$(init_pid c)
	runtime_ok start c
	assert_equal "$pid" "$(init_pid c)"
	assert_equal "$(stat -c %d:%i "$BUNDLE/rootfs/bin/busybox")" "$(stat -L -c %d:%i "/proc/$pid/exe")"
}

@test "the bundle is the current directory by default" {
	args true
	cd "$BUNDLE"
	runtime_ok create c
	assert_equal "$BUNDLE" "$("$RUNTIME" --root "$ROOT" state c | jq -r .bundle)"
	runtime_ok delete c
}

@test "create finds a relative bundle" {
	args true
	cd "$T"
	runtime_ok create -b bundle c
	assert_equal "$BUNDLE" "$("$RUNTIME" --root "$ROOT" state c | jq -r .bundle)"
}

@test "an absolute root path is used as it is" {
	mv "$BUNDLE/rootfs" "$T/elsewhere"
	config '.root.path = $path' --arg path "$T/elsewhere"
	run_script 'echo here >/marker'
	assert_equal here "$(cat "$T/elsewhere/marker")"
}

@test "a root path may be a symlink" {
	mv "$BUNDLE/rootfs" "$T/elsewhere"
	ln -s "$T/elsewhere" "$BUNDLE/rootfs"
	run_script 'echo here >/marker'
	assert_equal here "$(cat "$T/elsewhere/marker")"
}

@test "create refuses an existing ID, and leaves its container alone" {
	args sleep 1000
	start_detached c
	local before
	before=$("$RUNTIME" --root "$ROOT" state c)
	runtime create --bundle "$BUNDLE" c
	refused 'container with given ID already exists'
	runtime run --bundle "$BUNDLE" c
	refused 'container with given ID already exists'
	assert_equal "$before" "$("$RUNTIME" --root "$ROOT" state c)"
	alive "$(init_pid c)"
}

@test "the same ID may exist in two state roots" {
	args sleep 1000
	runtime_ok create --bundle "$BUNDLE" c
	config '.linux.cgroupsPath = $cgroup' --arg cgroup "$CGROUP-other"
	runtime_ok --root "$T/second" create --bundle "$BUNDLE" c
	refute_match "^$(init_pid c)\$" "$("$RUNTIME" --root "$T/second" state c | jq -r .pid)"
	runtime_ok --root "$T/second" delete --force c
	assert_equal created "$(status_of c)"
}

@test "create accepts only letters, digits and _+-. in an ID" {
	local id
	args true
	for id in a A9 a_b+c-d.e ..a 1 h help "$(printf 'x%.0s' {1..255})"; do
		runtime_ok create --bundle "$BUNDLE" "$id"
		runtime_ok delete --force "$id"
	done
	for id in . .. a/b ../c /c 'a b' a:b ä $'a\nb' 'a%'; do
		runtime create --bundle "$BUNDLE" "$id"
		refused 'invalid container ID format'
		[ ! -e "$T/c" ]
	done
	runtime create --bundle "$BUNDLE" ''
	refused 'container id cannot be empty'
}

@test "the pid file holds the pid and nothing else" {
	args sleep 1000
	echo stale-and-longer-than-a-pid >"$T/pid"
	runtime_ok create --bundle "$BUNDLE" --pid-file "$T/pid" c
	assert_equal "$(printf %s "$(init_pid c)" | od -c)" "$(od -c <"$T/pid")"
	assert_equal 644 "$(stat -c %a "$T/pid")"
	assert_equal "$T/pid" "$(find "$T" -maxdepth 1 -name '*pid*')"
}

@test "a relative pid file is not relative to the bundle" {
	args sleep 1000
	cd "$T"
	runtime_ok create --bundle "$BUNDLE" --pid-file my.pid c
	[ -s "$T/my.pid" ]
	assert_equal "$(init_pid c)" "$(cat "$T/my.pid")"
}

@test "a pid file that cannot be written fails create, which leaves no container" {
	args sleep 1000
	runtime create --bundle "$BUNDLE" --pid-file "$T/nowhere/pid" c
	refused 'nowhere.*no such file or directory'
	no_state_left
	no_cgroup_left
	no_process_left
}

# With runc the user has to remove the file.
# bats test_tags=berth
@test "create replaces the temporary pid file of a killed runtime" {
	args true
	echo precious >"$T/precious"
	ln -s precious "$T/.pid"
	runtime_ok create --bundle "$BUNDLE" --pid-file "$T/pid" c
	assert_equal "$(init_pid c)" "$(cat "$T/pid")"
	assert_equal precious "$(cat "$T/precious")"
	[ ! -L "$T/pid" ]
	[ ! -e "$T/.pid" ]
}

# runc needs less space.
# bats test_tags=berth
@test "create leaves no container when the disk is full" {
	local size refused=0
	args true
	mkdir "$T/small"
	for size in 4k 8k 12k 24k 32k 48k 128k 140k 160k; do
		mount -t tmpfs -o "size=$size" none "$T/small"
		ROOT=$T/small/state runtime create --bundle "$BUNDLE" c
		if [ "$status" != 0 ]; then
			refused=$((refused + 1))
			refused 'no space left on device'
			ROOT=$T/small/state no_state_left
		else
			ROOT=$T/small/state runtime_ok start c
			ROOT=$T/small/state runtime_ok delete --force c
		fi
		umount "$T/small"
	done
	[ "$refused" -ge 3 ]
	[ "$refused" -lt 9 ]
}

@test "start refuses a running container" {
	args sleep 1000
	start_detached c
	runtime start c
	refused 'cannot start an already running container'
	assert_equal running "$(status_of c)"
}

@test "start refuses a stopped container" {
	args true
	start_detached c
	wait_for 5 has_status c stopped
	runtime start c
	refused 'cannot start a container that has stopped'
}

@test "start refuses a container that does not exist" {
	runtime start c
	refused 'container does not exist'
}

@test "start ignores changes of config.json after create" {
	script 'echo first >/marker; exec sleep 1000'
	runtime_ok create --bundle "$BUNDLE" c
	script 'echo second >/marker; exec sleep 1000'
	runtime_ok start c
	wait_for 5 appears "$BUNDLE/rootfs/marker"
	assert_equal first "$(cat "$BUNDLE/rootfs/marker")"
}

@test "the program has the standard files of create" {
	script 'cat; echo to stderr >&2'
	echo 'from stdin' >"$T/in"
	"$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" c <"$T/in" >"$T/c.out" 2>"$T/c.err" 3>&-
	runtime_ok start c
	wait_for 5 has_status c stopped
	assert_equal 'from stdin' "$(cat "$T/c.out")"
	assert_equal 'to stderr' "$(cat "$T/c.err")"
}

@test "start reports a program that only the kernel finds invalid" {
	printf '\177ELF but not really' >"$BUNDLE/rootfs/bin/broken"
	chmod +x "$BUNDLE/rootfs/bin/broken"
	args /bin/broken
	runtime_ok create --bundle "$BUNDLE" c
	runtime start c
	refused 'exec "?/bin/broken"?: exec format error'
	has_status c stopped
}

@test "start reports a missing interpreter" {
	printf '#!/no/such/interpreter\n' >"$BUNDLE/rootfs/bin/script"
	chmod +x "$BUNDLE/rootfs/bin/script"
	args /bin/script
	runtime_ok create --bundle "$BUNDLE" c
	runtime start c
	refused 'exec "?/bin/script"?: no such file or directory'
	has_status c stopped
}

@test "start needs only the ID" {
	# Engines pass flags to create and not to start; the bundle may be inaccessible as
	# well.
	script 'echo ran >/marker; exec sleep 1000'
	runtime_ok create --bundle "$BUNDLE" c
	mv "$BUNDLE/config.json" "$T/hidden"
	cd /
	runtime_ok start c
	wait_for 5 has_line "$BUNDLE/rootfs/marker" ran
}

# Since runc 1.2.
# bats test_tags=berth
@test "create and run send a pidfd of init to --pidfd-socket" {
	args sleep 1000
	background "$PROBE" recvpidfd "$BUNDLE/pidfd.sock" "$T"
	wait_for 5 test -S "$BUNDLE/pidfd.sock"
	runtime_ok create --bundle "$BUNDLE" --pidfd-socket pidfd.sock c
	wait_for 5 appears "$T/pidfd"
	assert_equal "standard $(init_pid c)" "$(<"$T/pidfd")"
}

# From crun.
# bats test_tags=berth
@test "--config names another configuration, relative to the bundle" {
	args true
	mv "$BUNDLE/config.json" "$BUNDLE/other.json"
	runtime_ok run --bundle "$BUNDLE" --config other.json c
	mv "$BUNDLE/other.json" "$T/elsewhere.json"
	runtime_ok run --bundle "$BUNDLE" --config "$T/elsewhere.json" c
	runtime run --bundle "$BUNDLE" --config nope.json c
	refused 'nope.json not found'
}

# bats test_tags=berth
@test "create does without madvise" {
	args true
	"$PROBE" deny lack madvise "$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err" 3>&- ||
		failed "create failed: $(<"$T/err")"
	runtime_ok start c
	runtime_ok delete --force c
}
