# A kernel that is too old: Debian 11's, Linux 5.10.
# bats file_tags=kernel-refused,berth
load helpers

prepare() { new_bundle; }

@test "create and run refuse a kernel before 5.12 in one line, and leave nothing" {
	local command
	for command in create run; do
		runtime "$command" --bundle "$BUNDLE" c
		refused 'Linux 5\.12 or later is required, this is 5\.10: mount_setattr is missing'
	done
	no_state_left
	no_cgroup_left
}
