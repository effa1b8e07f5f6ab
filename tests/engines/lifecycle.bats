# The life of a container: stop, kill, pause, restart, and the reports about it.
# bats file_tags=docker,podman
load helpers

running() { inspect_is '{{.State.Running}}' true; }
ended() { inspect_is '{{.State.Running}}' false; }

@test "stop sends the signal that the container asks for" {
	detached 'trap "echo caught; exit 4" USR1; echo ready; while :; do sleep 0.1; done' --stop-signal USR1
	engine_ok stop -t 20 "$NAME"
	logged caught
	inspect_is '{{.State.ExitCode}}' 4
}

@test "stop kills a container that ignores the signal" {
	detached 'trap "" TERM; echo ready; while :; do sleep 0.1; done'
	engine_ok stop -t 1 "$NAME"
	inspect_is '{{.State.ExitCode}}' 137
}

@test "kill sends a signal" {
	detached 'trap "echo caught" HUP; echo ready; while :; do sleep 0.1; done'
	engine_ok kill -s HUP "$NAME"
	wait_for 5 logged caught
	running
	engine_ok kill "$NAME"
	wait_for 5 ended
	inspect_is '{{.State.ExitCode}}' 137
}

@test "wait prints the exit status" {
	engine_ok run -d --name "$NAME" "$IMAGE" sh -c 'sleep 0.3; exit 6'
	engine_ok wait "$NAME"
	assert_equal 6 "$out"
}

@test "logs prints both streams, and follows" {
	engine_ok run -d --name "$NAME" "$IMAGE" sh -c 'echo one; echo two >&2; sleep 0.5; echo three'
	engine_ok logs -f "$NAME"
	assert_equal $'one\nthree' "$out"
	assert_equal two "$err"
}

@test "pause and unpause freeze and thaw the container" {
	needs_cgroup
	detached 'echo ready; while :; do echo >>/tmp/ticks; sleep 0.02; done'
	engine_ok pause "$NAME"
	inspect_is '{{.State.Status}}' paused
	local pid ticks
	pid=$(inspected '{{.State.Pid}}')
	ticks=$(wc -l <"/proc/$pid/root/tmp/ticks")
	sleep 0.2
	assert_equal "$ticks" "$(wc -l <"/proc/$pid/root/tmp/ticks")"
	engine exec "$NAME" true
	[ "$status" != 0 ]
	engine_ok unpause "$NAME"
	running
	wait_for 5 more_ticks "$pid" "$ticks"
}

more_ticks() {
	[ "$(wc -l <"/proc/$1/root/tmp/ticks")" -gt "$2" ]
}

@test "rm -f removes a paused container" {
	needs_cgroup
	idle
	engine_ok pause "$NAME"
	engine_ok rm -f "$NAME"
	assert_equal "" "$("$ENGINE" ps -aq)"
}

@test "restart starts a new process" {
	idle
	local pid
	pid=$(inspected '{{.State.Pid}}')
	engine_ok restart -t 5 "$NAME"
	running
	[ "$(inspected '{{.State.Pid}}')" != "$pid" ]
	assert_equal 2 "$("$ENGINE" logs "$NAME" | grep -cx ready)"
}

@test "start runs a stopped container again, with its files" {
	engine_ok run --name "$NAME" "$IMAGE" sh -c 'echo >>/runs; wc -l </runs'
	engine_ok start -a "$NAME"
	assert_equal 2 "$out"
}

@test "the restart policy starts a failing container again" {
	engine_ok run -d --name "$NAME" --restart on-failure:2 "$IMAGE" sh -c 'echo run; exit 3'
	wait_for 15 ran_three_times
	wait_for 10 ended
	inspect_is '{{.State.ExitCode}}' 3
	inspect_is '{{.RestartCount}}' 2
}

ran_three_times() {
	[ "$("$ENGINE" logs "$NAME" | grep -cx run)" = 3 ]
}

@test "the restart policy starts a killed container again" {
	idle --restart always
	local pid
	pid=$(inspected '{{.State.Pid}}')
	kill -KILL "$pid"
	wait_for 10 restarted "$pid"
}

restarted() {
	running && ! inspect_is '{{.State.Pid}}' "$1"
}

@test "top shows the processes of the container" {
	needs_cgroup
	idle
	engine_ok exec -d "$NAME" sleep 1000
	wait_for 5 has_process 'sleep 1000'
	engine_ok top "$NAME" -eo pid,args
	assert_match 'sleep 1000' "$out"
	refute_match dockerd "$out"
}

has_process() {
	"$ENGINE" top "$NAME" -eo pid,args | grep -qF -- "$1"
}

@test "stats prints the usage" {
	needs_controllers memory pids
	detached 'dd if=/dev/zero of=/dev/shm/file bs=1M count=20 2>/dev/null; echo ready; while :; do sleep 0.1; done' --memory 100m
	engine_ok stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' "$NAME"
	assert_match '^2[0-9.]+Mi?B / 10[04](\.9)?Mi?B [12]$' "$out"
}

@test "inspect reports a container that was OOM-killed" {
	needs_controllers memory
	# Engines watch for OOM kills only after the container has started.
	detached 'echo ready; until [ -e /tmp/go ]; do sleep 0.1; done; exec tail /dev/zero' --memory 20m --memory-swap 20m
	engine_ok exec "$NAME" touch /tmp/go
	wait_for 20 ended
	inspect_is '{{.State.ExitCode}}' 137
	wait_for 1 inspect_is '{{.State.OOMKilled}}' true # in vain with Podman on cgroup v1
}

@test "inspect prints the pid of the container" {
	idle
	local pid
	pid=$(inspected '{{.State.Pid}}')
	assert_match 'trap "exit 0" TERM' "$(tr '\0' ' ' <"/proc/$pid/cmdline")"
	inspect_is '{{.State.Status}}' running
}

@test "cp copies files into and out of a running container" {
	idle
	echo content >"$T/file"
	engine_ok cp "$T/file" "$NAME:/srv/copied"
	engine_ok exec "$NAME" cat /srv/copied
	assert_equal content "$out"
	engine_ok cp "$NAME:/srv/volume/file" "$T/back"
	assert_equal 'from the image' "$(cat "$T/back")"
}

@test "50 containers can run concurrently" {
	seq 50 | xargs -P 10 -I {} "$ENGINE" run -d --name "$NAME-{}" --network none "$IMAGE" sleep 1000 >"$T/out" 2>"$T/err" 3>&- 4>&-
	assert_equal 50 "$("$ENGINE" ps -q | wc -l)"
	engine_ok exec "$NAME-50" true
	"$ENGINE" ps -q | xargs "$ENGINE" kill >/dev/null
	"$ENGINE" ps -aq | xargs "$ENGINE" rm >/dev/null
	assert_equal 0 "$("$ENGINE" ps -aq | wc -l)"
}
