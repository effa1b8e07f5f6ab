# The properties of the beds that the tests rely on: see tests/beds.
load helpers

# bats test_tags=systemd,guest
@test "process 1 is a systemd that starts scopes" {
	assert_equal systemd "$(cat /proc/1/comm)"
	assert_equal 0 "$(id -u)"
	assert_equal cgroup2fs "$(stat -f -c %T /sys/fs/cgroup)"
	assert_match '^0::/system.slice/bed-test.scope$' \
		"$(systemd-run --quiet --scope --unit bed-test tail -n 1 /proc/self/cgroup)"
}

# bats test_tags=systemd-user,guest-user
@test "the user manager starts scopes" {
	assert_equal 1000 "$(id -u)"
	assert_match "/user@1000.service/app.slice/bed-test.scope$" \
		"$(systemd-run --quiet --user --scope --unit bed-test tail -n 1 /proc/self/cgroup)"
	assert_equal $'0 1000 1\n1 100000 65535' \
		"$(unshare --map-auto --map-root-user cat /proc/self/uid_map | awk '{ print $1, $2, $3 }')"
}

# bats test_tags=guest
@test "the guest has all controllers, AppArmor and every capability" {
	assert_equal "cpuset cpu io memory hugetlb pids rdma misc" "$(cat /sys/fs/cgroup/cgroup.controllers)"
	assert_equal Y "$(cat /sys/module/apparmor/parameters/enabled)"
	assert_match '^CapEff:	000001ffffffffff$' "$(grep CapEff /proc/self/status)"
}

# bats test_tags=guest-user
@test "the user has controllers of its own" {
	assert_equal "cpuset cpu io memory pids" \
		"$(cat "/sys/fs/cgroup$(cut -d : -f 3 /proc/self/cgroup)/cgroup.controllers")"
}

# The Go tests that use the kernel find other cgroups here than under "go test".
# bats test_tags=systemd,systemd-user,guest,guest-user
@test "the tests of libcontainer/cgroups pass" {
	"$CGROUP_TESTS" -test.v -test.run TestKernel >"$T/out" || failed "$(<"$T/out")"
	grep -qx -e '--- PASS: TestKernelV2 .*' "$T/out"
}
