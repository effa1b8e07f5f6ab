# Scopes of a user's own systemd.
# bats file_tags=systemd-user
load helpers

prepare() {
	systemd_bundle
}

@test "root of the container is the user, or an ID of the user's range" {
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	args sleep 1000
	local mapping
	for mapping in 1000 100000; do
		config '.linux.uidMappings = [{containerID: 0, hostID: $id, size: 1}] | .linux.gidMappings = .linux.uidMappings' --argjson id "$mapping"
		chmod -R a+rX "$T"
		chmod a+x "$BATS_RUN_TMPDIR" "${T%/*}"
		runtime_ok --systemd-cgroup run --detach --bundle "$BUNDLE" c
		in_scope "$(init_pid c)"
		assert_match "^Uid:.$mapping" "$(grep Uid "/proc/$(init_pid c)/status")"
		runtime_ok delete --force c
	done
	no_unit_left
}

@test "pause needs no privilege in a scope of the user" {
	args sleep 1000
	runtime_ok --systemd-cgroup run --detach --bundle "$BUNDLE" c
	runtime_ok pause c
	assert_equal 1 "$(grep -c '^frozen 1$' "/sys/fs/cgroup$CGROUP/cgroup.events")"
	runtime_ok delete --force c
	no_unit_left
}

# As Podman does it.
@test "root of the user's user namespace uses the user's systemd and state root" {
	config '.linux.namespaces |= map(select(.type != "user" and .type != "cgroup")) | del(.linux.uidMappings, .linux.gidMappings)'
	args sleep 1000
	unshare --user --map-auto --map-root-user --mount "$RUNTIME" --systemd-cgroup run --detach --bundle "$BUNDLE" "c$$" \
		</dev/null >/dev/null 2>"$T/err" || failed "$(<"$T/err")"
	ROOT=$XDG_RUNTIME_DIR/berth
	in_scope "$(init_pid "c$$")"
	unshare --user --map-auto --map-root-user "$RUNTIME" delete --force "c$$"
	rmdir "$ROOT"
	no_unit_left
}

# bats test_tags=berth
@test "berth finds the user's systemd without DBUS_SESSION_BUS_ADDRESS" {
	args true
	unset DBUS_SESSION_BUS_ADDRESS
	runtime_ok --systemd-cgroup run --bundle "$BUNDLE" c
}

# bats test_tags=berth
@test "create reports that the user has no systemd" {
	args true
	DBUS_SESSION_BUS_ADDRESS='' XDG_RUNTIME_DIR=$T runtime --systemd-cgroup run --bundle "$BUNDLE" c
	refused "connect to systemd.*$T/bus.*enable-linger"
	no_state_left
}

# bats test_tags=berth
@test "create refuses a scope of the system's systemd for a user" {
	args true
	runtime --rootless false --systemd-cgroup run --bundle "$BUNDLE" c
	assert_equal 1 "$status"
	assert_match 'start unit.*[Aa]uthentication|[Dd]enied' "$msg"
	no_state_left
}
