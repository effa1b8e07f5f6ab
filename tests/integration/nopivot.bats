# --no-pivot: the root is moved onto "/" instead of pivot_root.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	config '.root.readonly = false'
}

@test "--no-pivot uses the root of the bundle" {
	echo here >"$BUNDLE/rootfs/file"
	script 'cat /file; pwd; cat /proc/self/mountinfo; touch /new'
	runtime_ok run --no-pivot --bundle "$BUNDLE" c
	assert_match $'^here\n/\n' "$out"
	refute_match "$T" "$(cut -d ' ' -f 5 <<<"$out")"
	assert_equal proc "$(mount_type "$out" /proc)"
	[ -e "$BUNDLE/rootfs/new" ]
}

@test "--no-pivot works with masked paths, a read-only root and create" {
	echo secret >"$BUNDLE/rootfs/file"
	config '.root.readonly = true | .linux.maskedPaths += ["/file"]'
	args sleep 1000
	runtime_ok create --no-pivot --bundle "$BUNDLE" c
	runtime_ok start c
	local root
	root=/proc/$(init_pid c)/root
	assert_equal 0 "$(wc -c <"$root/file")"
	run touch "$root/new"
	[ "$status" != 0 ]
	no_mount_left
}

# bats test_tags=berth
@test "--no-pivot hides the container's mounts from the host, whatever is shared" {
	local propagation
	for propagation in shared slave rslave unbindable; do
		config '.linux.rootfsPropagation = $p' --arg p "$propagation"
		args sleep 1000
		runtime_ok create --no-pivot --bundle "$BUNDLE" c
		runtime_ok start c
		no_mount_left
		runtime_ok delete --force c
		no_mount_left
	done
}

# bats test_tags=berth
@test "--no-pivot leaves no mount of the host below the root" {
	args sleep 1000
	local propagation
	for propagation in rslave shared; do
		config '.linux.rootfsPropagation = $p' --arg p "$propagation"
		runtime_ok create --no-pivot --bundle "$BUNDLE" c
		out=$("$PROBE" below "$(init_pid c)" /proc /sys /dev /etc)
		[ "$(wc -l <<<"$out")" = 4 ]
		# Neither procfs nor sysfs.
		refute_match '0x9fa0|0x62656572' "$out"
		runtime_ok delete --force c
		no_mount_left
	done
}

# With runc 1.1 the root is private, and the host loses a mount on /proc.
# bats test_tags=berth
@test "--no-pivot keeps a shared root shared" {
	config '.linux.rootfsPropagation = "shared"'
	script 'cat /proc/self/mountinfo'
	runtime_ok run --no-pivot --bundle "$BUNDLE" c
	assert_match '^shared:[0-9]+' "$(mount_propagation "$out" /)"
}
