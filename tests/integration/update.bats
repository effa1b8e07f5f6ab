# update.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	args sleep 1000
}

MiB=1048576

# update_ok FLAG...: update succeeds, and prints nothing.
update_ok() {
	runtime_ok update "$@" c
	assert_equal "" "$out$err"
}

# bats test_tags=berth
@test "update names the field of a limit that this host does not have" {
	start_detached c
	runtime update --cpuset-mems 63 c
	refused 'linux\.resources\.cpu\.mems: '
	if real_time_above 0; then
		update_ok --cpu-rt-period 500000
		assert_limit cpu.rt_period_us 500000
	else
		runtime update --cpu-rt-period 500000 c
		refused 'linux\.resources\.cpu\.realtimePeriod: '
	fi
	runtime update --cpu-rt-runtime 1000 c
	refused 'linux\.resources\.cpu\.realtimeRuntime: '
}

# bats test_tags=host,guest
@test "every flag of update sets its limit" {
	start_detached c
	needs_limit memory memory-swap memory-reservation cpu-share cpu-quota cpu-period cpuset-cpus cpuset-mems pids-limit
	update_ok --memory 100M --memory-swap 200M --memory-reservation 50M
	assert_limit memory $((100 * MiB))
	assert_limit memory-swap $((200 * MiB))
	assert_limit memory-reservation $((50 * MiB))
	update_ok --cpu-share 512 --cpu-quota 20000 --cpu-period 50000
	assert_limit cpu-share 512
	assert_limit cpu-quota 20000
	assert_limit cpu-period 50000
	update_ok --cpuset-cpus 0 --cpuset-mems 0
	assert_limit cpuset-cpus 0
	assert_limit cpuset-mems 0
	update_ok --pids-limit 20
	assert_limit pids-limit 20
}

@test "update sets a CPU burst and an idle cgroup" {
	start_detached c
	needs_limit cpu-burst cpu-idle
	update_ok --cpu-quota 20000 --cpu-burst 10000 --cpu-idle 1
	assert_limit cpu-burst 10000
	assert_limit cpu-idle 1
	update_ok --cpu-burst 0 --cpu-idle 0 --cpu-share 100
	assert_limit cpu-burst 0
	assert_limit cpu-idle 0
	assert_limit cpu-share 100
}

@test "update sets the I/O weight" {
	start_detached c
	cgroup_file io.weight || cgroup_file io.bfq.weight || cgroup_file blkio.bfq.weight || cgroup_file blkio.weight || skip "no weights here"
	update_ok --blkio-weight 300
	assert_limit blkio-weight 300
}

@test "update keeps the limits that it is not given" {
	config '.linux.resources.memory = {limit: 104857600} | .linux.resources.pids = {limit: 30} | .linux.resources.cpu = {quota: 30000, period: 60000, shares: 300}'
	start_detached c
	needs_limit memory pids-limit cpu-quota cpu-share
	update_ok --cpu-period 40000
	assert_limit cpu-quota 30000
	update_ok --cpu-quota 25000
	assert_limit cpu-period 40000
	update_ok --memory 0 --cpu-share 0
	assert_limit memory $((100 * MiB))
	assert_limit pids-limit 30
	assert_limit cpu-share 300
	update_ok
	update_ok --pids-limit 31
	assert_limit memory $((100 * MiB))
	assert_limit cpu-quota 25000
	assert_limit cpu-period 40000
}

@test "-1 removes a limit" {
	config '.linux.resources.memory = {limit: 104857600, swap: 209715200, reservation: 1048576} | .linux.resources.pids = {limit: 30} | .linux.resources.cpu = {quota: 30000}'
	start_detached c
	needs_limit memory memory-swap pids-limit cpu-quota
	update_ok --memory -1 --pids-limit -1 --cpu-quota -1
	assert_limit memory -1
	assert_limit memory-swap -1
	assert_limit pids-limit -1
	assert_limit cpu-quota -1
	update_ok --memory 100M --memory-swap=-1
	assert_limit memory $((100 * MiB))
	assert_limit memory-swap -1
}

# bats test_tags=host,guest
@test "update can raise and lower memory and swap together" {
	config '.linux.resources.memory = {limit: 104857600, swap: 209715200}'
	start_detached c
	needs_limit memory memory-swap
	update_ok --memory 300M --memory-swap 400M
	assert_limit memory $((300 * MiB))
	assert_limit memory-swap $((400 * MiB))
	update_ok --memory 50M --memory-swap 60M
	assert_limit memory $((50 * MiB))
	assert_limit memory-swap $((60 * MiB))
	runtime update --memory 70M c
	refused 'memory'
	assert_limit memory $((50 * MiB))
	assert_limit memory-swap $((60 * MiB))
}

@test "the limit of memory and swap stays when the memory limit changes" {
	config '.linux.resources.memory = {limit: 104857600, swap: 209715200}'
	start_detached c
	needs_limit memory memory-swap
	update_ok --memory 50M
	assert_limit memory-swap $((200 * MiB))
	update_ok --memory 150M
	assert_limit memory-swap $((200 * MiB))
}

@test "update starts from the limits of the previous update" {
	start_detached c
	needs_limit memory memory-swap
	update_ok --memory 100M --memory-swap 200M
	update_ok --memory 150M
	assert_limit memory $((150 * MiB))
	assert_limit memory-swap $((200 * MiB))
}

@test "update accepts a size with a fraction and a unit" {
	start_detached c
	needs_limit memory
	update_ok --memory 0.5GiB
	assert_limit memory $((512 * MiB))
	update_ok --memory 1048576000
	assert_limit memory 1048576000
	update_ok --memory 70m
	assert_limit memory $((70 * MiB))
	for size in -2 x 1.2.3 7X; do
		runtime update --memory "$size" c
		refused "$size"
	done
}

@test "update reads a JSON file, and standard input" {
	start_detached c
	needs_limit memory cpu-share pids-limit
	echo '{"memory": {"limit": 104857600}, "cpu": {"shares": 400}, "unknown": {"key": 1}}' >"$T/resources.json"
	update_ok -r "$T/resources.json"
	assert_limit memory $((100 * MiB))
	assert_limit cpu-share 400
	echo '{"pids": {"limit": 40}, "cpu": {"shares": 500, "cpus": "0"}}' >"$T/stdin"
	RUNTIME_STDIN=$T/stdin update_ok --resources -
	assert_limit pids-limit 40
	assert_limit cpu-share 500
	assert_limit cpuset-cpus 0
	assert_limit memory $((100 * MiB))
}

@test "update ignores null and 0 in JSON" {
	config '.linux.resources.memory = {limit: 104857600} | .linux.resources.pids = {limit: 30}'
	start_detached c
	needs_limit memory pids-limit
	echo '{"memory": null, "cpu": null, "pids": null, "blockIO": null, "hugepageLimits": null, "unified": null}' >"$T/resources.json"
	update_ok -r "$T/resources.json"
	echo '{"memory": {"limit": 0, "swap": 0, "reservation": null}, "cpu": {"shares": 0, "quota": 0, "period": 0, "cpus": "", "mems": ""}, "blockIO": {"weight": 0}}' >"$T/resources.json"
	update_ok -r "$T/resources.json"
	assert_limit memory $((100 * MiB))
	assert_limit pids-limit 30
}

@test "update refuses invalid JSON" {
	start_detached c
	echo '{"memory": {"limit": "x"}}' >"$T/resources.json"
	runtime update -r "$T/resources.json" c
	refused 'memory.limit'
	echo '{' >"$T/resources.json"
	runtime update -r "$T/resources.json" c
	refused 'resources.json: line 1'
	: >"$T/resources.json"
	runtime update -r "$T/resources.json" c
	refused 'resources.json: empty'
	runtime update -r "$T/nowhere" c
	refused 'nowhere: no such file'
	runtime update -r "$T/resources.json" --memory 1G c
	refused 'memory: cannot be combined with --resources'
}

@test "update keeps the device rules" {
	start_detached c
	echo '{"devices": [{"allow": false, "access": "rwm"}], "pids": {"limit": 50}}' >"$T/resources.json"
	local before
	before=$(cat "$(cgroup_file devices.list || echo /dev/null)")
	update_ok -r "$T/resources.json"
	assert_equal "$before" "$(cat "$(cgroup_file devices.list || echo /dev/null)")"
	: </proc/"$(init_pid c)"/root/dev/null
}

@test "update changes the limits of a device" {
	local device
	device=$(cat /sys/block/*/dev | head -n 1)
	[ -n "$device" ] || skip "no block device here"
	start_detached c
	cgroup_file blkio.throttle.read_bps_device >/dev/null || cgroup_file io.max >/dev/null || skip "no io controller here"
	echo '{"blockIO": {"throttleReadBpsDevice": [{"major": '"${device%:*}"', "minor": '"${device#*:}"', "rate": 1048576}]}}' >"$T/resources.json"
	update_ok -r "$T/resources.json"
	if cgroup_file io.max >/dev/null; then
		grep "^$device .*rbps=1048576" "$(cgroup_file io.max)"
	else
		assert_equal "$device 1048576" "$(cat "$(cgroup_file blkio.throttle.read_bps_device)")"
	fi
}

# bats test_tags=host,guest
@test "a refused update changes nothing and names the file" {
	config '.linux.resources.memory = {limit: 104857600} | .linux.resources.pids = {limit: 30} | .linux.resources.cpu = {shares: 300}'
	start_detached c
	needs_limit memory cpu-share cpuset-cpus pids-limit
	local all
	all=$(awk '$1 == "Cpus_allowed_list:" { print $2 }' "/proc/$(init_pid c)/status")
	# The runtime writes the device last, and no device has that number.
	echo '{"memory": {"limit": 209715200}, "cpu": {"shares": 400, "cpus": "0"}, "pids": {"limit": 40},
		"blockIO": {"throttleReadBpsDevice": [{"major": 4095, "minor": 1, "rate": 1048576}]}}' >"$T/resources.json"
	runtime update -r "$T/resources.json" c
	refused 'blockIO.throttleReadBpsDevice\[0\]: .*no such block device'
	assert_match 'blkio.throttle.read_bps_device|io.max' "$msg"
	assert_limit memory $((100 * MiB))
	assert_limit cpu-share 300
	assert_limit pids-limit 30
	assert_equal "$all" "$(limit cpuset-cpus)"
	runtime update --pids-limit 40 --memory 200M --cpuset-cpus 4000 c
	refused 'cpuset\.cpus'
	assert_limit memory $((100 * MiB))
	assert_limit pids-limit 30
	alive "$(init_pid c)"
}

# bats test_tags=host,guest
@test "update refuses a limit below the current usage if checkBeforeUpdate is set" {
	script 'head -c 20000000 /dev/zero >/dev/shm/zeros; echo ready; exec sleep 1000'
	config '.linux.resources.memory = {limit: 104857600, checkBeforeUpdate: true}'
	"$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/c.out" 2>&1 3>&-
	wait_for 10 has_line "$T/c.out" ready
	needs_limit memory
	echo '{"memory": {"limit": 10000000, "swap": 10000000, "checkBeforeUpdate": true}}' >"$T/resources.json"
	runtime update -r "$T/resources.json" c
	refused 'in use'
	assert_limit memory $((100 * MiB))
	runtime update --memory 10000000 --memory-swap 10000000 c
	refused 'in use'
	assert_limit memory $((100 * MiB))
	alive "$(init_pid c)"
}

@test "update refuses values that no kernel accepts" {
	start_detached c
	runtime update --cpu-share 1 c
	if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
		succeeded "update to the least weight"
	else
		refused 'the minimum allowed cpu-shares is 2'
	fi
	runtime update --blkio-weight 5 c
	refused '10 to 1000'
	runtime update --blkio-weight 70000 c
	refused 'blkio-weight'
	runtime update --pids-limit many c
	refused 'pids-limit.*many'
	runtime update --memory 100M --memory-swap 50M c
	refused 'memory'
}

@test "update works for a created and for a paused container" {
	runtime_ok create --bundle "$BUNDLE" c
	needs_limit pids-limit
	update_ok --pids-limit 60
	assert_limit pids-limit 60
	runtime_ok start c
	runtime_ok pause c
	update_ok --pids-limit 61 --cpuset-cpus 0 --memory 100M
	assert_limit pids-limit 61
	assert_equal paused "$(status_of c)"
	runtime_ok resume c
	assert_equal running "$(status_of c)"
}

@test "update refuses a stopped container" {
	args true
	start_detached c
	wait_for 5 has_status c stopped
	runtime update --pids-limit 60 c
	refused 'container not running$'
	runtime update --pids-limit 60 nobody
	refused 'container does not exist$'
}

@test "update ignores limits of kernel memory with a warning" {
	start_detached c
	runtime update --kernel-memory 1G --kernel-memory-tcp 1G c
	[ "$status" = 0 ]
	assert_match 'Kernel memory settings are ignored and will be removed' "$err"
}

@test "update refuses cache and memory bandwidth without linux.intelRdt" {
	start_detached c
	runtime update --l3-cache-schema 'L3:0=f' c
	[ "$status" = 1 ]
	assert_match 'l3|L3|[Rr]dt' "$msg"
	runtime update --mem-bw-schema 'MB:0=20' c
	[ "$status" = 1 ]
}

@test "update works in the v2 hierarchy alone" {
	in_view v2 "$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/out" 2>&1 3>&-
	echo '{"unified": {"cgroup.max.depth": "7"}}' >"$T/resources.json"
	in_view v2 "$RUNTIME" --root "$ROOT" update -r "$T/resources.json" c
	assert_equal 7 "$(cat "$(cgroup_file cgroup.max.depth)")"
	echo '{"unified": {"cgroup.max.depth": "8", "cgroup.max.descendants": "x"}}' >"$T/resources.json"
	status=0
	in_view v2 "$RUNTIME" --root "$ROOT" update -r "$T/resources.json" c 2>"$T/err" || status=$?
	local depth
	depth=$(cat "$(cgroup_file cgroup.max.depth)")
	in_view v2 "$RUNTIME" --root "$ROOT" delete --force c
	[ "$status" = 1 ]
	assert_match 'cgroup.max.descendants' "$(cat "$T/err")"
	assert_equal 7 "$depth"
}
