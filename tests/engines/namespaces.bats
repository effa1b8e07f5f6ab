# Namespaces: the container's own, the host's, and other containers'.
# bats file_tags=docker,podman
load helpers

# namespace NAME: the link of the host's namespace: this shell's, or that of a user's daemon.
namespace() {
	local process=self
	[ -z "${ROOTLESS:-}" ] || process=$(cat "$docker_run/docker.pid")
	readlink "/proc/$process/ns/$1"
}

@test "a container has namespaces of its own" {
	once "$IMAGE" sh -c 'for n in ipc mnt net pid uts; do readlink /proc/self/ns/$n; done'
	local n
	for n in ipc mnt net pid uts; do
		refute_match "$(namespace "$n")" "$out"
	done
}

@test "run can use the host's namespaces" {
	once --net host --pid host --ipc host --uts host "$IMAGE" sh -c 'for n in net pid ipc uts; do readlink /proc/self/ns/$n; done; ps | wc -l'
	assert_equal "$(for n in net pid ipc uts; do namespace "$n"; done)" "$(head -n 4 "$T/out")"
	[ "$(tail -n 1 "$T/out")" -gt 3 ]
}

@test "run can join another container's namespaces" {
	idle --ipc shareable
	# A child that the other has just forked looks like it.
	engine_ok run --rm --net "container:$NAME" --pid "container:$NAME" --ipc "container:$NAME" "$IMAGE" \
		sh -c 'for n in net pid ipc; do readlink /proc/self/ns/$n; done; ps -o args | grep "[t]rap" | sort -u | wc -l'
	local pid
	pid=$(inspected '{{.State.Pid}}')
	assert_equal "$(for n in net pid ipc; do readlink "/proc/$pid/ns/$n"; done; echo 1)" "$out"
}

@test "stop kills all processes of a container in another's pid namespace" {
	needs_cgroup
	idle
	engine_ok run -d --name "$NAME-b" --pid "container:$NAME" "$IMAGE" sh -c 'sleep 1000 & echo ready; wait'
	wait_for 10 has_sleep
	engine_ok rm -f "$NAME-b"
	wait_for 5 has_no_sleep
	inspect_is '{{.State.Running}}' true
}

has_sleep() {
	"$ENGINE" exec "$NAME" ps -o args | grep -qx 'sleep 1000'
}

has_no_sleep() {
	! has_sleep
}

@test "the network has loopback, and an address on the engine's bridge" {
	idle
	engine_ok exec "$NAME" sh -c 'ip -4 -o addr'
	assert_match 'lo +inet 127.0.0.1/8' "$out"
	assert_match 'eth0 +inet (172|10)\.' "$out"
	engine_ok exec -d "$NAME" nc -ll -p 8080 -e hostname
	engine_ok run --rm "$IMAGE" sh -c 'until nc "$1" 8080; do sleep 0.1; done </dev/null 2>/dev/null' sh \
		"$(inspected '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}')"
	assert_equal "$("$ENGINE" exec "$NAME" hostname)" "$out"
}

@test "--network none has loopback alone" {
	once --network none "$IMAGE" sh -c 'ip -o link | wc -l; ip -o link show lo'
	assert_match $'^1\n1: lo: <LOOPBACK,UP,LOWER_UP>' "$out"
}
