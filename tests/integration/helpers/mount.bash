# Mounts, as mountinfo lists them; see proc_pid_mountinfo(5).

# record_mounts, no_mount_left: compare the mounts of the host before and after a test.
# IDs and peer groups may differ, mount points and what they show may not. record_mounts
# also compares with the start of the suite: a runtime that has removed mounts of the
# host breaks all later tests.
record_mounts() {
	host_mounts >"$T/mounts"
	[ -e "$BATS_RUN_TMPDIR/mounts" ] || cp "$T/mounts" "$BATS_RUN_TMPDIR/mounts"
	[ "$(<"$T/mounts")" = "$(<"$BATS_RUN_TMPDIR/mounts")" ] || failed "an earlier test has changed the host's mounts"
}

no_mount_left() {
	local change
	change=$(diff "$T/mounts" <(host_mounts)) && return
	# Unmount what the test itself, or a runtime in its bundle, has mounted.
	host_mounts | awk -v own="$T/" 'index($3, own) == 1 { print $3 }' | sort -r | xargs -r umount -l || true
	failed "mounts of the host changed:" "$change"
}

host_mounts() {
	cut -d ' ' -f 3-6 /proc/self/mountinfo
}

# mount_line MOUNTINFO DESTINATION: the line of the topmost mount there.
mount_line() {
	awk -v destination="$2" '$5 == destination { line = $0 } END { print line }' <<<"$1"
}

# mount_options MOUNTINFO DESTINATION: the options of the mount itself.
mount_options() {
	mount_line "$@" | cut -d ' ' -f 6
}

# mount_type MOUNTINFO DESTINATION: the type of the file system; mount_data: the options
# of the superblock.
mount_type() {
	mount_line "$@" | sed 's/.* - //' | awk '{ print $1 }'
}

mount_data() {
	mount_line "$@" | sed 's/.* - //' | awk '{ print $3 }'
}

# mount_propagation MOUNTINFO DESTINATION: "shared:1", "master:2", or nothing.
mount_propagation() {
	mount_line "$@" | sed 's/ - .*//' | cut -d ' ' -f 7-
}

# assert_options MOUNTINFO DESTINATION OPTION...: all of these are set.
assert_options() {
	local options destination=$2 option
	options=$(mount_options "$1" "$2")
	shift 2
	for option in "$@"; do
		[[ ,$options, == *",$option,"* ]] || failed "$destination: no $option in: $options"
	done
}
