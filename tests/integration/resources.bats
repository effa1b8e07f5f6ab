# linux.resources of config.json, read back from the kernel; cgroups.bats has the tests
# of devices, update.bats those of later changes.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	args sleep 1000
}

MiB=1048576

# with_resources FILTER [DEVICE]: create a container with these resources; $d has the
# numbers of the device.
with_resources() {
	config ".linux.resources += $1" --argjson d "[${2:-}]"
	runtime_ok create --bundle "$BUNDLE" c
}

# bats test_tags=host,guest
@test "create sets the limits of config.json" {
	with_resources '{
		memory: {limit: 104857600, swap: 209715200, reservation: 52428800},
		cpu: {shares: 512, quota: 20000, period: 50000, cpus: "0", mems: "0"},
		pids: {limit: 20}}'
	needs_limit memory memory-swap memory-reservation cpu-share cpu-quota cpu-period cpuset-cpus cpuset-mems pids-limit
	assert_limit memory $((100 * MiB))
	assert_limit memory-swap $((200 * MiB))
	assert_limit memory-reservation $((50 * MiB))
	assert_limit cpu-share 512
	assert_limit cpu-quota 20000
	assert_limit cpu-period 50000
	assert_limit cpuset-cpus 0
	assert_limit cpuset-mems 0
	assert_limit pids-limit 20
}

@test "-1 in config.json means unlimited" {
	with_resources '{memory: {limit: -1, swap: -1, reservation: -1}, cpu: {quota: -1}, pids: {limit: -1}}'
	needs_limit memory cpu-quota pids-limit
	assert_limit memory -1
	assert_limit cpu-quota -1
	assert_limit pids-limit -1
}

@test "0 in config.json means unlimited, except for processes" {
	with_resources '{memory: {limit: 0, swap: 0, reservation: 0}, cpu: {shares: 0, quota: 0, period: 0, burst: 0}, pids: {limit: 0}}'
	needs_limit memory cpu-quota cpu-share pids-limit
	assert_limit memory -1
	assert_limit cpu-quota -1
	assert_limit cpu-share 1024
	assert_limit pids-limit 1
}

@test "create sets a CPU burst and an idle cgroup" {
	with_resources '{cpu: {quota: 20000, burst: 10000, idle: 1}}'
	needs_limit cpu-burst cpu-idle
	assert_limit cpu-burst 10000
	assert_limit cpu-idle 1
}

@test "create sets the memory limits that only v1 has" {
	with_resources '{memory: {limit: 104857600, swappiness: 30, disableOOMKiller: true}}'
	cgroup_file memory.swappiness >/dev/null || skip "no memory controller of v1 here"
	assert_equal 30 "$(limit memory.swappiness)"
	assert_match '^oom_kill_disable 1' "$(limit memory.oom_control)"
}

@test "create refuses limits on v2 that only v1 has" {
	local json
	for json in '{memory: {limit: 104857600, swappiness: 30}}' '{memory: {limit: 104857600, disableOOMKiller: true}}' \
		'{cpu: {realtimeRuntime: 1000}}' '{network: {classID: 5}}'; do
		config ".linux.resources = $json"
		status=0
		in_view v2 "$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err" || status=$?
		read_output
		refused 'linux.resources.(memory.swappiness|memory.disableOOMKiller|cpu.realtimeRuntime|network.classID): .*v2'
	done
}

@test "create sets weights and rates of block devices" {
	local device
	device=$(cat /sys/block/*/dev | head -n 1)
	[ -n "$device" ] || skip "no block device here"
	with_resources '{blockIO: {
		throttleReadBpsDevice: [{major: $d[0], minor: $d[1], rate: 1048576}], throttleWriteBpsDevice: [{major: $d[0], minor: $d[1], rate: 2097152}],
		throttleReadIOPSDevice: [{major: $d[0], minor: $d[1], rate: 100}], throttleWriteIOPSDevice: [{major: $d[0], minor: $d[1], rate: 200}]
		}}' "${device/:/,}"
	if cgroup_file io.max >/dev/null; then
		assert_equal "$device rbps=1048576 wbps=2097152 riops=100 wiops=200" "$(cat "$(cgroup_file io.max)")"
	else
		assert_equal "$device 1048576" "$(limit blkio.throttle.read_bps_device)"
		assert_equal "$device 2097152" "$(limit blkio.throttle.write_bps_device)"
		assert_equal "$device 100" "$(limit blkio.throttle.read_iops_device)"
		assert_equal "$device 200" "$(limit blkio.throttle.write_iops_device)"
	fi
}

@test "create sets an I/O weight" {
	runtime_ok create --bundle "$BUNDLE" probe
	cgroup_file io.weight || cgroup_file io.bfq.weight || cgroup_file blkio.bfq.weight || cgroup_file blkio.weight || skip "no weights here"
	runtime_ok delete probe
	with_resources '{blockIO: {weight: 300}}'
	assert_limit blkio-weight 300
}

# bats test_tags=host,guest
@test "create limits huge pages, used and reserved" {
	runtime_ok create --bundle "$BUNDLE" probe
	cgroup_file hugetlb.2MB.limit_in_bytes >/dev/null || grep -qsw hugetlb /sys/fs/cgroup/cgroup.controllers || skip "no hugetlb controller here"
	runtime_ok delete probe
	with_resources '{hugepageLimits: [{pageSize: "2MB", limit: 4194304}]}'
	local file found=0
	for file in hugetlb.2MB.limit_in_bytes hugetlb.2MB.max hugetlb.2MB.rsvd.limit_in_bytes hugetlb.2MB.rsvd.max; do
		cgroup_file "$file" >/dev/null || continue
		assert_equal 4194304 "$(limit "$file")"
		found=$((found + 1))
	done
	[ "$found" -gt 0 ]
}

@test "the kernel enforces the limit of processes" {
	script 'for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; echo made all'
	config '.linux.resources.pids = {limit: 4}'
	runtime run --bundle "$BUNDLE" c
	refute_match 'made all' "$out"
	assert_match "can't fork|Resource temporarily unavailable" "$err"
}

@test "the program has only the CPUs of its cpuset" {
	config '.linux.resources.cpu = {cpus: "0"}'
	run_script 'grep Cpus_allowed_list /proc/self/status'
	assert_match '^Cpus_allowed_list:[[:space:]]+0$' "$out"
}

@test "the error of a refused limit names field, file, value and reason, and create leaves nothing" {
	config '.linux.resources.cpu = {cpus: "4000"}'
	runtime create --bundle "$BUNDLE" c
	refused 'linux.resources.cpu.cpus: write "4000" to ".*/cpuset.cpus": .* \(not a list such as 0-3,7 of what this host has\)$'
	no_cgroup_left
	no_state_left
	config '.linux.resources = {cpu: {shares: 1}}'
	runtime create --bundle "$BUNDLE" c
	refused 'linux.resources.cpu.shares: 1: .*the minimum allowed cpu-shares is 2'
	config '.linux.resources = {blockIO: {weight: 5}}'
	runtime create --bundle "$BUNDLE" c
	refused 'linux.resources.blockIO.weight: 5: .*10 to 1000'
}
