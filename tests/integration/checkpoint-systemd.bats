# checkpoint and restore of containers that are units of systemd.
load helpers

prepare() {
	systemd_bundle
	counter
	GLOBAL_FLAGS=(--systemd-cgroup)
}

# bats test_tags=systemd
@test "a restored container has a scope again" {
	run_piped c
	wait_for 10 counts c
	local first
	first=$(property InvocationID)
	save c
	gone c
	no_unit_left
	restore_piped c
	wait_for 10 counts c "$(tail -n 1 "$T/output")"
	no_gap
	assert_equal active "$(property ActiveState)"
	[ "$(property InvocationID)" != "$first" ]
	in_scope "$(init_pid c)"
	runtime_ok delete --force c
	no_unit_left
}

# bats test_tags=systemd
@test "a restore that fails leaves no unit" {
	run_piped c
	save c
	truncate -s -30 "$T/image/core-1.img"
	runtime --systemd-cgroup restore -d --bundle "$BUNDLE" --image-path "$T/image" --work-path "$T/work" c
	assert_equal 1 "$status"
	gone c
	no_unit_left
}

# bats test_tags=systemd
@test "a container in a scope that may not make device nodes is restored" {
	config '.process.capabilities |= map_values(. + ["CAP_MKNOD"])
		| .linux.resources.devices = [{allow: false, access: "rwm"}, {allow: false, type: "c", access: "m"}]'
	run_piped c
	save c
	restore_piped c
	runtime exec c mknod /tmp/null c 1 3
	assert_match 'Operation not permitted' "$err"
}

# bats test_tags=guest
@test "the limits of config.json apply to a restored container, in its unit and its cgroup" {
	config '.linux.resources.pids.limit = 50'
	run_piped c
	save c
	config '.linux.resources.pids.limit = 60'
	restore_piped c
	assert_equal 60 "$(property TasksMax)"
	assert_equal 60 "$(cat "/sys/fs/cgroup$CGROUP/pids.max")"
	runtime_ok update --pids-limit 70 c
	assert_equal 70 "$(property TasksMax)"
}
