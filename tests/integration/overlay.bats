# Layers from config.json: overlay as a mount type, mounts on "/", and remounts.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	config '.root.readonly = false'
	# The upper and the work directory must be on one file system that is not an
	# overlay.
	mkdir -p "$T/o/lower/bin" "$T/o/upper" "$T/o/work"
	echo lower >"$T/o/lower/file"
}

# overlay DESTINATION OPTION...: add one before the other mounts.
overlay() {
	local destination=$1
	shift
	config '.mounts = [{destination: $d, type: "overlay", source: "overlay", options: $ARGS.positional}] + .mounts' \
		--arg d "$destination" --args -- "$@"
}

@test "create mounts an overlay with its layers" {
	mkdir "$T/o/second"
	echo second >"$T/o/second/two"
	overlay /mnt "lowerdir=$T/o/second:$T/o/lower" "upperdir=$T/o/upper,workdir=$T/o/work"
	run_script 'cat /mnt/file /mnt/two; echo new >/mnt/new; rm /mnt/two; cat /proc/self/mountinfo'
	assert_match $'^lower\nsecond\n' "$out"
	assert_equal overlay "$(mount_type "$out" /mnt)"
	assert_equal new "$(cat "$T/o/upper/new")"
	assert_equal second "$(cat "$T/o/second/two")"
}

# bats test_tags=berth
@test "the paths of an overlay are resolved from the bundle" {
	mkdir "$BUNDLE/layer"
	echo layer >"$BUNDLE/layer/one"
	overlay /mnt "lowerdir=layer:$T/o/lower"
	run_script 'cat /mnt/one /mnt/file'
	assert_equal $'layer\nlower' "$out"
}

@test "an overlay on / becomes the root" {
	overlay / "lowerdir=$T/o/lower:$BUNDLE/rootfs" "upperdir=$T/o/upper" "workdir=$T/o/work"
	config '.mounts += [{destination: "/made/here", type: "tmpfs", source: "tmpfs"}]'
	run_script 'cat /file; echo new >/new; stat -f -c %T /made/here; cat /proc/self/mountinfo'
	assert_match $'^lower\ntmpfs\n' "$out"
	assert_equal overlay "$(mount_type "$out" /)"
	assert_equal new "$(cat "$T/o/upper/new")"
	[ -d "$T/o/upper/made/here" ]
	[ ! -e "$BUNDLE/rootfs/made" ]
}

@test "an overlay on / can be read-only, with masked paths" {
	overlay / "lowerdir=$T/o/lower:$BUNDLE/rootfs"
	echo secret >"$T/o/lower/secret"
	mkdir -p "$T/o/lower"/{proc,dev,sys}
	config '.root.readonly = true | .linux.maskedPaths += ["/secret"] | .linux.readonlyPaths += ["/file"]'
	run_script 'wc -c </secret; touch /new || touch /file; true'
	assert_equal 0 "$out"
	assert_match 'Read-only file system' "$err"
}

@test "a directory bound on / becomes the root" {
	cp -a "$BUNDLE/rootfs" "$T/other"
	echo other >"$T/other/file"
	config '.mounts = [{destination: "/", type: "none", source: $s, options: ["rbind"]}] + .mounts' --arg s "$T/other"
	run_script 'cat /file; touch /new'
	assert_equal other "$out"
	[ -e "$T/other/new" ]
	[ ! -e "$BUNDLE/rootfs/new" ]
}

# bats test_tags=berth
@test "mounts below a root bound from a shared mount stay in the container" {
	mkdir "$T/shared"
	mount -t tmpfs shared "$T/shared"
	mount --make-shared "$T/shared"
	cp -a "$BUNDLE/rootfs" "$T/shared/root"
	config '.linux.rootfsPropagation = "shared" |
		.mounts = [{destination: "/", type: "none", source: $s, options: ["bind"]}] + .mounts' --arg s "$T/shared/root"
	args sleep 1000
	start_detached c
	local mounts
	mounts=$(grep -c "$T/shared" /proc/self/mountinfo)
	runtime_ok delete --force c
	umount "$T/shared"
	assert_equal 1 "$mounts"
}

@test "create mounts a list of layers longer than fsconfig accepts" {
	local i layers=""
	for ((i = 0; i < 30; i++)); do
		mkdir "$T/o/layer-$i"
		echo "$i" >"$T/o/layer-$i/file-$i"
		layers+=$T/o/layer-$i:
	done
	overlay /mnt "lowerdir=$layers$T/o/lower"
	run_script 'cat /mnt/file-0 /mnt/file-29 /mnt/file'
	assert_equal $'0\n29\nlower' "$out"
}

@test "create mounts a layer with a path longer than fsconfig accepts" {
	local long
	long=$T/o/$(printf 'l%.0s' {1..200})/$(printf 'm%.0s' {1..200})
	mkdir -p "$long"
	echo long >"$long/long"
	overlay /mnt "lowerdir=$long:$T/o/lower"
	run_script 'cat /mnt/long /mnt/file; grep -c " /mnt " /proc/self/mountinfo'
	assert_equal $'long\nlower\n1' "$out"
}

# bats test_tags=berth
@test "create refuses options longer than a page by name" {
	overlay /mnt "lowerdir=$(printf '/%0250d::' {1..20})"
	args true
	runtime run --bundle "$BUNDLE" c
	refused 'mounts\[0\]\.options: [0-9]+ bytes of file system options, and the kernel accepts at most 4095'
}

# bats test_tags=berth
@test "create prints the kernel's message about an unknown option of a file system" {
	config '.mounts += [{destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ["sise=64k"]}]'
	args true
	runtime run --bundle "$BUNDLE" c
	refused 'mounts\[7\]: mount tmpfs "tmpfs" on "/mnt": fsconfig: invalid argument \(EINVAL\): tmpfs: Unknown parameter .sise.$'
}

# bats test_tags=berth
@test "create names a file system that the kernel does not have" {
	config '.mounts += [{destination: "/mnt", type: "nopefs", source: "nope"}]'
	args true
	runtime run --bundle "$BUNDLE" c
	refused 'mounts\[7\].*the kernel has no file system "nopefs"'
}

# bats test_tags=berth
@test "remount changes only the flags that it names" {
	config '.mounts += [
		{destination: "/a", type: "tmpfs", source: "tmpfs", options: ["nosuid", "noexec", "size=64k"]},
		{destination: "/a", type: "tmpfs", options: ["remount", "ro"]},
		{destination: "/b", type: "tmpfs", source: "tmpfs", options: ["nosuid", "noexec", "size=64k"]},
		{destination: "/b", options: ["remount", "exec", "size=128k"]},
		{destination: "/c", type: "tmpfs", source: "tmpfs", options: ["noatime"]},
		{destination: "/c", options: ["remount", "bind", "ro", "nodev"]},
		{destination: "/c", options: ["remount", "bind", "shared"]}]'
	run_script 'cat /proc/self/mountinfo'
	assert_equal ro,nosuid,noexec,relatime "$(mount_options "$out" /a)"
	assert_match '^ro,size=64k' "$(mount_data "$out" /a)"
	assert_equal rw,nosuid,relatime "$(mount_options "$out" /b)"
	assert_match 'size=128k' "$(mount_data "$out" /b)"
	assert_equal ro,nodev,noatime "$(mount_options "$out" /c)"
	assert_match '^rw' "$(mount_data "$out" /c)"
	assert_match 'shared:' "$(mount_propagation "$out" /c)"
}

# bats test_tags=berth
@test "remount refuses a path that is not a mount point" {
	mkdir "$BUNDLE/rootfs/data"
	local where options
	for where in /data /nothing/there; do
		for options in '["remount", "ro"]' '["remount", "bind", "ro"]'; do
			config '.mounts[7] = {destination: $d, options: ($o | fromjson)}' --arg d "$where" --arg o "$options"
			args true
			runtime run --bundle "$BUNDLE" c
			refused "mounts\\[7\\]: remount \"$where\": .*nothing is mounted there"
		done
	done
	[ ! -e "$BUNDLE/rootfs/nothing" ]
}
