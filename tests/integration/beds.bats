# What the beds promise to the tests that are run in them: see tests/beds.
load helpers

# bats test_tags=systemd
@test "the first process is a systemd that takes scopes" {
	assert_equal systemd "$(cat /proc/1/comm)"
	assert_equal 0 "$(id -u)"
	assert_equal cgroup2fs "$(stat -f -c %T /sys/fs/cgroup)"
	assert_match '^0::/system.slice/bed-test.scope$' \
		"$(systemd-run --quiet --scope --unit bed-test tail -n 1 /proc/self/cgroup)"
}

# bats test_tags=systemd-user
@test "the user manager takes scopes" {
	assert_equal 1000 "$(id -u)"
	assert_match "/user@1000.service/app.slice/bed-test.scope$" \
		"$(systemd-run --quiet --user --scope --unit bed-test tail -n 1 /proc/self/cgroup)"
	assert_equal $'0 1000 1\n1 100000 65535' \
		"$(unshare --map-auto --map-root-user cat /proc/self/uid_map | awk '{ print $1, $2, $3 }')"
}
