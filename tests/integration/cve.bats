# Attacks that worked on other runtimes, each by the number of its advisory.
# docs/security.md lists all of them, with the tests in other files.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	config '.root.readonly = false'
	VICTIM=$T/victim
	mkdir "$VICTIM"
	local name
	for name in null zero ptmx console core fd tty; do
		echo untouched >"$VICTIM/$name"
	done
	find "$VICTIM" -printf '%p %i %m %U:%G %n %s %T@ %C@\n' | sort >"$T/victim-was"
}

# victim_untouched: nothing in the directory outside has changed.
victim_untouched() {
	local change
	change=$(diff "$T/victim-was" <(find "$VICTIM" -printf '%p %i %m %U:%G %n %s %T@ %C@\n' | sort)) || failed "outside has changed:" "$change"
}

# no_mount DESTINATION...: remove these mounts of the default config.
no_mount() {
	config '.mounts |= map(select(.destination as $d | $ARGS.positional | index($d) | not))' --args -- "$@"
}

@test "CVE-2016-3697: a numeric user is a number, whatever the image's passwd names" {
	printf '1000:x:0:0:root:/:/bin/sh\nroot:x:0:0::/:/bin/sh\n' >"$BUNDLE/rootfs/etc/passwd"
	config '.process.user = {uid: 1000, gid: 1000}'
	run_script 'id -u; id -g'
	assert_equal $'1000\n1000' "$out"
	config '.process.user = {uid: 0, gid: 0}'
	args sleep 1000
	start_detached c
	runtime_ok exec --user 1000 c id -u
	assert_equal 1000 "$out"
}

@test "CVE-2016-9962: a container in the same pid and user namespaces cannot access one being created" {
	new_user_namespace
	all_capabilities
	config '.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"])'
	args sleep 1000
	start_detached spy
	local spy pid
	spy=$(init_pid spy)
	BUNDLE=$T/second CGROUP=$CGROUP-2
	new_bundle
	chown -R 100000:100000 "$BUNDLE/rootfs"
	config '(.linux.namespaces[] | select(.type == "pid")).path = $pid | .linux.namespaces += [{type: "user", path: $user}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings' \
		--arg pid "/proc/$spy/ns/pid" --arg user "/proc/$spy/ns/user"
	runtime_ok create --bundle "$BUNDLE" c
	pid=$(awk '$1 == "NSpid:" { print $NF }' "/proc/$(init_pid c)/status")
	runtime_ok exec spy grep Name: "/proc/$pid/status"
	assert_match berth/init "$out"
	# shellcheck disable=SC2016 # for the container's shell
	runtime_ok exec spy sh -c 'cd /proc/$1 && for f in exe cwd root fd/0 ns/mnt; do readlink $f && echo "got $f"; done
		for f in mem environ maps auxv; do cat $f >/dev/null && echo "got $f"; done; ls fd && echo got fds; true' sh "$pid"
	assert_equal "" "$out"
}

@test "CVE-2019-5736: the executable of the stub is not a file of the host" {
	local before program pid
	before=$(sha256sum <"$RUNTIME")
	printf '#!/proc/self/exe\n' >"$BUNDLE/rootfs/bin/trap"
	chmod +x "$BUNDLE/rootfs/bin/trap"
	ln -s /proc/self/exe "$BUNDLE/rootfs/bin/trap2"
	for program in /proc/self/exe /bin/trap /bin/trap2; do
		args "$program"
		runtime run --bundle "$BUNDLE" c
		[ "$status" != 0 ]
	done
	args sleep 1000
	runtime_ok create --bundle "$BUNDLE" c
	pid=$(init_pid c)
	[ "$(stat -L -c %s "/proc/$pid/exe")" -lt 4096 ] || failed "$(readlink "/proc/$pid/exe")"
	run ! cp "$BUNDLE/rootfs/bin/trap" "/proc/$pid/exe"
	assert_equal "$before" "$(sha256sum <"$RUNTIME")"
}

@test "CVE-2021-43784: create keeps every value of a long configuration" {
	config '.process.env += ["BIG=" + ("x" * 100000)]
		| .mounts += [range(400) | {destination: ("/tmp/" + ("d" * 200) + "/\(.)"), type: "tmpfs", source: "many", options: ["mode=700", "size=4k"]}]'
	# shellcheck disable=SC2016 # for the container's shell
	run_script 'echo ${#BIG}; grep -c " tmpfs many " /proc/self/mountinfo'
	assert_equal $'100000\n400' "$out"
}

@test "GHSA-5g49-rx9x-qfc6: create refuses a name in unified that leads out of the container's cgroup" {
	local name
	args true
	for name in '../cgroup.max.depth' '../../cgroup.max.depth' '/sys/fs/cgroup/cgroup.max.depth' 'x/../../cgroup.max.depth'; do
		config '.linux.resources = {unified: {($name): "1"}}' --arg name "$name"
		status=0
		in_view v2 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c >"$T/out" 2>"$T/err" || status=$?
		read_output
		[ "$status" = 1 ] || failed "$err"
		assert_match unified "$msg"
	done
}

@test "CVE-2023-25809: an unprivileged container without a cgroup namespace cannot write to cgroups" {
	rootless_user
	rm -r "$BUNDLE"
	rootless_bundle
	config 'del(.linux.namespaces[] | select(.type == "cgroup"))'
	# shellcheck disable=SC2016 # for the container's shell
	run_script 'for f in $(find /sys/fs/cgroup -name cgroup.procs | head -n 20) /sys/fs/cgroup/cgroup.procs; do echo 0 2>/dev/null >>$f && echo "written $f"; done
		find /sys/fs/cgroup -type d | head -n 20 | while read -r d; do mkdir $d/made 2>/dev/null && echo "made $d/made"; done; grep " /sys/fs/cgroup" /proc/self/mountinfo'
	refute_match 'written|made' "$out"
	assert_options "$out" /sys/fs/cgroup ro
	# The cgroup to which the user may write.
	delegate_cgroup
	# shellcheck disable=SC2016 # for the container's shell
	run_script 'own=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)
		mkdir $own/made 2>/dev/null && echo made; for f in $own/cgroup.*; do [ -O $f ] && echo "mine $f"; echo 0 2>/dev/null >>$f && echo "written $f"; done
		grep " /sys/fs/cgroup" /proc/self/mountinfo'
	assert_match "mine /sys/fs/cgroup/.*/cgroup.procs" "$out"
	refute_match 'written|made' "$out"
	assert_options "$out" /sys/fs/cgroup ro
}

@test "CVE-2024-45310: create resolves a dangling link of the image within the image" {
	local outside=$T/nowhere/at/all
	ln -s "$outside" "$BUNDLE/rootfs/absolute"
	ln -s "../../../../../../../../../..$outside" "$BUNDLE/rootfs/relative"
	config '.mounts += [{destination: "/absolute/x", type: "tmpfs", source: "t"}, {destination: "/relative/y", type: "tmpfs", source: "t"}] | .process.cwd = "/absolute/cwd"'
	run_script 'pwd; grep -c " tmpfs t " /proc/self/mountinfo'
	assert_equal "$(printf '%s/cwd\n2' "$outside")" "$out"
	[ ! -e "$T/nowhere" ] || failed "$(find "$T/nowhere")"
}

# bats test_tags=berth
@test "CVE-2025-31133: the image's null device never masks a path" {
	echo secret >"$BUNDLE/rootfs/etc/secret"
	config '.linux.maskedPaths = ["/etc/secret"]'
	# /dev is a bind mount, so that create makes no devices in it.
	mkdir "$T/dev"
	config '.mounts |= map(select(.destination | startswith("/dev") | not)) + [{destination: "/dev", type: "none", source: $dev, options: ["bind"]}]' --arg dev "$T/dev"
	local fake
	for fake in "ln -s /etc/target $T/dev/null" "touch $T/dev/null" "mkfifo $T/dev/null"; do
		rm -f "$T/dev/null"
		$fake
		echo target >"$BUNDLE/rootfs/etc/target"
		run_script 'stat -c %t:%T /etc/secret; wc -c </etc/secret; echo x >/etc/secret; cat /etc/target'
		assert_equal $'1:3\n0\ntarget' "$out"
	done
}

# bats test_tags=berth
@test "CVE-2025-31133: create refuses an image with a false null device in its own /dev" {
	no_mount /dev /dev/pts /dev/shm /dev/mqueue
	mkdir "$BUNDLE/rootfs/dev"
	local fake
	script 'stat -c %t:%T /dev/null'
	for fake in "ln -s $VICTIM/null $BUNDLE/rootfs/dev/null" "ln -s ../../victim/null $BUNDLE/rootfs/dev/null" "touch $BUNDLE/rootfs/dev/null" "mknod $BUNDLE/rootfs/dev/null c 1 5" \
		"mknod $BUNDLE/rootfs/dev/null c 5 3" "mknod $BUNDLE/rootfs/dev/null b 1 3" "ln -s /dev/null $BUNDLE/rootfs/dev/null"; do
		rm -f "$BUNDLE/rootfs/dev/null"
		$fake
		runtime run --bundle "$BUNDLE" c
		refused 'default device "/dev/null"'
		victim_untouched
	done
	# The target of a link does not get the owner of a device either.
	rm "$BUNDLE/rootfs/dev/null"
	ln -s "$VICTIM/fd" "$BUNDLE/rootfs/dev/own"
	config '.linux.devices = [{path: "/dev/own", type: "c", major: 1, minor: 3, uid: 1000, gid: 1000}]'
	runtime run --bundle "$BUNDLE" c
	refused 'linux\.devices\[0\]: device "/dev/own"'
	victim_untouched
}

# bats test_tags=berth
@test "CVE-2025-31133: create refuses a false null device of the host" {
	local fake
	args true
	for fake in "touch $T/null" "mknod $T/null c 1 5"; do
		rm -f "$T/null"
		$fake
		status=0
		unshare --mount --propagation private sh -c 'mount --bind "$0" /dev/null && exec "$@"' "$T/null" \
			"$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c <"$T/mounts" >"$T/out" 2>"$T/err" || status=$?
		read_output
		refused 'host.s "/dev/null": not the null device \(character device 1:3\)'
	done
}

# fake_terminal: the container has a terminal, and the image's terminals are links that
# lead out of it; the console socket is $T/tty.sock.
fake_terminal() {
	config '.process.terminal = true'
	background "$PROBE" recvtty "$T/tty.sock" "$T"
	wait_for 5 test -S "$T/tty.sock"
}

# bats test_tags=berth
@test "CVE-2025-52565: create refuses a terminal of the image" {
	no_mount /dev/pts
	no_mount /dev
	mkdir -p "$BUNDLE/rootfs/dev/pts"
	ln -s "$VICTIM/tty" "$BUNDLE/rootfs/dev/pts/0"
	mknod "$BUNDLE/rootfs/dev/pts/ptmx" c 5 2
	fake_terminal
	args true
	runtime create --bundle "$BUNDLE" --console-socket "$T/tty.sock" c
	refused 'open terminal'
	victim_untouched
}

# bats test_tags=berth
@test "CVE-2025-52565: create binds the terminal on no link of the image" {
	no_mount /dev
	mkdir -p "$BUNDLE/rootfs/dev/pts"
	ln -s "$VICTIM/console" "$BUNDLE/rootfs/dev/console"
	fake_terminal
	args sleep 1000
	runtime create --bundle "$BUNDLE" --console-socket "$T/tty.sock" c
	victim_untouched
	[ "$status" != 0 ] || refute_match victim "$(cat "/proc/$(init_pid c)/mountinfo")"
	# Nor is it bound on another file of the image.
	ln -sf /etc/passwd "$BUNDLE/rootfs/dev/console"
	runtime delete --force c
	rm -f "$T/tty.sock"
	fake_terminal
	runtime_ok create --bundle "$BUNDLE" --console-socket "$T/tty.sock" d
	refute_match /etc/passwd "$(cat "/proc/$(init_pid d)/mountinfo")"
}

# decoys COMMAND...: run it where decoy files are mounted over the host's own procfs.
decoys() {
	mkdir -p "$T/decoys/kernel" "$T/decoys/net/ipv4"
	echo decoy | tee "$T/decoys/kernel/msgmax" >"$T/decoys/net/ipv4/ip_forward"
	cp /proc/sys/kernel/cap_last_cap "$T/decoys/kernel"
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount --propagation private sh -c 'mount --bind "$0" /proc/sys && exec "$@"' "$T/decoys" "$@"
}

# bats test_tags=berth
@test "CVE-2025-52881: create does not write to a mount over the host's /proc" {
	config '.linux.sysctl = {"kernel.msgmax": "5000", "net.ipv4.ip_forward": "1"}'
	script 'cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward'
	decoys "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c >"$T/out" 2>"$T/err" || failed "$(<"$T/err")"
	assert_equal $'5000\n1' "$(<"$T/out")"
	assert_equal $'decoy\ndecoy' "$(cat "$T/decoys/kernel/msgmax" "$T/decoys/net/ipv4/ip_forward")"
}

# bats test_tags=berth
@test "CVE-2025-52881: create refuses a mount over the host's /proc where the stub cannot mount a procfs" {
	new_user_namespace
	config '.linux.namespaces |= map(select(.type != "pid")) | .linux.sysctl = {"kernel.msgmax": "5000"}
		| .mounts |= map(if .destination == "/proc" then {destination: "/proc", type: "none", source: "/proc", options: ["rbind"]} else . end)
		| .linux.maskedPaths = [] | .linux.readonlyPaths = []'
	script 'cat /proc/sys/kernel/msgmax'
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal 5000 "$out"
	status=0
	decoys "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c >"$T/out" 2>"$T/err" || status=$?
	read_output
	refused 'linux\.sysctl\["kernel.msgmax"\]: open "/proc/sys/kernel/msgmax": .*cross-device'
	assert_equal decoy "$(cat "$T/decoys/kernel/msgmax")"
}

# bats test_tags=berth
@test "CVE-2025-52881: create does not write to a mount over the container's /proc" {
	mkdir "$T/decoys"
	echo decoy >"$T/decoys/file"
	# /proc/loadavg is one of the files that a mount may cover.
	config '.mounts += [{destination: "/proc/loadavg", type: "none", source: $file, options: ["bind"]}]
		| .process.oomScoreAdj = 321 | .linux.sysctl = {"kernel.msgmax": "5000"}' --arg file "$T/decoys/file"
	run_script 'cat /proc/self/oom_score_adj /proc/sys/kernel/msgmax /proc/loadavg'
	assert_equal $'321\n5000\ndecoy' "$out"
	local path
	for path in /proc/self/oom_score_adj /proc/self/attr/exec /proc/sys/kernel/msgmax /proc/thread-self; do
		config '.mounts[-1].destination = $path' --arg path "$path"
		runtime run --bundle "$BUNDLE" c
		refused 'mounts\[7\]'
	done
	assert_equal decoy "$(cat "$T/decoys/file")"
}

# bats test_tags=berth
@test "CVE-2026-41579, CVE-2026-47766: create makes devices in no /dev that leads out of the image" {
	no_mount /dev /dev/pts /dev/shm /dev/mqueue
	config '.linux.devices = [{path: "/dev/handler", type: "c", major: 1, minor: 3}, {path: "/devices/zero", type: "c", major: 1, minor: 5}]'
	local link
	for link in "$VICTIM" ../../victim ../../../../../../../../../../../../"$VICTIM"; do
		rm -rf "$BUNDLE/rootfs/dev" "$BUNDLE/rootfs/devices"
		ln -s "$link" "$BUNDLE/rootfs/dev"
		ln -s "$link" "$BUNDLE/rootfs/devices"
		run_script 'stat -L -c %t:%T /dev/null /dev/handler /devices/zero; readlink /dev/ptmx'
		assert_equal $'1:3\n1:3\n1:5\npts/ptmx' "$out"
		victim_untouched
		args sleep 1000
		start_detached c
		runtime_ok delete --force c
		victim_untouched
	done
}

@test "CVE-2026-30892: exec refuses a user that is not a number" {
	args sleep 1000
	start_detached c
	runtime_ok exec --user 1 c id -u
	assert_equal 1 "$out"
	runtime_ok exec --user 1:2 c sh -c 'id -u; id -g'
	assert_equal $'1\n2' "$out"
	local user
	for user in 0x1 1a -1 4294967296 18446744073709551617 root user 1:x '1 ' 1.0 1e0; do
		runtime exec "--user=$user" c id -u
		[ "$status" != 0 ] || failed "--user=$user is $out"
		assert_equal "" "$out"
	done
}

@test "CVE-2019-18837: a link of the image leads no mount out of the image" {
	ln -s "$VICTIM" "$BUNDLE/rootfs/absolute"
	ln -s "../../victim" "$BUNDLE/rootfs/relative"
	config '.mounts += [{destination: "/absolute/null", type: "none", source: "/etc/passwd", options: ["bind"]}, {destination: "/relative", type: "tmpfs", source: "t"}]'
	run_script 'touch /relative/made; head -c 4 /absolute/null'
	assert_equal "$(head -c 4 /etc/passwd)" "$out"
	victim_untouched
}
