# Limits, read back from the cgroup and from the container.
# bats file_tags=docker,podman
load helpers

@test "run limits memory and swap, and reserves memory" {
	needs_controllers memory
	idle --memory 64m --memory-reservation 32m --memory-swap 96m
	knob_is 67108864 67108864 memory memory.limit_in_bytes memory.max
	knob_is 33554432 33554432 memory memory.soft_limit_in_bytes memory.low
	knob_is 100663296 33554432 memory memory.memsw.limit_in_bytes memory.swap.max
}

@test "run sets CPU shares, quota and cpuset" {
	needs_controllers cpu cpuset
	idle --cpu-shares 512 --cpu-period 50000 --cpu-quota 20000 --cpuset-cpus 0
	knob_is 512 20 cpu cpu.shares cpu.weight
	knob_is 20000 '20000 50000' cpu cpu.cfs_quota_us cpu.max
	knob_is 0 0 cpuset cpuset.cpus cpuset.cpus
	engine_ok exec "$NAME" nproc
	assert_equal 1 "$out"
}

@test "run --cpus sets a quota" {
	needs_controllers cpu
	idle --cpus 0.5
	knob_is 50000 '50000 100000' cpu cpu.cfs_quota_us cpu.max
}

@test "run limits the number of processes" {
	needs_controllers pids
	# Debian's runc itself needs several while it starts one more.
	idle --pids-limit 20
	knob_is 20 20 pids pids.max pids.max
	engine exec "$NAME" sh -c 'i=0; while [ $i -lt 30 ]; do i=$((i + 1)); sleep 1000 >/dev/null 2>&1 & done'
	assert_match "can't fork" "$err"
}

@test "run limits bytes and operations of a block device" {
	needs_controllers io
	local disk number
	read -r disk number < <(lsblk -dno PATH,MAJ:MIN | awk '$2 !~ /^(7|1):/ { print; exit }')
	[ -n "$disk" ] || skip "there is no disk"
	idle --device-read-bps "$disk:1mb" --device-write-iops "$disk:50"
	assert_match "$number .*1048576" "$(knob blkio blkio.throttle.read_bps_device io.max)"
	assert_match "$number .*50" "$(knob blkio blkio.throttle.write_iops_device io.max)"
}

@test "run sets rlimits, the size of /dev/shm, OOM score and sysctls" {
	once --ulimit nofile=100:200 --ulimit core=0 --ulimit nproc=4000 --shm-size 5m --oom-score-adj 300 --sysctl net.ipv4.ip_forward=1 \
		--sysctl kernel.msgmax=4096 "$IMAGE" sh -c '
		ulimit -Sn; ulimit -Hn; ulimit -c; df -k /dev/shm | awk "NR == 2 { print \$2 }"; cat /proc/self/oom_score_adj
		cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax'
	assert_equal $'100\n200\n0\n5120\n300\n1\n4096' "$out"
}

@test "the kernel enforces a memory limit" {
	needs_controllers memory
	# oom_score_adj makes the kernel kill the new process and not init; init allocates
	# no memory until the killed process has freed its own.
	detached 'echo ready; exec sleep 1000' --memory 32m --memory-swap 32m
	engine exec "$NAME" sh -c 'echo 1000 >/proc/self/oom_score_adj; exec tail /dev/zero'
	assert_equal 137 "$status"
	engine_ok exec "$NAME" true
}

@test "--cgroup-parent sets the parent cgroup" {
	# A user's Docker sets no cgroup if systemd delegates no controller to it.
	[ -z "${ROOTLESS:-}" ] || needs_controllers pids
	local parent=/somewhere
	[ "$(cgroup_driver)" != systemd ] || parent=somewhere.slice
	idle --cgroup-parent "$parent"
	assert_match "/somewhere(\.slice)?/" "$(cat "/proc/$(inspected '{{.State.Pid}}')/cgroup")"
	engine_ok rm -f "$NAME"
	# Only the test knows that the parent cgroup is no longer needed.
	wait_for 5 remove_somewhere
}

remove_somewhere() {
	find /sys/fs/cgroup -depth -path '*/somewhere*' -type d -exec rmdir {} \; 2>/dev/null
	[ -z "$(find /sys/fs/cgroup -name 'somewhere*')" ]
}
