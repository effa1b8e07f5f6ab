# Files of a container's cgroup, in either version.

# cgroup_driver: the one that engines use in the bed.
cgroup_driver() {
	if [ "${VIEW:-}" = systemd ]; then
		echo systemd
	elif [ -n "${ROOTLESS:-}" ]; then
		echo none
	else
		echo cgroupfs
	fi
}

# needs_cgroup: skip the test where a container has no cgroup of its own.
needs_cgroup() {
	[ "$(cgroup_driver)" != none ] || skip "a user without systemd has no cgroups"
}

# needs_root REASON: skip the test with the engine of an unprivileged user.
needs_root() {
	[ -z "${ROOTLESS:-}" ] || skip "rootless: $1"
}

# needs_controllers NAME...: skip the test where cgroup v2 is the only hierarchy, and has
# not these controllers, because v1 uses them on this machine.
needs_controllers() {
	needs_cgroup
	local name
	for name in "$@"; do
		has_controller "$name" || skip "cgroup v2 has no controller $name here"
	done
}

# has_controller NAME: version 1 is used, or version 2 has the controller.
has_controller() {
	[ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ] || grep -qw "$1" /sys/fs/cgroup/cgroup.controllers
}

# knob CONTROLLER FILE-OF-V1 FILE-OF-V2: the content.
knob() {
	local pid path
	pid=$(inspected '{{.State.Pid}}')
	if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
		path=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
		cat "/sys/fs/cgroup$path/$3"
		return
	fi
	path=$(awk -F : -v name="$1" '{ n = split($2, c, ","); for (i = 1; i <= n; i++) if (c[i] == name) print $3 }' "/proc/$pid/cgroup")
	cat "/sys/fs/cgroup/$1$path/$2"
}

# knob_is V1 V2 CONTROLLER FILE-OF-V1 FILE-OF-V2: the content is V1 or V2.
knob_is() {
	local want=$1
	[ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ] || want=$2
	assert_equal "$want" "$(knob "${@:3}")"
}
