# Bind mounts: the options that they take from the source, the sources that create
# refuses, and symbolic links as source and as destination.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	config '.root.readonly = false'
	mkdir "$T/source"
	echo content >"$T/source/file"
}

# bind SOURCE DESTINATION OPTION...
bind() {
	local source=$1 destination=$2
	shift 2
	config '.mounts += [{destination: $d, type: "none", source: $s, options: (["bind"] + $ARGS.positional)}]' \
		--arg d "$destination" --arg s "$source" --args -- "$@"
}

# source_mounted OPTIONS: mount a tmpfs with options on the source.
source_mounted() {
	mount -t tmpfs -o "$1" source "$T/source"
	mkdir "$T/source/below"
	touch "$T/source/file"
}

@test "a bind mount keeps the options of its source" {
	source_mounted nosuid,nodev,noexec,noatime
	bind "$T/source" /mnt
	bind "$T/source/below" /below ro
	bind "$T/source/file" /file
	run_script 'cat /proc/self/mountinfo'
	umount "$T/source"
	assert_equal rw,nosuid,nodev,noexec,noatime "$(mount_options "$out" /mnt)"
	assert_equal ro,nosuid,nodev,noexec,noatime "$(mount_options "$out" /below)"
	assert_equal rw,nosuid,nodev,noexec,noatime "$(mount_options "$out" /file)"
}

@test "mount options that clear a flag are applied" {
	source_mounted nosuid,nodev,noexec,noatime,nodiratime
	bind "$T/source" /one suid dev exec
	bind "$T/source" /two relatime diratime
	bind "$T/source" /three strictatime
	run_script 'cat /proc/self/mountinfo'
	umount "$T/source"
	assert_equal rw,noatime,nodiratime "$(mount_options "$out" /one)"
	assert_equal rw,nosuid,nodev,noexec,relatime "$(mount_options "$out" /two)"
	assert_equal rw,nosuid,nodev,noexec,nodiratime "$(mount_options "$out" /three)"
}

@test "recursive options apply to submounts" {
	mkdir "$T/source/below"
	mount -t tmpfs -o noexec below "$T/source/below"
	bind "$T/source" /a rbind rnosuid rnodev rnoatime rexec
	bind "$T/source" /b rbind rstrictatime rnodiratime rro
	bind "$T/source" /c rbind nosuid
	run_script 'cat /proc/self/mountinfo'
	umount "$T/source/below"
	assert_equal rw,nosuid,nodev,noatime "$(mount_options "$out" /a/below)"
	assert_equal ro,noexec,nodiratime "$(mount_options "$out" /b/below)"
	assert_equal rw,noexec,relatime "$(mount_options "$out" /c/below)"
	assert_options "$out" /c nosuid
}

# bats test_tags=berth
@test "create refuses to bind a directory on a file, or a file on a directory" {
	touch "$BUNDLE/rootfs/there"
	mkdir "$BUNDLE/rootfs/dir"
	args true
	bind "$T/source" /there
	runtime run --bundle "$BUNDLE" c
	refused "mounts\\[7\\]: mount bind .* source \"$T/source\" is a directory, destination \"/there\" is not a directory$"
	config 'del(.mounts[7])'
	bind "$T/source/file" /dir
	runtime run --bundle "$BUNDLE" c
	refused "mounts\\[7\\]: mount bind .* source \"$T/source/file\" is not a directory, destination \"/dir\" is a directory$"
	config '.mounts[7] = {destination: "/there", type: "tmpfs", source: "tmpfs"}'
	runtime run --bundle "$BUNDLE" c
	refused 'mounts\[7\].*destination "/there" is not a directory'
}

# bats test_tags=berth
@test "create names a bind source that is missing" {
	bind "$T/nowhere" /mnt
	args true
	runtime run --bundle "$BUNDLE" c
	refused "mounts\\[7\\].*\"$T/nowhere\" does not exist on the host"
}

# bats test_tags=berth
@test "src-nofollow binds the link itself" {
	ln -s /etc/passwd "$T/source/link"
	touch "$BUNDLE/rootfs/there"
	bind "$T/source/link" /there src-nofollow
	bind "$T/source/link" /made src-nofollow
	run_script 'readlink /there; readlink /made; head -n 1 /there; grep -c -e " /there " -e " /made " /proc/self/mountinfo'
	assert_equal $'/etc/passwd\n/etc/passwd\nroot:x:0:0:root:/root:/bin/sh\n2' "$out"
}

# bats test_tags=berth
@test "dest-nofollow covers the link itself" {
	ln -s etc/passwd "$BUNDLE/rootfs/link"
	bind "$T/source/file" /link dest-nofollow
	run_script 'cat /link; head -n 1 /etc/passwd; grep -c " /link " /proc/self/mountinfo'
	assert_equal $'content\nroot:x:0:0:root:/root:/bin/sh\n1' "$out"
}

# bats test_tags=berth
@test "copy-symlink creates a link like the source" {
	ln -s ../where/ever "$T/source/link"
	bind "$T/source/link" /copied/here copy-symlink
	bind "$T/source/link" /copied/here copy-symlink
	bind "$T/source/file" /plain copy-symlink
	run_script 'readlink /copied/here; cat /plain; cut -d " " -f 5 /proc/self/mountinfo | grep -e copied -e plain'
	assert_equal $'../where/ever\ncontent\n/plain' "$out"
	[ -L "$BUNDLE/rootfs/copied/here" ]
	ln -s other "$BUNDLE/rootfs/link"
	bind "$T/source/link" /link copy-symlink
	runtime run --bundle "$BUNDLE" c
	refused 'copy-symlink: "/link" exists and is not a link to "../where/ever"'
}

@test "create handles a destination of many parts, and many mounts with long paths" {
	local long i list=
	long=$(printf 'd%.0s' {1..200})
	for ((i = 0; i < 120; i++)); do
		list+=" mount-$i"
	done
	config '.mounts += ($list | split(" ") | map({destination: ($d + .), type: "none", source: $s, options: ["bind"]}))' \
		--arg list "${list# }" --arg d "/$long/$long/$long/$long/" --arg s "$T/source"
	run_script 'grep -c "/mount-" /proc/self/mountinfo; cat /d*/d*/d*/d*/mount-119/file'
	assert_equal $'120\ncontent' "$out"
}

@test "a relative destination is resolved from /" {
	config '.mounts += [{destination: "rel/../ative", type: "tmpfs", source: "tmpfs"}]'
	run_script 'stat -f -c %T /ative'
	assert_equal tmpfs "$out"
}
