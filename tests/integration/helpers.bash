# Every test file loads this: one file of helpers per subject, and setup and teardown.

bats_require_minimum_version 1.8.0
for _file in "${BATS_TEST_DIRNAME:?}"/helpers/*.bash; do
	# shellcheck source=/dev/null
	source "$_file"
done
unset _file

# A test that takes longer hangs. This does not measure speed: a busy machine may need
# minutes for work of seconds.
BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-600}

setup() {
	umask 022
	T=$BATS_TEST_TMPDIR             # scratch of this test
	BUNDLE=$T/bundle                # what new_bundle makes
	ROOT=$T/state                   # the state root
	CGROUP=$CGROUP_PARENT/$BATS_TEST_NUMBER # the cgroup of the bundle's container
	export T BUNDLE ROOT CGROUP
	# Relative paths of a test belong to it, never to the checkout.
	cd "$T" || return
	record_mounts || return
	skip_after_failure
	# A test file makes its bundle here.
	if declare -F prepare >/dev/null; then prepare; fi
}

teardown() {
	stop_background
	delete_all
	# Every test must leave nothing of its containers. After a failure, remove what is
	# left, so that the next test starts clean.
	local trace=0
	no_state_left || trace=1
	thaw_cgroup
	no_process_left || trace=1
	undelegate_cgroup || trace=1
	no_cgroup_left || trace=1
	no_mount_left || trace=1
	[ "$trace:${BATS_TEST_COMPLETED:-}" != 0:1 ] || rm -f "$T/unfinished"
	return "$trace"
}

# skip_after_failure: with $FIRST_FAILURE, the tests after one that fails are skipped.
skip_after_failure() {
	[ -n "${FIRST_FAILURE:-}" ] || return 0
	! compgen -G "$T/../*/unfinished" >/dev/null || skip "after a failure"
	touch "$T/unfinished"
}
