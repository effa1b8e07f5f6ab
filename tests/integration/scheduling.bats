# Scheduling of the process, its CPUs, the nodes of its memory, and its personality, as
# the kernel reports them to the program or from outside.
# runc 1.1 supports none of them.
# bats file_tags=berth,kernel

load helpers

prepare() {
	new_bundle
}

# stat_field N: a field of the /proc/PID/stat of a container's running program.
stat_field() {
	sed 's/.*) //' "/proc/$(init_pid c)/stat" | cut -d ' ' -f $(($1 - 2))
}

# running FILTER: start a container that a jq filter has changed.
running() {
	config "$1"
	args sleep 1000
	start_detached c
}

# policy: as chrt prints it.
policy() {
	chrt --pid "$(init_pid c)" | sed -n 's/.*policy: *//p'
}

# priority: the real-time priority.
priority() {
	chrt --pid "$(init_pid c)" | sed -n 's/.*priority: *//p'
}

# real_time: let the container use real-time processor time.
real_time() {
	real_time_above 200000 || return 0
	config '.linux.resources.cpu = {realtimeRuntime: 100000, realtimePeriod: 1000000}'
}

@test "create sets every scheduling policy" {
	real_time
	local name want realtime nice
	# Policies that ignore the nice value keep the runtime's.
	while read -r name want realtime nice; do
		running ".process.scheduler = {policy: \"$name\", priority: $realtime, nice: $nice}"
		assert_equal "$want $realtime $nice" "$(policy) $(priority) $(stat_field 19)"
		runtime_ok delete --force c
	done <<-END
		SCHED_OTHER SCHED_OTHER 0 5
		SCHED_OTHER SCHED_OTHER 0 -5
		SCHED_BATCH SCHED_BATCH 0 3
		SCHED_IDLE SCHED_IDLE 0 $(nice)
		SCHED_FIFO SCHED_FIFO 7 $(nice)
		SCHED_RR SCHED_RR 99 $(nice)
		SCHED_RR SCHED_RR 1 4
	END
}

@test "create sets a deadline" {
	machine_lock deadline
	running '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 10000000, deadline: 20000000, period: 30000000}'
	assert_equal SCHED_DEADLINE "$(policy)"
	assert_match 'runtime/deadline/period parameters:.*10000000/20000000/30000000' "$(chrt --pid "$(init_pid c)")"
}

@test "create sets scheduling flags" {
	real_time
	running '.process.scheduler = {policy: "SCHED_RR", priority: 5, flags: ["SCHED_FLAG_RESET_ON_FORK"]}'
	assert_equal 'SCHED_RR|SCHED_RESET_ON_FORK' "$(policy)"
}

@test "child processes inherit the program's scheduling" {
	config '.process.scheduler = {policy: "SCHED_BATCH", nice: 3}'
	run_script 'sh -c "cat /proc/self/stat" | cut -d " " -f 19,41'
	assert_equal '3 3' "$out"
}

@test "without a scheduler the program has the runtime's scheduling" {
	args sleep 1000
	nice -n 4 "$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err"
	assert_equal "SCHED_OTHER $(nice -n 4 nice)" "$(policy) $(stat_field 19)"
}

@test "create names the field of an invalid scheduler" {
	args true
	while IFS='|' read -r scheduler want; do
		config ".process.scheduler = $scheduler"
		runtime create --bundle "$BUNDLE" c
		refused "process\.scheduler\.$want"
	done <<-'END'
		{"policy": "SCHED_NOPE"}|policy: unknown policy
		{"policy": "SCHED_ISO"}|policy: .*no Linux kernel has it
		{"policy": "SCHED_FIFO"}|priority: 0: SCHED_FIFO wants 1 to 99
		{"policy": "SCHED_OTHER", "priority": 3}|priority: 3: only SCHED_FIFO
		{"policy": "SCHED_OTHER", "nice": 40}|nice: 40: want -20 to 19
		{"policy": "SCHED_OTHER", "flags": ["NOPE"]}|flags\[0\]: unknown flag
		{"policy": "SCHED_DEADLINE", "runtime": 5000, "deadline": 4000}|deadline: 4000: shorter than the runtime
	END
}

@test "create refuses a deadline for which the host has no CPU time" {
	machine_lock deadline
	args true
	config '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 1000000000, deadline: 1000000000, period: 1000000000}'
	# Each deadline needs all of one CPU; the kernel reserves a twentieth of all of
	# them.
	for ((i = 1; i < $(nproc); i++)); do
		config ".linux.cgroupsPath = \"$CGROUP-$i\""
		runtime_ok create --bundle "$BUNDLE" "c$i"
	done
	config ".linux.cgroupsPath = \"$CGROUP\""
	runtime create --bundle "$BUNDLE" c
	refused 'process\.scheduler: sched_setattr: device or resource busy \(its runtime is more than the host has left'
}

@test "create sets the I/O priority" {
	local class level want
	while read -r class level want; do
		running ".process.ioPriority = {class: \"$class\", priority: $level}"
		assert_equal "$want" "$(ionice --pid "$(init_pid c)")"
		runtime_ok delete --force c
	done <<-END
		IOPRIO_CLASS_BE 3 best-effort: prio 3
		IOPRIO_CLASS_RT 0 realtime: prio 0
		IOPRIO_CLASS_IDLE 0 idle
	END
}

@test "create names the field of an invalid I/O priority" {
	args true
	config '.process.ioPriority = {class: "IOPRIO_CLASS_NOPE", priority: 0}'
	runtime create --bundle "$BUNDLE" c
	refused 'process\.ioPriority\.class: unknown class'
	config '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 8}'
	runtime create --bundle "$BUNDLE" c
	refused 'process\.ioPriority\.priority: 8: want 0 \(first\) to 7 \(last\)'
}

# cpus_of_self: the CPUs in /proc/PID/status.
# shellcheck disable=SC2016
cpus_of_self='sed -n "s/^Cpus_allowed_list:[[:space:]]*//p" /proc/self/status'

@test "the program does not inherit the runtime's CPU affinity" {
	local all
	all=$(cat /sys/devices/system/cpu/online)
	[ "$all" != 0 ] || skip "one CPU only"
	script "$cpus_of_self"
	taskset --cpu-list 0 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err"
	read_output
	assert_equal "$all" "$out"
}

@test "the program has the CPUs of its cpuset, whatever the runtime's affinity" {
	[ "$(nproc)" -gt 1 ] || skip "one CPU only"
	config '.linux.resources.cpu = {cpus: "1", mems: "0"}'
	script "$cpus_of_self"
	taskset --cpu-list 0 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err"
	read_output
	assert_equal 1 "$out"
}

@test "execCPUAffinity does not affect init" {
	config '.process.execCPUAffinity = {initial: "0", final: "0"}'
	run_script "$cpus_of_self"
	assert_equal "$(cat /sys/devices/system/cpu/online)" "$out"
	config '.process.execCPUAffinity = {final: "1-"}'
	runtime create --bundle "$BUNDLE" c
	refused 'process\.execCPUAffinity\.final: .*want CPU numbers below 8192'
}

# personality FILTER: the content of /proc/self/personality.
personality() {
	config ".linux.personality = $1"
	run_script 'cat /proc/self/personality; uname -m'
}

@test "create sets the personality" {
	personality '{domain: "LINUX32"}'
	case $(uname -m) in
	x86_64) assert_equal $'00000008\ni686' "$out" ;;
	*) assert_match '^00000008' "$out" ;;
	esac
	personality '{domain: "LINUX"}'
	assert_equal $'00000000\n'"$(uname -m)" "$out"
}

@test "create sets the flags of the personality" {
	personality '{domain: "LINUX", flags: ["ADDR_NO_RANDOMIZE"]}'
	assert_match '^00040000' "$out"
	config '.linux.personality.flags = ["NOPE"]'
	runtime create --bundle "$BUNDLE" c
	refused 'linux\.personality\.flags\[0\]: unknown flag'
}

@test "create refuses an unknown personality" {
	args true
	config '.linux.personality = {domain: "BSD"}'
	runtime create --bundle "$BUNDLE" c
	refused 'linux\.personality\.domain: unknown domain'
}

@test "create sets a memory policy" {
	[ -e /proc/self/numa_maps ] || skip "the kernel knows no nodes"
	local mode want
	while read -r mode want; do
		config ".linux.memoryPolicy = {mode: \"$mode\", nodes: \"0\"}"
		run_script 'cat /proc/self/numa_maps'
		assert_match " $want " "$(head -n 1 <<<"$out")"
	done <<-'END'
		MPOL_BIND bind:0
		MPOL_INTERLEAVE interleave:0
		MPOL_PREFERRED prefer:0
	END
	config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]}'
	run_script 'cat /proc/self/numa_maps'
	assert_match ' bind=static:0 ' "$(head -n 1 <<<"$out")"
	config '.linux.memoryPolicy = {mode: "MPOL_DEFAULT"}'
	run_script 'cat /proc/self/numa_maps'
	assert_match ' default ' "$(head -n 1 <<<"$out")"
}

@test "create refuses an invalid memory policy" {
	[ -e /proc/self/numa_maps ] || skip "the kernel knows no nodes"
	args true
	config '.linux.memoryPolicy = {mode: "MPOL_BIND"}'
	runtime create --bundle "$BUNDLE" c
	refused 'linux\.memoryPolicy\.nodes: missing: MPOL_BIND wants at least one'
	config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "1000"}'
	runtime create --bundle "$BUNDLE" c
	refused 'set memory policy: linux\.memoryPolicy: set_mempolicy: '
}

@test "features lists the modes and flags of memory policies" {
	runtime_ok features
	assert_equal 7 "$(jq '.linux.memoryPolicy.modes | length' <<<"$out")"
	assert_equal 3 "$(jq '.linux.memoryPolicy.flags | length' <<<"$out")"
}
