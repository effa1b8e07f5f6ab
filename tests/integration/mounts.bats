# Mounts and devices, as the container's own mountinfo and /dev show them.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
}

# mountinfo_of SCRIPT: run it, and leave the container's mountinfo in $inside.
mountinfo_of() {
	run_script "${1:-true}; cat /proc/self/mountinfo"
	inside=$out
}

# mount DESTINATION TYPE SOURCE OPTION...: add it to config.json.
mount_at() {
	local destination=$1 type=$2 source=$3
	shift 3
	config '.mounts += [{destination: $d, type: $t, source: $s, options: $ARGS.positional}]' \
		--arg d "$destination" --arg t "$type" --arg s "$source" --args -- "$@"
}

@test "the default mounts have the type and the options of config.json" {
	mountinfo_of
	assert_equal proc "$(mount_type "$inside" /proc)"
	assert_options "$inside" /proc rw relatime
	assert_equal tmpfs "$(mount_type "$inside" /dev)"
	assert_equal rw,nosuid "$(mount_options "$inside" /dev)"
	assert_match 'size=65536k,mode=755' "$(mount_data "$inside" /dev)"
	assert_equal devpts "$(mount_type "$inside" /dev/pts)"
	assert_equal rw,nosuid,noexec,relatime "$(mount_options "$inside" /dev/pts)"
	assert_match 'gid=5,mode=620,ptmxmode=666' "$(mount_data "$inside" /dev/pts)"
	assert_equal tmpfs "$(mount_type "$inside" /dev/shm)"
	assert_equal rw,nosuid,nodev,noexec,relatime "$(mount_options "$inside" /dev/shm)"
	assert_match 'size=65536k' "$(mount_data "$inside" /dev/shm)"
	assert_equal mqueue "$(mount_type "$inside" /dev/mqueue)"
	assert_equal rw,nosuid,nodev,noexec,relatime "$(mount_options "$inside" /dev/mqueue)"
	assert_equal sysfs "$(mount_type "$inside" /sys)"
	assert_equal ro,nosuid,nodev,noexec,relatime "$(mount_options "$inside" /sys)"
	assert_options "$inside" /sys/fs/cgroup nosuid nodev noexec relatime
}

@test "the container has no other mounts" {
	mountinfo_of
	# Besides the seven mounts of config.json there are only the masked and read-only
	# paths that this kernel has, and the cgroup hierarchies.
	local destinations
	destinations=$(awk '{ print $5 }' <<<"$inside" | grep -v -e '^/proc/' -e '^/sys/firmware' -e '^/sys/fs/cgroup/')
	assert_lines $'/\n/proc\n/dev\n/dev/pts\n/dev/shm\n/dev/mqueue\n/sys\n/sys/fs/cgroup' "$destinations"
}

@test "the container sees nothing of the host's mounts" {
	mkdir "$T/host"
	mount -t tmpfs host "$T/host"
	mountinfo_of
	umount "$T/host"
	assert_match ' /proc ' "$inside"
	refute_match "$T" "$(cut -d ' ' -f 5 <<<"$inside")"
	refute_match ' - tmpfs host ' "$inside"
}

@test "mounts of a container do not reach the host" {
	args sleep 1000
	start_detached c
	assert_equal running "$(status_of c)"
	no_mount_left
}

@test "mounts of a container do not reach the host from a bundle on a shared mount" {
	mkdir "$T/own"
	mount -t tmpfs own "$T/own"
	mount --make-shared "$T/own"
	mv "$BUNDLE" "$T/own/bundle"
	BUNDLE=$T/own/bundle
	host_mounts >"$T/mounts"
	args sleep 1000
	local propagation
	for propagation in null '"slave"' '"private"' '"unbindable"' '"shared"'; do
		config ".linux.rootfsPropagation = $propagation | del(..|nulls)"
		start_detached c
		no_mount_left
		runtime_ok delete --force c
	done
	umount "$T/own"
	host_mounts >"$T/mounts"
}

@test "mounts of the host do not reach a private container" {
	config '.linux.rootfsPropagation = "private"'
	mkdir "$T/source"
	mount_at /mnt none "$T/source" rbind rprivate
	script 'until [ -e /mnt/go ]; do sleep 0.02; done; grep -c /mnt/late /proc/self/mountinfo; exit 0'
	mkdir "$T/source/late"
	"$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/c.out" 2>&1 3>&-
	mount -t tmpfs late "$T/source/late"
	touch "$T/source/go"
	wait_for 5 has_status c stopped
	umount "$T/source/late"
	assert_equal 0 "$(cat "$T/c.out")"
}

@test "create replaces an empty directory at /dev/ptmx, and refuses one with files" {
	config '.mounts |= map(select(.destination | startswith("/dev") | not)) | .root.readonly = false'
	mkdir -p "$BUNDLE/rootfs/dev/ptmx"
	run_script 'readlink /dev/ptmx'
	assert_equal pts/ptmx "$out"
	rm "$BUNDLE/rootfs/dev/ptmx"
	mkdir "$BUNDLE/rootfs/dev/ptmx"
	touch "$BUNDLE/rootfs/dev/ptmx/file"
	args true
	runtime run --bundle "$BUNDLE" c
	assert_equal 1 "$status"
	assert_match '/dev/ptmx.*directory not empty' "$msg"
	[ -e "$BUNDLE/rootfs/dev/ptmx/file" ] || failed "the image was changed"
}

@test "the default devices exist, and no others" {
	# /dev/core is a link to a file that some kernels do not have.
	run_script 'stat -c "%N %A %u:%g %t:%T" /dev/* | { if [ -e /proc/kcore ]; then grep -v "^./dev/core"; else cat; fi; }'
	assert_lines "$(cat <<-'END'
		'/dev/fd' -> '/proc/self/fd' lrwxrwxrwx 0:0 0:0
		/dev/full crw-rw-rw- 0:0 1:7
		/dev/mqueue drwxrwxrwt 0:0 0:0
		/dev/null crw-rw-rw- 0:0 1:3
		'/dev/ptmx' -> 'pts/ptmx' lrwxrwxrwx 0:0 0:0
		/dev/pts drwxr-xr-x 0:0 0:0
		/dev/random crw-rw-rw- 0:0 1:8
		/dev/shm drwxrwxrwt 0:0 0:0
		'/dev/stderr' -> '/proc/self/fd/2' lrwxrwxrwx 0:0 0:0
		'/dev/stdin' -> '/proc/self/fd/0' lrwxrwxrwx 0:0 0:0
		'/dev/stdout' -> '/proc/self/fd/1' lrwxrwxrwx 0:0 0:0
		/dev/tty crw-rw-rw- 0:0 5:0
		/dev/urandom crw-rw-rw- 0:0 1:9
		/dev/zero crw-rw-rw- 0:0 1:5
	END
	)" "$(sed "s/^'\(\/dev\/[a-z]*\)' \([^-]\)/\1 \2/" <<<"$out")"
}

@test "the default devices work" {
	run_script 'head -c 5 /dev/zero | wc -c; head -c 5 /dev/urandom | wc -c; echo lost >/dev/null; echo kept >>/dev/stdout; echo full >/dev/full || echo "was full"'
	assert_match $'^5\n5\nkept\n' "$out"
	assert_match 'was full' "$out"
	assert_match 'No space left' "$err"
}

@test "a device of config.json has its mode and owner" {
	config '.linux.devices = [
		{path: "/dev/my-null", type: "c", major: 1, minor: 3, fileMode: 416, uid: 1000, gid: 5},
		{path: "/dev/sub/fifo", type: "p", fileMode: 384},
		{path: "/dev/block", type: "b", major: 7, minor: 200, fileMode: 432}]'
	run_script 'stat -c "%n %A %u:%g %t:%T" /dev/my-null /dev/sub/fifo /dev/block'
	assert_equal "$(cat <<-'END'
		/dev/my-null crw-r----- 1000:5 1:3
		/dev/sub/fifo prw------- 0:0 0:0
		/dev/block brw-rw---- 0:0 7:c8
	END
	)" "$out"
}

# bats test_tags=berth
@test "create names the reason when it may not make a device" {
	config '.linux.devices = [{path: "/dev/made", type: "c", major: 1, minor: 3}]'
	status=0
	setpriv --bounding-set=-mknod --inh-caps=-mknod "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err" || status=$?
	read_output
	refused 'linux.devices\[0\]: device "/dev/made": creating it is not permitted \(mknod\(2\) needs CAP_MKNOD in the initial user namespace\), and the host.s cannot be bind-mounted: .*no such file'
	config 'del(.linux.devices)'
	status=0
	"$PROBE" deny fail mknodat "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err" || status=$?
	read_output
	refused 'make "/dev/null": mknodat: operation not permitted \(a seccomp filter'
}

@test "create binds a directory" {
	mkdir "$T/source"
	echo content >"$T/source/file"
	mount_at /mnt none "$T/source" bind
	mountinfo_of 'cat /mnt/file; echo from inside >/mnt/new'
	assert_match '^content' "$out"
	assert_equal 'from inside' "$(cat "$T/source/new")"
	assert_options "$inside" /mnt rw
}

@test "create binds a file" {
	echo content >"$T/file"
	mount_at /etc/bound none "$T/file" bind
	run_script 'cat /etc/bound; echo changed >/etc/bound'
	assert_equal content "$out"
	assert_equal changed "$(cat "$T/file")"
}

@test "a relative source is resolved from the bundle" {
	mkdir "$BUNDLE/data"
	echo content >"$BUNDLE/data/file"
	mount_at /mnt none data bind
	run_script 'cat /mnt/file'
	assert_equal content "$out"
}

@test "create makes a missing destination" {
	mkdir "$T/source"
	echo content >"$T/file"
	mount_at /a/b/c none "$T/source" bind
	mount_at /d/e/f none "$T/file" bind
	mount_at /g/h tmpfs tmpfs
	run_script 'stat -c "%n %F" /a/b/c /d/e/f /g/h'
	assert_equal $'/a/b/c directory\n/d/e/f regular file\n/g/h directory' "$out"
	[ -d "$BUNDLE/rootfs/a/b/c" ]
	[ -f "$BUNDLE/rootfs/d/e/f" ]
}

@test "a read-only bind mount cannot be written" {
	mkdir "$T/source"
	mount_at /mnt none "$T/source" bind ro
	mountinfo_of 'touch /mnt/new'
	assert_options "$inside" /mnt ro
	assert_match 'Read-only file system' "$err"
	[ ! -e "$T/source/new" ]
}

@test "bind mounts one mount, rbind the submounts too" {
	mkdir -p "$T/source/below"
	mount -t tmpfs below "$T/source/below"
	mount_at /one none "$T/source" bind
	mount_at /all none "$T/source" rbind
	mountinfo_of
	umount -R "$T/source/below"
	assert_equal "" "$(mount_line "$inside" /one/below)"
	assert_equal tmpfs "$(mount_type "$inside" /all/below)"
}

@test "ro applies to one mount, rro to the submounts too" {
	mkdir -p "$T/source/below"
	mount -t tmpfs below "$T/source/below"
	mount_at /top none "$T/source" rbind ro
	mount_at /all none "$T/source" rbind rro
	mountinfo_of
	umount -R "$T/source/below"
	assert_options "$inside" /top ro
	assert_options "$inside" /top/below rw
	assert_options "$inside" /all ro
	assert_options "$inside" /all/below ro
}

@test "nosuid, nodev, noexec and noatime are set, and a bind mount sets no others" {
	mkdir "$T/source"
	mount -t tmpfs source "$T/source" # /tmp may have flags
	mount_at /plain none "$T/source" bind
	mount_at /mnt none "$T/source" bind nosuid nodev noexec noatime
	mount_at /tmpfs tmpfs tmpfs nosuid nodev noexec noatime ro
	mountinfo_of
	umount "$T/source"
	assert_equal rw,relatime "$(mount_options "$inside" /plain)"
	assert_equal rw,nosuid,nodev,noexec,noatime "$(mount_options "$inside" /mnt)"
	assert_options "$inside" /tmpfs nosuid nodev noexec noatime ro
}

@test "noexec prevents execution" {
	mount_at /mnt tmpfs tmpfs noexec
	mount_at /can tmpfs tmpfs
	run_script 'cp /bin/busybox /mnt; cp /bin/busybox /can; /can/busybox echo yes; /mnt/busybox echo no || echo "status $?"'
	assert_equal $'yes\nstatus 126' "$out"
}

@test "a later mount covers an earlier one" {
	mkdir "$T/source"
	echo content >"$T/source/file"
	mount_at /a tmpfs first
	mount_at /a/b tmpfs second
	mount_at /a/b/c none "$T/source" bind
	mount_at /over tmpfs under
	mount_at /over none "$T/source" bind
	run_script 'cat /a/b/c/file /over/file'
	assert_equal $'content\ncontent' "$out"
}

@test "a tmpfs has its size and mode" {
	mount_at /mnt tmpfs tmpfs size=128k mode=1711 gid=5
	run_script 'stat -c "%a %u:%g" /mnt; head -c 1000000 /dev/zero >/mnt/file; stat -c %s /mnt/file; true'
	assert_equal $'1711 0:5\n131072' "$out"
}

@test "tmpcopyup copies the files of the image" {
	mkdir -p "$BUNDLE/rootfs/data/sub"
	echo content >"$BUNDLE/rootfs/data/sub/file"
	chmod 751 "$BUNDLE/rootfs/data/sub"
	ln -s sub/file "$BUNDLE/rootfs/data/link"
	mount_at /data tmpfs tmpfs tmpcopyup
	mountinfo_of 'cat /data/link; stat -c %a /data/sub; echo new >/data/sub/file'
	assert_match $'^content\n751\n' "$out"
	assert_equal tmpfs "$(mount_type "$inside" /data)"
	assert_equal content "$(cat "$BUNDLE/rootfs/data/sub/file")"
}

@test "a mount has the propagation of its options" {
	# The suite's own mounts are shared: see tests/beds/host.
	mkdir -p "$T/source"
	mount -t tmpfs source "$T/source"
	mount --make-shared "$T/source"
	mount_at /private none "$T/source" bind private
	mount_at /slave none "$T/source" bind slave
	mount_at /shared none "$T/source" bind shared
	mount_at /unbindable none "$T/source" bind unbindable
	config '.linux.rootfsPropagation = "shared"'
	mountinfo_of
	umount "$T/source"
	assert_equal "" "$(mount_propagation "$inside" /private)"
	assert_match '^master:[0-9]+$' "$(mount_propagation "$inside" /slave)"
	assert_match 'shared:[0-9]+' "$(mount_propagation "$inside" /shared)"
	assert_equal unbindable "$(mount_propagation "$inside" /unbindable)"
}

@test "the root has the propagation of rootfsPropagation" {
	config '.linux.rootfsPropagation = "private"'
	mountinfo_of
	assert_equal "" "$(mount_propagation "$inside" /)"
	config '.linux.rootfsPropagation = "slave"'
	mountinfo_of
	refute_match shared "$(mount_propagation "$inside" /)"
}

@test "a shared root stays shared" {
	config '.linux.rootfsPropagation = "shared"'
	mountinfo_of
	assert_match '^shared:[0-9]+' "$(mount_propagation "$inside" /)"
}

@test "by default the root shares no mounts with the host" {
	mountinfo_of
	refute_match shared "$(awk '{ print $7 }' <<<"$inside")"
}

@test "create mounts a procfs on a new directory and masks its paths" {
	rmdir "$BUNDLE/rootfs/proc" 2>/dev/null || true
	config '.mounts += [{destination: "/a/b/proc", type: "proc", source: "proc"}] | .linux.maskedPaths += ["/a/b/proc/timer_list"] | .root.readonly = false'
	run_script 'cat /proc/self/mountinfo; wc -c </a/b/proc/timer_list'
	assert_equal proc "$(mount_type "$out" /proc)"
	assert_equal proc "$(mount_type "$out" /a/b/proc)"
	assert_match $'\n0$' "$out"
}

@test "create follows no symlink in a destination out of the image" {
	mkdir "$T/source"
	mkdir "$T/decoy"
	ln -s "$T/decoy" "$BUNDLE/rootfs/absolute"
	ln -s ../../../../../../../../../../.."$T/decoy" "$BUNDLE/rootfs/relative"
	mount_at /absolute/x none "$T/source" bind
	mount_at /relative/y none "$T/source" bind
	mount_at "/bin/../../../..$T/decoy/z" none "$T/source" bind
	run_script true
	assert_equal "" "$(ls "$T/decoy")"
	[ -d "$BUNDLE/rootfs$T/decoy/x" ]
	[ -d "$BUNDLE/rootfs$T/decoy/y" ]
}

# bats test_tags=v2
@test "the cgroup mount shows the container's cgroup and is read-only" {
	run_script 'cat /sys/fs/cgroup/devices/cgroup.procs /sys/fs/cgroup/cgroup.procs 2>/dev/null | head -n 1; mkdir /sys/fs/cgroup/devices/new || mkdir /sys/fs/cgroup/new; true'
	assert_equal 1 "$out"
	assert_match 'Read-only file system' "$err"
}

# bats test_tags=v2
@test "the container can make nothing in /sys/fs/cgroup itself" {
	# On v1 it is a tmpfs around the hierarchies: "ro" applies to it too.
	mountinfo_of
	assert_options "$inside" /sys/fs/cgroup ro
}

@test "on cgroup v2 the cgroup mount is the container's cgroup, read-only" {
	config '.linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])'
	script 'cat /sys/fs/cgroup/cgroup.procs | head -n 1; cat /proc/self/mountinfo'
	status=0
	in_view v2 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err" || status=$?
	read_output
	succeeded run
	assert_equal 1 "$(head -n 1 <<<"$out")"
	assert_equal cgroup2 "$(mount_type "$out" /sys/fs/cgroup)"
	assert_equal ro,nosuid,nodev,noexec,relatime "$(mount_options "$out" /sys/fs/cgroup)"
	assert_equal / "$(mount_line "$out" /sys/fs/cgroup | cut -d ' ' -f 4)"
}

# roots_of MOUNTINFO TYPE: the roots of mounts of a type, once each.
roots_of() {
	sed -n "s/^[0-9]* [0-9]* [^ ]* \([^ ]*\) .* - $2 .*/\1/p" <<<"$1" | sort -u
}

@test "the v1 hierarchies start at the container's cgroup, with and without a cgroup namespace" {
	[ -e /sys/fs/cgroup/cgroup.procs ] && skip "no cgroup v1 here"
	local before=$CGROUP namespaces
	for namespaces in '[]' '[{type: "cgroup"}]'; do
		config ".linux.namespaces |= (map(select(.type != \"cgroup\")) + $namespaces)"
		run_script 'cat /sys/fs/cgroup/*/cgroup.procs | sort -u | head -n 1; cat /proc/self/mountinfo'
		assert_equal 1 "$(head -n 1 <<<"$out")"
		assert_equal "$before" "$(roots_of "$out" cgroup)"
		before=/
	done
}

# bats test_tags=v2
@test "a mount of type cgroup2 shows v2, whatever hierarchies the host has" {
	[ -e /sys/fs/cgroup/cgroup.procs ] || [ -e /sys/fs/cgroup/unified ] || skip "no cgroup v2 here"
	config '(.mounts[] | select(.type == "cgroup") | .type) = "cgroup2"
		| .linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])'
	run_script 'cat /sys/fs/cgroup/cgroup.procs | head -n 1; cat /proc/self/mountinfo'
	assert_equal 1 "$(head -n 1 <<<"$out")"
	assert_equal cgroup2 "$(mount_type "$out" /sys/fs/cgroup)"
	assert_equal / "$(roots_of "$out" cgroup2)"
	assert_equal "" "$(roots_of "$out" cgroup)"
}

# bats test_tags=v2
@test "a mount of type cgroup2 shows the whole hierarchy when the host's cgroup namespace is shared" {
	[ -e /sys/fs/cgroup/cgroup.procs ] || [ -e /sys/fs/cgroup/unified ] || skip "no cgroup v2 here"
	config '(.mounts[] | select(.type == "cgroup") | .type) = "cgroup2" | .linux.namespaces |= map(select(.type != "cgroup"))'
	assert_whole_hierarchy
}

# bats test_tags=v2
@test "on cgroup v2, /proc/self/cgroup leads to the container's cgroup when the host's cgroup namespace is shared" {
	[ -e /sys/fs/cgroup/cgroup.procs ] || skip "cgroup v1 here: its hierarchies begin at the container's cgroup"
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	assert_whole_hierarchy
}

# bats test_tags=v2
@test "the whole hierarchy of cgroup v2 is read-only in a user namespace, too" {
	[ -e /sys/fs/cgroup/cgroup.procs ] || skip "cgroup v1 here"
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	new_user_namespace
	assert_whole_hierarchy
}

# assert_whole_hierarchy: the container finds its cgroup at the path of
# /proc/self/cgroup, and can write nowhere.
assert_whole_hierarchy() {
	# shellcheck disable=SC2016 # for the container's shell
	run_script 'cat "/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/cgroup.procs" | head -n 1
		mkdir /sys/fs/cgroup/made 2>/dev/null && echo made; cat /proc/self/mountinfo'
	assert_equal 1 "$(head -n 1 <<<"$out")"
	refute_match made "$(sed -n 2p <<<"$out")"
	assert_equal cgroup2 "$(mount_type "$out" /sys/fs/cgroup)"
	assert_equal / "$(roots_of "$out" cgroup2)"
	assert_options "$out" /sys/fs/cgroup ro nosuid nodev noexec
}

@test "sysfs and mqueue show the container's namespaces" {
	run_script 'ls /sys/class/net'
	assert_equal lo "$out"
}

@test "/dev can be read-only and still has its devices and mounts" {
	config '(.mounts[] | select(.destination == "/dev").options) += ["ro"]'
	run_script '(true >/dev/new) 2>&1; echo lost >/dev/null; ls -d /dev/pts /dev/shm /dev/zero /dev/ptmx'
	assert_match 'Read-only file system' "$out"
	assert_match $'/dev/ptmx\n/dev/pts\n/dev/shm\n/dev/zero' "$out"
}
