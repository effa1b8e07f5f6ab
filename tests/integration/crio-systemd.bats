# The calls of CRI-O with its default cgroup driver, systemd.
load helpers

prepare() {
	systemd_bundle
	crio_bundle
}

# bats test_tags=systemd
@test "conmon creates a container as a scope, with the properties that CRI-O sets for each" {
	config '.annotations = {"org.systemd.property.TimeoutStopUSec": "uint64 30000000", "org.systemd.property.DefaultDependencies": "false",
		"org.systemd.property.After": "[\u0027dbus.service\u0027]", "org.systemd.property.CollectMode": "\u0027inactive-or-failed\u0027"}'
	running --systemd-cgroup
	in_scope "$(<"$T/pid")"
	assert_equal "30s no inactive-or-failed" "$(property TimeoutStopUSec) $(property DefaultDependencies) $(property CollectMode)"
	assert_match dbus.service "$(property After)"
	crio_ok --systemd-cgroup state c
	crio_ok --systemd-cgroup kill c TERM
	exited 7
	crio_ok --systemd-cgroup delete --force c
	no_unit_left
}

# bats test_tags=guest
@test "update needs no --systemd-cgroup to set limits in the unit and the cgroup" {
	running --systemd-cgroup
	RUNTIME_STDIN=$T/resources.json
	echo '{"pids": {"limit": 60}}' >"$T/resources.json"
	crio_ok update --resources - c
	assert_equal 60 "$(property TasksMax)"
	assert_equal 60 "$(<"/sys/fs/cgroup$CGROUP/pids.max")"
	crio_ok --systemd-cgroup delete --force c
	no_unit_left
}
