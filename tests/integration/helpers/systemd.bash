# Units of systemd: the system's, or those of the user that runs the suite.

# systemd_bundle: make a bundle of a container with the scope $UNIT in bt.slice, and the
# cgroup $CGROUP.
systemd_bundle() {
	UNIT=bt-$BATS_TEST_NUMBER.scope
	CGROUP=$(systemctl_here show --property ControlGroup --value)/bt.slice/$UNIT
	CGROUP=${CGROUP#//}
	mkdir -p "$BUNDLE"
	cp -a "$ROOTFS_TEMPLATE" "$BUNDLE/rootfs"
	if [ "$(id -u)" = 0 ]; then
		"$RUNTIME" spec --bundle "$BUNDLE"
	else
		"$RUNTIME" spec --rootless --bundle "$BUNDLE"
	fi
	config '.process.terminal = false | .linux.cgroupsPath = $path' --arg path "bt.slice:bt:$BATS_TEST_NUMBER"
}

# systemctl_here ARG...: systemctl, for the user's systemd if a user runs the tests.
systemctl_here() {
	if [ "$(id -u)" = 0 ]; then systemctl "$@"; else systemctl --user "$@"; fi
}

# property NAME [UNIT]
property() {
	systemctl_here show --property "$1" --value "${2:-$UNIT}"
}

# unit_is STATE: the test's unit is in that state; a missing unit is "inactive".
unit_is() {
	[ "$(systemctl_here is-active "$UNIT")" = "$1" ]
}

# no_unit_left: systemd has no unit of the tests, not even a failed one.
no_unit_left() {
	wait_for 5 no_unit || failed "left in systemd:" "$(units)"
}

no_unit() {
	[ -z "$(units)" ]
}

units() {
	systemctl_here list-units --all --plain --no-legend 'bt-*.scope' 'berth-*.scope'
}

# in_scope PID: the process is in the container's scope.
in_scope() {
	assert_equal "0::$CGROUP" "$(grep ^0: "/proc/$1/cgroup")"
}
