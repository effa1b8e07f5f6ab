# Hosts without a systemd that makes scopes.
# bats file_tags=v2,berth
load helpers

prepare() {
	new_bundle
	config 'del(.linux.cgroupsPath)'
	args true
}

@test "create refuses --systemd-cgroup on cgroup v1, and without systemd" {
	[ "$(cat /proc/1/comm)" != systemd ] || skip "systemd runs this host"
	runtime --systemd-cgroup run --bundle "$BUNDLE" c
	if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
		refused "start unit.*connect to systemd.*does systemd run this host\? without it leave --systemd-cgroup out"
	else
		refused "use systemd for cgroups: unsupported operation .*cgroup v1.*leave --systemd-cgroup out"
	fi
	no_state_left
}
