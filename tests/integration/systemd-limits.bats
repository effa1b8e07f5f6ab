# Limits of a scope, in systemd and in the kernel.
# bats file_tags=guest,guest-user
load helpers

prepare() {
	systemd_bundle
	args sleep 1000
}

# in_force NAME=VALUE...: properties of the scope, and files of its cgroup, which have a
# dot in their names. All in one command: an emulated guest is slow to start each.
in_force() {
	local each want properties=() files=()
	want=$(printf '%s\n' "$@")
	for each in "$@"; do
		each=${each%%=*}
		case $each in *.*) files+=("$each") ;; *) properties+=(-p "$each") ;; esac
	done
	assert_lines "$want" "$(
		systemctl_here show "${properties[@]}" "$UNIT"
		cd "/sys/fs/cgroup$CGROUP" && grep -H . "${files[@]}" | sed 's/:/=/'
	)"
}

@test "limits are set as properties of the scope and in its files" {
	config '.linux.resources += {memory: {limit: 52428800, reservation: 41943040, swap: 62914560}, pids: {limit: 77},
		cpu: {shares: 512, quota: 12345, period: 50000, cpus: "0", mems: "0"},
		unified: {"memory.high": "47185920", "memory.min": "4194304", "memory.oom.group": "1"}}'
	runtime_ok --systemd-cgroup run --detach --bundle "$BUNDLE" c
	local round
	for round in started reloaded; do
		in_force MemoryMax=52428800 MemoryLow=41943040 MemoryHigh=47185920 TasksMax=77 CPUWeight=59 \
			MemorySwapMax=10485760 MemoryMin=4194304 OOMPolicy=kill memory.swap.max=10485760 memory.min=4194304 memory.oom.group=1 \
			CPUQuotaPerSecUSec=246.900ms CPUQuotaPeriodUSec=50ms AllowedCPUs=0 AllowedMemoryNodes=0 \
			memory.max=52428800 memory.low=41943040 memory.high=47185920 pids.max=77 cpu.weight=59 \
			cpu.max="12345 50000" cpuset.cpus=0 cpuset.mems=0
		[ $round = reloaded ] || systemctl_here daemon-reload
	done
	runtime_ok update --memory 62914560 --pids-limit -1 --cpu-quota 25000 c
	systemctl_here daemon-reload
	in_force MemoryMax=62914560 TasksMax=infinity CPUQuotaPerSecUSec=500ms \
		memory.max=62914560 pids.max=max cpu.max="25000 50000" memory.low=41943040
	# For an idle cgroup systemd prints that instead of the weight.
	runtime_ok update --cpu-idle 1 c
	systemctl_here daemon-reload
	in_force CPUWeight=idle cpu.idle=1
}

@test "create leaves no scope when the kernel refuses a limit" {
	config '.linux.resources += {unified: {"memory.max": "much"}}'
	runtime --systemd-cgroup run --bundle "$BUNDLE" c
	refused 'unified\["memory.max"\]'
	no_state_left
	no_cgroup_left
	no_unit_left
}

@test "create reports too little memory, though the scope no longer exists" {
	config '.linux.resources.memory = {limit: 16384, swap: 16384}'
	runtime --systemd-cgroup run --bundle "$BUNDLE" c
	refused 'create "c": container init was OOM-killed \(memory limit too low\?\): linux.resources.memory.limit is 16384 bytes$'
	config '.linux.resources.memory = {limit: 20971520, swap: 20971520}'
	args tail /dev/zero
	runtime --systemd-cgroup run --bundle "$BUNDLE" c
	assert_equal 137 "$status"
	assert_match 'OOM-killed: linux.resources.memory.limit is 20971520 bytes' "$err"
	# A process that was killed otherwise is not reported as OOM-killed.
	args sleep 1000
	background "$RUNTIME" --root "$ROOT" --systemd-cgroup run --bundle "$BUNDLE" c </dev/null >/dev/null 2>"$T/err"
	wait_for 20 has_status c running
	kill -KILL "$(init_pid c)"
	status=0
	wait "$background_pid" || status=$?
	assert_equal "137 " "$status $(<"$T/err")"
	no_state_left
	no_cgroup_left
	no_unit_left
}
