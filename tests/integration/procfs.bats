# Mounts in /proc and /sys must not redirect the runtime's writes there (CVE-2019-16884,
# CVE-2019-19921, CVE-2023-27561).
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	config '.root.readonly = false'
	args true
	echo fake >"$T/file"
	mkdir "$T/dir"
}

# bind SOURCE DESTINATION: add a bind mount.
bind() {
	config '.mounts += [{destination: $d, type: "none", source: $s, options: ["bind"]}]' --arg d "$2" --arg s "$1"
}

# is_refused: run fails, with an error that names a path of /proc.
is_refused() {
	runtime run --bundle "$BUNDLE" c
	[ "$status" != 0 ] || failed "a mount on $1 was made"
	assert_match '/proc' "$err"
}

@test "a mount can cover files of /proc that report about the machine" {
	local file
	for file in cpuinfo diskstats loadavg meminfo stat swaps uptime; do
		bind "$T/file" "/proc/$file"
	done
	run_script 'cat /proc/cpuinfo /proc/diskstats /proc/loadavg /proc/meminfo /proc/stat /proc/swaps /proc/uptime | sort -u'
	assert_equal fake "$out"
}

# bats test_tags=berth
@test "a mount can cover files of /proc that engines adjust" {
	bind "$T/file" /proc/pressure/cpu
	bind "$T/file" /proc/sys/kernel/ns_last_pid
	config '.linux.readonlyPaths = []'
	[ -e /proc/pressure/cpu ] || skip "no /proc/pressure"
	run_script 'cat /proc/pressure/cpu /proc/sys/kernel/ns_last_pid'
	assert_equal $'fake\nfake' "$out"
}

@test "create refuses to cover any other path in /proc" {
	local where
	for where in version net/dev sys/kernel/core_pattern self/attr/exec 1/attr mounts kcore nothing; do
		config 'del(.mounts[7])'
		bind "$T/file" "/proc/$where"
		is_refused "/proc/$where"
		config 'del(.mounts[7])'
		bind "$T/dir" "/proc/$where"
		is_refused "/proc/$where"
	done
}

@test "create refuses a mount that reaches /proc by a link or .." {
	ln -s /proc "$BUNDLE/rootfs/link"
	ln -s proc/sys/kernel/core_pattern "$BUNDLE/rootfs/file"
	local where
	for where in /link/version /dev/../proc/version /file; do
		config 'del(.mounts[7])'
		bind "$T/file" "$where"
		is_refused "$where"
	done
	[ "$(cat /proc/sys/kernel/core_pattern)" != fake ]
}

@test "create binds only a procfs on /proc" {
	bind "$T/dir" /proc
	is_refused /proc
	config '.mounts[7] = {destination: "/proc", type: "tmpfs", source: "tmpfs"}'
	is_refused /proc
}

@test "create can bind the host's procfs on /proc" {
	config '.mounts[0] = {destination: "/proc", type: "none", source: "/proc", options: ["rbind"]}
		| del(.linux.namespaces[] | select(.type == "pid"))'
	run_script 'stat -f -c %T /proc; ls -d /proc/self >&2'
	assert_equal proc "$out"
}

@test "create can mount a procfs on a procfs" {
	config '.mounts += [.mounts[0]]'
	run_script 'stat -f -c %T /proc'
	assert_equal proc "$out"
}

@test "create refuses an image with a link as /proc or /sys" {
	local name
	mkdir "$BUNDLE/rootfs/elsewhere"
	for name in proc sys; do
		rm -rf "$BUNDLE/rootfs/proc" "$BUNDLE/rootfs/sys"
		ln -s elsewhere "$BUNDLE/rootfs/$name"
		runtime run --bundle "$BUNDLE" c
		[ "$status" != 0 ] || failed "/$name was a link"
		ln -sfn /elsewhere "$BUNDLE/rootfs/$name"
		runtime run --bundle "$BUNDLE" c
		[ "$status" != 0 ] || failed "/$name was a link"
	done
	assert_equal "" "$(ls -A "$BUNDLE/rootfs/elsewhere")"
}

# bats test_tags=berth
@test "the error of an image with a link as /proc has the reason" {
	mkdir "$BUNDLE/rootfs/elsewhere"
	ln -s elsewhere "$BUNDLE/rootfs/proc"
	runtime run --bundle "$BUNDLE" c
	refused 'mounts\[0\].*the path "/proc" has a symbolic link in the root file system: it must be a directory'
	config '.mounts[0] = {destination: "/proc", type: "none", source: "/proc", options: ["rbind"]}'
	runtime run --bundle "$BUNDLE" c
	refused 'mounts\[0\].*the path "/proc" has a symbolic link'
}

@test "a mount can cover directories of sysfs, and nothing else there" {
	bind "$T/dir" /sys/kernel
	run_script 'ls -A /sys/kernel | wc -l'
	assert_equal 0 "$out"
	args true
	config 'del(.mounts[7])'
	bind "$T/dir" /sys/nothing
	runtime run --bundle "$BUNDLE" c
	[ "$status" != 0 ]
}
