# ps.
# bats file_tags=v2,kernel
load helpers

prepare() {
	new_bundle
	script 'sleep 1001 & exec sleep 1002'
}

# start_two: start a container with two processes.
start_two() {
	start_detached c
	wait_for 5 two_sleep
}

two_sleep() {
	[ "$(xargs -I{} cat /proc/{}/comm <"$(cgroup_file cgroup.procs)" | sort -u)" = sleep ] &&
		[ "$(wc -l <"$(cgroup_file cgroup.procs)")" = 2 ]
}

@test "ps prints a table of the container's processes" {
	start_two
	runtime_ok ps c
	assert_equal "$(ps -ef | head -n 1)" "$(head -n 1 <<<"$out")"
	assert_equal 3 "$(wc -l <<<"$out")"
	assert_lines "$(cat "$(cgroup_file cgroup.procs)")" "$(awk 'NR > 1 { print $2 }' <<<"$out")"
	assert_match 'sleep 1001' "$out"
	assert_match 'sleep 1002' "$out"
}

@test "ps passes options on" {
	start_two
	runtime_ok ps c -e -o pid,ppid,args
	assert_match '^ *PID +PPID +COMMAND' "$out"
	assert_lines $'sleep 1001\nsleep 1002' "$(sed 1d <<<"$out" | cut -d s -f 2- | sed 's/^/s/')"
	runtime_ok ps c -eo ppid,pid
	assert_lines "$(cat "$(cgroup_file cgroup.procs)")" "$(awk 'NR > 1 { print $2 }' <<<"$out")"
	runtime_ok ps --format table c aux
	assert_match '^USER' "$out"
	assert_equal 3 "$(wc -l <<<"$out")"
}

@test "ps finds the process IDs after columns that contain blanks" {
	start_two
	runtime_ok ps c -e -o args,pid
	assert_lines "$(cat "$(cgroup_file cgroup.procs)")" "$(awk 'NR > 1 { print $NF }' <<<"$out")"
}

@test "ps prints process IDs as JSON" {
	start_two
	runtime_ok ps -f json c
	assert_equal "$(sort -n "$(cgroup_file cgroup.procs)" | jq -sc .)" "$out"
	runtime_ok ps --format json c
	assert_equal 2 "$(jq length <<<"$out")"
}

@test "ps lists processes of cgroups below the container's" {
	start_two
	local dir pid
	pid=$(sort -n "$(cgroup_file cgroup.procs)" | tail -n 1)
	for dir in $(cgroup_dirs "$CGROUP"); do
		mkdir "$dir/below"
		[ ! -e "$dir/cpuset.cpus" ] || cat "$dir/cpuset.cpus" >"$dir/below/cpuset.cpus"
		[ ! -e "$dir/cpuset.mems" ] || cat "$dir/cpuset.mems" >"$dir/below/cpuset.mems"
		echo "$pid" >"$dir/below/cgroup.procs"
	done
	runtime_ok ps -f json c
	assert_equal 2 "$(jq length <<<"$out")"
}

@test "ps lists the process of a created container, and of a paused one" {
	runtime_ok create --bundle "$BUNDLE" c
	runtime_ok ps -f json c
	assert_equal "[$(init_pid c)]" "$out"
	runtime_ok pause c
	runtime_ok ps -f json c
	assert_equal "[$(init_pid c)]" "$out"
}

@test "ps prints only a header for a stopped container" {
	args true
	start_detached c
	wait_for 5 has_status c stopped
	runtime_ok ps c
	assert_equal "$(ps -ef | head -n 1)" "$out"
	runtime_ok ps -f json c
	assert_equal null "$out"
}

@test "ps refuses invalid arguments" {
	start_two
	runtime ps c -o ppid
	refused "couldn't find PID field in ps output"
	runtime ps c --no-such-option
	[ "$status" = 1 ]
	assert_match 'exit status 1: ' "$msg"
	runtime ps -f yaml c
	refused 'invalid format option'
	runtime ps nobody
	refused 'container does not exist$'
	runtime ps
	[ "$status" = 1 ]
	assert_match '"ps" requires a minimum of 1 argument' "$msg"
}

# bats test_tags=berth
@test "ps reports that the host has no ps" {
	start_two
	status=0
	PATH=/nowhere "$RUNTIME" --root "$ROOT" ps c >"$T/out" 2>"$T/err" || status=$?
	read_output
	refused 'install it'
}

@test "ps lists the processes that the init of a stopped container left" {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	script 'sleep 1000 & sleep 1000 &'
	start_detached c
	wait_for 5 has_status c stopped
	runtime_ok ps --format json c
	assert_equal 2 "$(jq length <<<"$out")"
	runtime_ok ps c
	assert_equal 2 "$(grep -c 'sleep 1000' <<<"$out")"
	runtime_ok kill --all c KILL
	wait_for 5 no_orphans
	runtime_ok ps --format json c
	assert_match '^(\[\]|null)$' "$out"
}
