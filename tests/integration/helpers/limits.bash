# Limits in the kernel, in either version of cgroups: the table below has the files of
# v1 and v2 by the flag of "update".

# limit_files NAME: files of v1, then of v2, with the field of the line.
limit_files() {
	case $1 in
	memory) echo memory.limit_in_bytes memory.max ;;
	memory-reservation) echo memory.soft_limit_in_bytes memory.low ;;
	memory-swap) echo memory.memsw.limit_in_bytes memory.swap.max ;;
	cpu-quota) echo cpu.cfs_quota_us cpu.max:1 ;;
	cpu-period) echo cpu.cfs_period_us cpu.max:2 ;;
	cpu-burst) echo cpu.cfs_burst_us cpu.max.burst ;;
	cpu-share) echo cpu.shares cpu.weight ;;
	cpu-idle | cpuset-cpus | cpuset-mems) echo "${1/-/.}" ;;
	pids-limit) echo pids.max ;;
	blkio-weight) echo blkio.bfq.weight blkio.weight io.bfq.weight io.weight ;;
	*.*) echo "$1" ;; # a file
	*) failed "unknown limit: $1" ;;
	esac
}

# cgroup_file NAME: the path of the file in the container's cgroup; fails if there is no
# such file.
cgroup_file() {
	local dir
	for dir in $(cgroup_dirs "$CGROUP"); do
		if [ -e "$dir/$1" ]; then
			echo "$dir/$1"
			return
		fi
	done
	return 1
}

# needs_limit NAME...: skip where the kernel has no such limit of the container, which
# must exist. On v2 the runtime enables a controller when it sets a limit; the files do
# not exist earlier.
needs_limit() {
	local name file files
	[ -n "$(cgroup_dirs "$CGROUP")" ] || failed "needs_limit $*: no container yet"
	for name in "$@"; do
		files=$(limit_files "$name") || return # of an unknown name
		for file in $files; do
			! cgroup_file "${file%:*}" >/dev/null || continue 2
			! grep -qsw "${file%%.*}" /sys/fs/cgroup/cgroup.controllers || continue 2
		done
		skip "no $name in the cgroups of this host"
	done
}

# limit NAME: its value in the kernel; -1 is unlimited.
limit() {
	local file path
	for file in $(limit_files "$1"); do
		path=$(cgroup_file "${file%:*}") || continue
		case $file in
		*:*) cut -d ' ' -f "${file#*:}" "$path" ;;
		memory.swap.max) swap_and_memory "$path" ;;
		*weight) awk '{ print $NF; exit }' "$path" ;;
		*) cat "$path" ;;
		esac | sed 's/^max$/-1/; s/^9223372036854771712$/-1/'
		return
	done
	failed "no $1 in the cgroup"
}

# swap_and_memory FILE: the limit of both together, as v1 has it.
swap_and_memory() {
	local swap memory
	swap=$(cat "$1") memory=$(cat "${1%/*}/memory.max")
	if [ "$swap$memory" = "${swap/max/}${memory/max/}" ]; then echo $((swap + memory)); else echo max; fi
}

# assert_limit NAME VALUE
assert_limit() {
	local want=$2
	case $1 in
	cpu-share)
		! cgroup_file cpu.weight >/dev/null || want=$(weight_of_shares "$2")
		;;
	blkio-weight)
		! cgroup_file io.weight >/dev/null || want=$((1 + ($2 - 10) * 9999 / 990))
		;;
	esac
	[ "$want" = "$(limit "$1")" ] || failed "$1: want $want, got $(limit "$1")"
}

# weight_of_shares SHARES: map 2..262144 to 1..10000, and 1024 to 100.
weight_of_shares() {
	awk -v s="$1" 'BEGIN { l = log(s) / log(2); w = 10 ^ ((l * l + 125 * l) / 612 - 7 / 34); print w == int(w) ? w : int(w) + 1 }'
}
