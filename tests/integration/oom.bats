# A container with too little memory: the runtime's error says so.
# bats file_tags=berth,kernel
load helpers

prepare() {
	new_bundle
	args true
}

# memory_limit BYTES: limit memory and swap together.
memory_limit() {
	config '.linux.resources.memory = {limit: $n, swap: $n}' --argjson n "$1"
}

# needs_memory: skip where memory cannot be limited.
needs_memory() {
	memory_limit 104857600
	runtime_ok create --bundle "$BUNDLE" probe
	needs_limit memory
	runtime_ok delete probe
}

# bats test_tags=host,guest
@test "create and run report too little memory, and leave nothing" {
	needs_memory
	local limit smallest='' killed=0
	for limit in 4096 8192 65536 98304 131072 163840 196608 262144 393216 524288 1048576; do
		memory_limit "$limit"
		runtime run --bundle "$BUNDLE" c
		case $status in
		0) smallest=${smallest:-$limit} ;;
		1)
			# Other failures than an OOM kill: ENOMEM, or a limit below the current
			# usage.
			refused "linux.resources.memory.limit.*$limit"
			[ "$(wc -l <<<"$err")" = 1 ]
			# Tools match the phrase, which is runc's.
			if [[ $msg =~ ^create\ \"c\":\ container\ init\ was\ OOM-killed\ \(memory\ limit\ too\ low\?\):\ .*\ is\ $limit\ bytes$ ]]; then
				killed=$((killed + 1))
			fi
			;;
		137) assert_match "OOM-killed: linux.resources.memory.limit is $limit bytes" "$err" ;;
		*) failed "limit $limit: exit status $status: $err" ;;
		esac
		no_cgroup_left
		no_state_left
	done
	echo "# killed at $killed limits, the smallest that works is $smallest" >&3
	[ "$killed" -gt 0 ]
	[ "$smallest" -le 524288 ]
}

# As at a limit at which the stub just exceeds it after create.
# bats test_tags=host,guest
@test "start reports that the created container was OOM-killed" {
	needs_memory
	memory_limit 20971520
	config '.process.oomScoreAdj = 1000' # the kernel chooses init before dd, which is small itself
	runtime_ok create --bundle "$BUNDLE" c
	local file
	file=$(cgroup_file memory.limit_in_bytes || cgroup_file memory.max)
	unshare --mount sh -c 'mount -t tmpfs none /mnt && echo $$ >"$0/cgroup.procs" && exec dd if=/dev/zero of=/mnt/zeros bs=1M count=40' "${file%/*}" || true
	wait_for 10 has_status c stopped
	runtime start c
	refused 'has stopped: container init was OOM-killed \(memory limit too low\?\): linux.resources.memory.limit is 20971520 bytes$'
}

# bats test_tags=host,guest
@test "true runs in 512 KiB" {
	memory_limit 524288
	runtime_ok run --bundle "$BUNDLE" c
}

@test "run reports that its program was OOM-killed" {
	needs_memory
	memory_limit 20971520
	args tail /dev/zero
	runtime run --bundle "$BUNDLE" c
	[ "$status" = 137 ]
	assert_match 'level=warning msg="OOM-killed: linux.resources.memory.limit is 20971520 bytes"' "$err"
}

@test "run does not report an OOM kill when the program was killed otherwise" {
	needs_memory
	script 'kill -KILL $$'
	config '.linux.namespaces |= map(select(.type != "pid"))'
	runtime run --bundle "$BUNDLE" c
	[ "$status" = 137 ]
	refute_match 'memory' "$err"
}

@test "create does not report an OOM kill for another error" {
	needs_memory
	args /nope
	runtime create --bundle "$BUNDLE" c
	refused '/nope'
	refute_match 'memory' "$msg"
}
