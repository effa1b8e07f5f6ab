# Resources of config.json, read back from the files of the cgroup, with each cgroup
# driver, as root and as a user, where v2 has all controllers. Tests that do not depend
# on the driver are in resources.bats.
# bats file_tags=guest
load helpers

prepare() {
	systemd_bundle
	args sleep 1000
}

# drivers: the drivers that work here. The user's own processes are in the user's
# cgroup: only systemd can enable controllers for other cgroups below it.
drivers() {
	[ "$(id -u)" != 0 ] || echo cgroupfs
	echo systemd
}

# create_by DRIVER ID RESOURCES: create a container with these resources only.
create_by() {
	local flags=() path=$CGROUP_PARENT/$BATS_TEST_NUMBER-$2
	if [ "$1" = systemd ]; then
		flags=(--systemd-cgroup)
		path=bt.slice:bt:$BATS_TEST_NUMBER-$2
	fi
	config ".linux.cgroupsPath = \$path | .linux.resources = $3" --arg path "$path"
	runtime "${flags[@]}" create --bundle "$BUNDLE" "$2"
}

# reads_back RESOURCES LINE...: a container with these resources has these lines, each
# "FILE CONTENT", in the files of its cgroup. So has a container that gets them by
# update; all calls of a test share that one.
reads_back() {
	local driver
	for driver in $(drivers); do
		create_by "$driver" c "$1"
		succeeded "create by $driver"
		has_lines c "create by $driver" "${@:2}"
		runtime_ok delete --force c

		[ -e "$ROOT/$driver" ] || create_by "$driver" "$driver" '{}'
		jq -n "$1" >"$T/resources.json"
		runtime_ok update --resources "$T/resources.json" "$driver"
		has_lines "$driver" "update by $driver" "${@:2}"
	done
}

# has_lines ID HOW LINE...
has_lines() {
	local dir how=$2 line file
	dir=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(init_pid "$1")/cgroup")
	for line in "${@:3}"; do
		file=${line%% *}
		# rdma.max has blanks at the ends of its lines.
		sed 's/ *$//' "$dir/$file" | grep -qxF -- "${line#* }" || failed "$how: $file: want ${line#* }, got $(cat "$dir/$file")"
	done
}

# The guest's disk, as the kernel and as config.json name it.
disk=$(cat /sys/block/vda/dev 2>/dev/null || true)
device="major: ${disk%:*}, minor: ${disk#*:}"

# bats test_tags=guest-user
@test "memory is limited, and swap is the remainder of the memory and swap limit" {
	reads_back '{memory: {limit: 67108864, swap: 100663296, reservation: 33554432}}' \
		'memory.max 67108864' 'memory.swap.max 33554432' 'memory.low 33554432'
	reads_back '{memory: {limit: 67108864, swap: -1}}' 'memory.max 67108864' 'memory.swap.max max'
	reads_back '{memory: {limit: 67108864, swap: 67108864}}' 'memory.swap.max 0'
	reads_back '{memory: {limit: -1}}' 'memory.max max'
}

# bats test_tags=guest-user
@test "CPU shares become a weight" {
	reads_back '{cpu: {shares: 2}}' 'cpu.weight 1'
	reads_back '{cpu: {shares: 1024}}' 'cpu.weight 100'
	reads_back '{cpu: {shares: 512}}' 'cpu.weight 59'
	reads_back '{cpu: {shares: 262144}}' 'cpu.weight 10000'
}

# bats test_tags=guest-user
@test "the CPU has a quota, a period and a burst" {
	reads_back '{cpu: {quota: 50000, period: 80000, burst: 10000}}' 'cpu.max 50000 80000' 'cpu.max.burst 10000'
	reads_back '{cpu: {quota: -1, period: 100000}}' 'cpu.max max 100000'
	reads_back '{cpu: {period: 20000}}' 'cpu.max max 20000'
}

# bats test_tags=guest-user
@test "a cgroup is idle" {
	reads_back '{cpu: {idle: 1}}' 'cpu.idle 1'
	reads_back '{cpu: {idle: 0, shares: 2}}' 'cpu.idle 0' 'cpu.weight 1'
}

# bats test_tags=guest-user
@test "the program has the CPUs and memory nodes of the cpuset" {
	reads_back '{cpu: {cpus: "1", mems: "0"}}' 'cpuset.cpus 1' 'cpuset.mems 0'
	reads_back '{cpu: {cpus: "0-1"}}' 'cpuset.cpus 0-1'
}

# bats test_tags=guest-user
@test "the number of processes is limited" {
	reads_back '{pids: {limit: 20}}' 'pids.max 20'
	reads_back '{pids: {limit: -1}}' 'pids.max max'
}

# bats test_tags=guest-user
@test "input and output of a device are throttled" {
	reads_back "{blockIO: {
		throttleReadBpsDevice: [{$device, rate: 1048576}], throttleWriteBpsDevice: [{$device, rate: 2097152}],
		throttleReadIOPSDevice: [{$device, rate: 100}], throttleWriteIOPSDevice: [{$device, rate: 200}]}}" \
		"io.max $disk rbps=1048576 wbps=2097152 riops=100 wiops=200"
}

@test "I/O weights are set for iocost, and for bfq if the kernel has it" {
	if [ ! -e /sys/module/bfq ]; then
		echo "$disk enable=1" >/sys/fs/cgroup/io.cost.qos
		reads_back "{blockIO: {weight: 500, weightDevice: [{$device, weight: 300}]}}" 'io.weight default 4950' "io.weight $disk 2930"
		echo "$disk enable=0" >/sys/fs/cgroup/io.cost.qos
	fi
	modprobe bfq
	echo bfq >/sys/block/vda/queue/scheduler
	reads_back "{blockIO: {weight: 500, weightDevice: [{$device, weight: 300}]}}" \
		'io.bfq.weight default 500' "io.bfq.weight $disk 300"
	echo none >/sys/block/vda/queue/scheduler
}

@test "huge pages are limited, and their reservation" {
	reads_back '{hugepageLimits: [{pageSize: "2MB", limit: 4194304}, {pageSize: "1GB", limit: 1073741824}]}' \
		'hugetlb.2MB.max 4194304' 'hugetlb.2MB.rsvd.max 4194304' \
		'hugetlb.1GB.max 1073741824' 'hugetlb.1GB.rsvd.max 1073741824'
}

@test "handles and objects of an rdma device are limited" {
	# A software device on a dummy network interface. It stays: Linux 6.12 crashes when
	# a device with cgroup limits is removed.
	modprobe -a rdma_rxe dummy
	ip link add bed-rdma type dummy
	rdma link add rxe0 type rxe netdev bed-rdma
	reads_back '{rdma: {rxe0: {hcaHandles: 3, hcaObjects: 10000}}}' 'rdma.max rxe0 hca_handle=3 hca_object=10000'
}

# bats test_tags=guest-user
@test "unified writes any file of the cgroup by its name" {
	reads_back '{unified: {"memory.high": "50331648", "memory.oom.group": "1", "cpu.weight.nice": "-5", "pids.max": "7"}}' \
		'memory.high 50331648' 'memory.oom.group 1' 'cpu.weight.nice -5' 'pids.max 7'
}

@test "create refuses a miscellaneous resource that the host does not have" {
	local driver
	for driver in $(drivers); do
		create_by "$driver" c '{unified: {"misc.max": "sev 1"}}'
		refused 'unified.*misc.max'
	done
}

@test "a static program runs with a memory limit of 512 KiB" {
	local kib smallest
	args true
	for kib in 512 384 256 192 128 96 64; do
		config '.linux.cgroupsPath = $path | .linux.resources = {memory: {limit: ($kib * 1024)}}' \
			--arg path "$CGROUP_PARENT/$BATS_TEST_NUMBER" --argjson kib "$kib"
		runtime run --bundle "$BUNDLE" c
		[ "$status" = 0 ] || break
		smallest=$kib
	done
	[ -n "$smallest" ] || failed "not with 512 KiB: $err"
	echo "# the smallest memory limit of /bin/true is $smallest KiB; with less: exit status $status, $msg" >&3
}
