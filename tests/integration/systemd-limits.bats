# Limits of a scope, which systemd and the kernel both know of.
# bats file_tags=guest,guest-user
load helpers

prepare() {
	systemd_bundle
	args sleep 1000
}

# file_is NAME VALUE: of a file of the container's cgroup.
file_is() {
	assert_equal "$1: $2" "$1: $(cat "/sys/fs/cgroup$CGROUP/$1")"
}

# property_is NAME VALUE
property_is() {
	assert_equal "$1=$2" "$1=$(property "$1")"
}

@test "limits are properties of the scope and values of its files" {
	config '.linux.resources += {memory: {limit: 52428800, reservation: 41943040}, pids: {limit: 77},
		cpu: {shares: 512, quota: 12345, period: 50000, cpus: "0", mems: "0"}, unified: {"memory.high": "47185920"}}'
	rt_ok --systemd-cgroup run --detach --bundle "$BUNDLE" c
	local round
	for round in started reloaded; do
		property_is MemoryMax 52428800
		property_is MemoryLow 41943040
		property_is MemoryHigh 47185920
		property_is TasksMax 77
		property_is CPUWeight 59
		property_is CPUQuotaPerSecUSec 246.900ms
		property_is CPUQuotaPeriodUSec 50ms
		property_is AllowedCPUs 0
		property_is AllowedMemoryNodes 0
		file_is memory.max 52428800
		file_is memory.low 41943040
		file_is memory.high 47185920
		file_is pids.max 77
		file_is cpu.weight 59
		file_is cpu.max "12345 50000"
		file_is cpuset.cpus 0
		file_is cpuset.mems 0
		sctl daemon-reload
	done
	rt_ok update --memory 62914560 --pids-limit -1 --cpu-quota 25000 c
	for round in updated reloaded; do
		property_is MemoryMax 62914560
		property_is TasksMax infinity
		property_is CPUQuotaPerSecUSec 500ms
		file_is memory.max 62914560
		file_is pids.max max
		file_is cpu.max "25000 50000"
		file_is memory.low 41943040
		sctl daemon-reload
	done
}

@test "a limit that the kernel refuses leaves no scope" {
	config '.linux.resources += {unified: {"memory.max": "much"}}'
	rt --systemd-cgroup run --bundle "$BUNDLE" c
	refused 'unified\["memory.max"\]'
	no_state_left
	no_cgroup_left
	no_unit_left
}
