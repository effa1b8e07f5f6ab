# Namespaces, as the container sees them.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
}

# inside_and_out NAME...: the container's namespaces and those of the test.
print_namespaces='for n in pid net ipc uts mnt cgroup user; do echo "$n $(readlink /proc/self/ns/$n)"; done'

namespace_of() {
	awk -v name="$2" '$1 == name { print $2 }' <<<"$1"
}

own() {
	readlink "/proc/self/ns/$1"
}

@test "the default namespaces are new" {
	local name
	run_script "$print_namespaces"
	for name in pid net ipc uts mnt; do
		assert_match "^$name:\[[0-9]+\]\$" "$(namespace_of "$out" $name)"
		refute_match "^$(own $name | sed 's/[][]/\\&/g')\$" "$(namespace_of "$out" $name)"
	done
}

@test "a namespace that config.json does not list is the runtime's" {
	local name type
	run_script "$print_namespaces"
	assert_equal "$(own user)" "$(namespace_of "$out" user)"
	config 'del(.hostname)'
	for name in net ipc uts; do
		type=${name/net/network}
		config 'del(.linux.namespaces[] | select(.type == $type))' --arg type "$type"
		run_script "$print_namespaces"
		assert_equal "$(own $name)" "$(namespace_of "$out" $name)"
	done
}

@test "create makes a cgroup namespace when config.json lists it" {
	config '.linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])'
	run_script "$print_namespaces; cat /proc/self/cgroup"
	refute_match "$(own cgroup | sed 's/[][]/\\&/g')" "$out"
	# The container is at the root of its view, in each hierarchy.
	assert_match $'\n[0-9]+:[^:\n]*:/(\n|$)' "$out"
	refute_match $'\n[0-9]+:[^:\n]*:/[^\n]' "$out"
	refute_match "$CGROUP" "$out"
}

@test "the program has pid 1 and sees no other processes" {
	run_script 'echo "me $$"; ps -o comm; true'
	assert_equal $'me 1\nCOMMAND\nsh\nps' "$out"
}

@test "loopback is up in a new network namespace" {
	run_script 'ip -o link show lo; ip -o -4 addr show lo; ip -o link | wc -l;
		until grep hi /dev/shm/got 2>/dev/null; do
			nc -l -w 1 -p 7 </dev/null >/dev/shm/got 2>/dev/null &
			sleep 0.05
			echo hi | nc -w 1 127.0.0.1 7 2>/dev/null
			wait
		done'
	assert_match '<LOOPBACK,UP,LOWER_UP>' "$out"
	assert_match 'inet 127.0.0.1/8' "$out"
	assert_match $'\nhi$' "$out"
}

@test "create sets the hostname of the container and not of the host" {
	local before
	before=$(hostname)
	config '.hostname = "my-name"'
	run_script 'hostname; cat /proc/sys/kernel/hostname'
	assert_equal $'my-name\nmy-name' "$out"
	assert_equal "$before" "$(hostname)"
}

@test "create sets the domain name" {
	config '.domainname = "my.domain"'
	run_script 'cat /proc/sys/kernel/domainname'
	assert_equal my.domain "$out"
}

# join TYPE NAME: let the container of the bundle join the holder's namespace.
join() {
	config '(.linux.namespaces[] | select(.type == $type)).path = $path' \
		--arg type "$1" --arg path "/proc/$holder/ns/$2"
}

@test "create joins namespaces by path" {
	local name
	holder --net --ipc --uts
	join network net
	join ipc ipc
	join uts uts
	config 'del(.hostname)'
	run_script "$print_namespaces"
	for name in net ipc uts; do
		assert_equal "$(readlink "/proc/$holder/ns/$name")" "$(namespace_of "$out" $name)"
	done
}

@test "create joins a pid namespace by path" {
	holder --pid
	join pid pid
	run_script 'readlink /proc/self/ns/pid; echo "me $$"; ps -o pid,comm'
	assert_match "pid:\[" "$out"
	assert_equal "$(readlink "/proc/$holder/ns/pid")" "$(head -n 1 <<<"$out")"
	refute_match $'\nme 1\n' "$out"
	# The container sees the holder's process 1.
	assert_match ' 1 sleep' "$out"
}

@test "create changes nothing in a joined network namespace" {
	holder --net
	join network net
	run_script 'ip -o link show lo'
	refute_match 'UP' "$(sed 's/.*<//; s/>.*//' <<<"$out")"
}

@test "create joins a mount namespace by path" {
	holder --mount --propagation slave
	join mount mnt
	# Without a mount namespace of its own, the container may not mount or mask.
	config '.mounts = [] | del(.linux.maskedPaths, .linux.readonlyPaths) | .root.readonly = false'
	args sh -c 'readlink /proc/self/ns/mnt'
	runtime run --bundle "$BUNDLE" c
	[ "$status" != 0 ] || assert_equal "$(readlink "/proc/$holder/ns/mnt")" "$out"
}

@test "create refuses the path of a namespace of another type" {
	holder --net --uts
	config '(.linux.namespaces[] | select(.type == "network")).path = $path' --arg path "/proc/$holder/ns/uts"
	args true
	runtime run --bundle "$BUNDLE" c
	assert_equal 1 "$status"
	no_state_left
	no_process_left
}

@test "the runtime does not change its own namespaces" {
	local before
	before=$(readlink /proc/self/ns/*)
	run_script true
	assert_equal "$before" "$(readlink /proc/self/ns/*)"
}

# without_inet ARG...: run the runtime like a service with systemd's
# RestrictAddressFamilies=AF_UNIX AF_NETLINK.
without_inet() {
	status=0
	"$PROBE" families 1,16 "$RUNTIME" --root "$ROOT" "$@" </dev/null >"$T/out" 2>"$T/err" 3>&- || status=$?
	read_output
}

@test "lo is up in a new network namespace, also where the runtime may not use AF_INET" {
	script 'cat /sys/class/net/lo/flags /proc/net/fib_trie'
	without_inet run --bundle "$BUNDLE" c
	succeeded "run without AF_INET"
	assert_match '^0x9' "$out" # IFF_UP, IFF_LOOPBACK
	assert_match '127\.0\.0\.1' "$out"
}

# bats test_tags=berth
@test "create without AF_NETLINK names the refused call" {
	args true
	status=0
	"$PROBE" families 1 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err" 3>&- || status=$?
	read_output
	refused 'create "c": bring up loopback: socket: address family not supported by protocol \(EAFNOSUPPORT\)'
}
