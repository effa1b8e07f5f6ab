# Features that only Docker uses of a runtime.
# bats file_tags=docker
load helpers

@test "run makes a working directory that does not exist" {
	once -w /made/by/run "$IMAGE" pwd
	assert_equal /made/by/run "$out"
}

@test "update changes limits of a running container" {
	needs_controllers memory cpu cpuset pids
	idle --memory 64m --memory-swap 64m --cpu-shares 512 --pids-limit 100
	engine_ok update --memory 96m --memory-swap 128m --cpu-shares 256 --pids-limit 50 "$NAME"
	knob_is 100663296 100663296 memory memory.limit_in_bytes memory.max
	knob_is 134217728 33554432 memory memory.memsw.limit_in_bytes memory.swap.max
	knob_is 256 10 cpu cpu.shares cpu.weight
	knob_is 50 50 pids pids.max pids.max
	# Docker sends the other limits again with the changed one.
	engine_ok update --cpuset-cpus 0 "$NAME"
	knob_is 0 0 cpuset cpuset.cpus cpuset.cpus
	knob_is 100663296 100663296 memory memory.limit_in_bytes memory.max
	knob_is 256 10 cpu cpu.shares cpu.weight
}

@test "Docker's own profile denies a new user namespace" {
	engine run --rm --name "$NAME" "$IMAGE" unshare -U true
	assert_equal 1 "$status"
	assert_match 'Operation not permitted' "$err"
	once --security-opt seccomp=unconfined "$IMAGE" unshare -U true
}

@test "a health check runs" {
	idle --health-cmd 'test -e /tmp/healthy' --health-interval 1s --health-retries 1
	engine_ok exec "$NAME" touch /tmp/healthy
	wait_for 10 inspect_is '{{.State.Health.Status}}' healthy
}

@test "events report an OOM-killed process" {
	needs_controllers memory
	idle --memory 32m --memory-swap 32m
	# From an earlier time: Docker prints past events.
	background docker events --since "$EPOCHSECONDS" --filter "container=$NAME" --filter event=oom --format '{{.Action}}' >"$T/events"
	engine exec "$NAME" tail /dev/zero
	assert_equal 137 "$status"
	wait_for 5 has_line "$T/events" oom
}

@test "attach passes typed input, and detaches" {
	engine_ok run -dit --name "$NAME" "$IMAGE" sh
	mkfifo "$T/in"
	type_and_detach >"$T/in" 3>&- 4>&- &
	STDIN=$T/in on_terminal docker attach "$NAME"
	assert_match '42.*read escape sequence' "$(tr '\n' ' ' <"$T/terminal")"
	inspect_is '{{.State.Running}}' true
}

# type_and_detach: type like a person, who looks before going on.
type_and_detach() {
	printf 'echo $((6 * 7))\n'
	wait_for 10 says_42
	printf '\020'
	sleep 0.2
	printf '\021'
	wait_for 10 grep -q 'escape sequence' "$T/terminal"
}

says_42() {
	docker logs "$NAME" | tr -d '\r' | grep -qx 42
}

@test "containers survive a restart of the daemon" {
	needs_root "the network of the containers ends with the daemon"
	idle --restart always
	local pid
	pid=$(inspected '{{.State.Pid}}')
	kill -KILL "$(cat /run/docker.pid)"
	wait_for 10 dead "$(cat /run/docker.pid)"
	rm /run/docker.pid
	alive "$pid"
	start_dockerd
	inspect_is '{{.State.Running}}' true
	inspect_is '{{.State.Pid}}' "$pid"
	engine_ok exec "$NAME" true
	assert_equal "" "$out"
}

@test "info and inspect name berth" {
	engine_ok info --format '{{.DefaultRuntime}} {{.Runtimes.berth.Path}}'
	assert_equal 'berth /usr/local/sbin/berth' "$out"
	idle
	inspect_is '{{.HostConfig.Runtime}}' berth
}
