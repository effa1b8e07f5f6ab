# Runs once, before the first test: see CONTRIBUTING.md, "Integration tests".

setup_suite() {
	if [ "${BERTH_SUITE:-}" != 1 ]; then
		echo "run these tests with 'make integration': they need a pid and a mount namespace of their own" >&2
		return 1
	fi
	cd "$BATS_TEST_DIRNAME/../.." || return
	source tests/integration/helpers/process.bash
	source tests/integration/helpers/rootfs.bash
	SUITE_PIDS=$(orphans | tr '\n' ' ')
	export SUITE_PIDS
	# The root file system that every bundle copies, and its parent cgroup.
	export ROOTFS_TEMPLATE=$BATS_RUN_TMPDIR/rootfs
	export CGROUP_PARENT=/berth-test-${BATS_RUN_TMPDIR##*-}
	make_rootfs "$ROOTFS_TEMPLATE"
}

teardown_suite() {
	local dir left=0
	[ -n "${CGROUP_PARENT:-}" ] || return 0 # the suite has not begun
	for dir in /sys/fs/cgroup"$CGROUP_PARENT" /sys/fs/cgroup/*"$CGROUP_PARENT"; do
		[ -d "$dir" ] || continue
		rmdir "$dir" || left=1
	done
	return "$left"
}
