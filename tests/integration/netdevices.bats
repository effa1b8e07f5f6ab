# linux.netDevices, as the container sees them. runc 1.1 does not know them.
# bats file_tags=berth,kernel
load helpers

# The runtime runs in a network namespace of the test, as its host.
prepare() {
	new_bundle
	holder --net
	host_ns=/proc/$holder/ns/net
	printf '#!/bin/sh\n[ -e %s ] || exec %s "$@"\nexec nsenter --net=%s %s "$@"\n' "$host_ns" "$RUNTIME" "$host_ns" "$RUNTIME" >"$T/runtime"
	chmod +x "$T/runtime"
	RUNTIME=$T/runtime
	# Duplicate address detection would delay addresses.
	nsenter --net="$host_ns" sysctl -q net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
}

# host COMMAND...: run it in the runtime's network namespace.
host() {
	nsenter --net="$host_ns" "$@"
}

# device NAME ADDRESS...: add a network device to the host.
device() {
	local name=$1 address
	shift
	host ip link add "$name" type ifb
	for address in "$@"; do
		host ip address add "$address" dev "$name"
	done
}

# net_devices JSON [JQ-ARGS...]: set linux.netDevices.
net_devices() {
	config ".linux.netDevices = $1" "${@:2}"
}

# addresses TEXT DEVICE: the addresses in the output of "ip -o address", with scopes.
addresses() {
	awk -v device="$2" '$2 == device { scope = $0; sub(/.*scope /, "", scope); sub(/ .*/, "", scope); print $4, scope }' <<<"$1" | sort
}

@test "create moves a device, renames it and brings it up, with its addresses" {
	device d0 192.0.2.5/24 192.0.2.6/24 198.51.100.1/32 2001:db8::5/64
	host ip link set d0 mtu 1345
	local mac
	mac=$(host ip -br link show d0 | awk '{ print $3 }')
	net_devices '{d0: {name: "data"}}'
	script 'cd /sys/class/net; ls; cat data/mtu data/address'
	runtime_ok create --bundle "$BUNDLE" c
	local inside=(nsenter --net="/proc/$(init_pid c)/ns/net" ip -o)
	assert_match '[<,]UP[,>]' "$("${inside[@]}" link show data)"
	assert_match $'192.0.2.5/24 global\n192.0.2.6/24 global\n198.51.100.1/32 global\n2001:db8::5/64 global' "$(addresses "$("${inside[@]}" address)" data)"
	refute_match d0 "$(host ip link)"
	runtime_ok start c
	wait_for 5 has_status c stopped
	assert_equal $'data\nlo\n1345\n'"$mac" "$(cat "$T/out")"
}

@test "create keeps only permanent global addresses of a device" {
	device d0 192.0.2.5/24
	host ip address add 192.0.2.7/24 dev d0 valid_lft 1000 preferred_lft 500
	host ip address add 169.254.9.9/16 dev d0 scope link
	net_devices '{d0: {}}'
	run_script 'ip -o -4 address'
	assert_equal "192.0.2.5/24 global" "$(addresses "$out" d0)"
}

@test "create keeps the attributes of an address" {
	device d0
	host ip address add 192.0.2.5 peer 192.0.2.1/32 dev d0 label d0:first metric 77
	host ip address add 2001:db8::5/64 dev d0 nodad noprefixroute
	net_devices '{d0: {name: "e"}}'
	args sleep 1000
	start_detached c
	local seen
	seen=$(nsenter --net="/proc/$(init_pid c)/ns/net" ip address show dev e)
	assert_match '192\.0\.2\.5 peer 192\.0\.2\.1/32 metric 77 scope global e:first' "$seen"
	assert_match '2001:db8::5/64 scope global nodad noprefixroute' "$seen"
	assert_equal "" "$(nsenter --net="/proc/$(init_pid c)/ns/net" ip -6 route show 2001:db8::/64)"
}

@test "a name template gets the first free number" {
	device d0
	device d1 192.0.2.5/24
	net_devices '{d0: {name: "eth%d"}, d1: {name: "eth%d"}}'
	run_script 'ls /sys/class/net; ip -o -4 address'
	assert_equal $'eth0\neth1\nlo' "$(head -n 3 <<<"$out")"
	assert_equal "192.0.2.5/24 global" "$(addresses "$out" eth1)"
}

@test "a device that is found by an alternative name keeps its name" {
	device d0 192.0.2.5/24
	host ip link property add dev d0 altname uplink
	net_devices '{uplink: {}}'
	run_script 'ls /sys/class/net; ip -o -4 address'
	assert_equal $'d0\nlo' "$(head -n 2 <<<"$out")"
	assert_equal "192.0.2.5/24 global" "$(addresses "$out" d0)"
}

@test "hooks and sysctls find the device" {
	device d0
	net_devices '{d0: {name: "e0"}}'
	config '.linux.sysctl = {"net.ipv4.conf.e0.forwarding": "1"}
		| .hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "nsenter --net=/proc/$(jq .pid)/ns/net ip -br link >$OUT"],
			env: ["PATH=" + env.PATH, "OUT=" + $out]}]}' --arg out "$T/seen"
	run_script 'cat /proc/sys/net/ipv4/conf/e0/forwarding'
	assert_equal 1 "$out"
	assert_match $'\ne0 ' "$(cat "$T/seen")"
}

@test "create moves a device into a joined namespace, and the device stays there" {
	device d0 192.0.2.5/24
	local host=$holder
	holder --net
	config '(.linux.namespaces[] | select(.type == "network")).path = $path' --arg path "/proc/$holder/ns/net"
	net_devices '{d0: {name: "e0"}}'
	run_script 'ip -o -4 address'
	assert_equal "192.0.2.5/24 global" "$(addresses "$out" e0)"
	assert_match ' e0 .*192.0.2.5/24' "$(nsenter --net="/proc/$holder/ns/net" ip -o address)"
	refute_match '192.0.2.5' "$(nsenter --net="/proc/$host/ns/net" ip -o address)"
}

@test "create moves a device into a container with a user namespace" {
	device d0 192.0.2.5/24
	new_user_namespace
	net_devices '{d0: {name: "e0"}}'
	run_script 'ip -o -4 address; cat /proc/self/uid_map'
	assert_equal "192.0.2.5/24 global" "$(addresses "$out" e0)"
	assert_match 100000 "$out"
}

@test "create moves a device into a namespace of another user namespace" {
	device d0 192.0.2.5/24
	holder --net
	new_user_namespace
	config '(.linux.namespaces[] | select(.type == "network")).path = $path' --arg path "/proc/$holder/ns/net"
	# Only the namespace's owner may mount a sysfs.
	config '(.mounts[] | select(.type == "sysfs")) = {destination: "/sys", type: "none", source: "/sys", options: ["rbind", "ro"]}'
	net_devices '{d0: {name: "e0"}}'
	run_script 'ip -o -4 address'
	assert_equal "192.0.2.5/24 global" "$(addresses "$out" e0)"
}

# unchanged: d0 and d1 are on the host again as before.
unchanged() {
	assert_equal "$before" "$(host_devices)"
}

# host_devices: without the numbers of the devices and the state that a move loses.
host_devices() {
	host ip -br link | awk '{ print $1, $3, $4 ~ /[<,]UP[,>]/ }' | sort
	host ip -br address show scope global | awk '{ $2 = ""; print }' | sort
}

@test "a failed create restores the devices on the host" {
	device d0 192.0.2.5/24 2001:db8::5/64
	device d1 192.0.2.6/24
	host ip link set d0 up
	before=$(host_devices)
	net_devices '{d0: {name: "e0"}, d1: {name: "x%d"}}'
	config '.hooks = {createRuntime: [{path: "/bin/false"}]}'
	args true
	runtime create --bundle "$BUNDLE" c
	refused 'hooks\.createRuntime\[0\]'
	unchanged
	# Also in a namespace that stays.
	holder --net
	config '(.linux.namespaces[] | select(.type == "network")).path = $path' --arg path "/proc/$holder/ns/net"
	runtime create --bundle "$BUNDLE" c
	refused 'hooks\.createRuntime\[0\]'
	unchanged
}

@test "create names the field of a device that does not exist" {
	device d0
	before=$(host_devices)
	net_devices '{d0: {}, d7: {name: "e0"}}'
	args true
	runtime create --bundle "$BUNDLE" c
	refused 'move network devices: linux\.netDevices\.d7: find device: no such device \(the runtime.s network namespace has no device of this name'
	unchanged
}

@test "create refuses a device name that exists in the container" {
	device d0 192.0.2.5/24
	before=$(host_devices)
	holder --net
	nsenter --net="/proc/$holder/ns/net" ip link add e0 type ifb
	nsenter --net="/proc/$holder/ns/net" ip link add d0 type ifb
	config '(.linux.namespaces[] | select(.type == "network")).path = $path' --arg path "/proc/$holder/ns/net"
	net_devices '{d0: {name: "e0"}}'
	args true
	runtime create --bundle "$BUNDLE" c
	refused 'linux\.netDevices\.d0: the container.s network namespace has a device "e0": file exists \(choose another'
	net_devices '{d0: {}}'
	runtime create --bundle "$BUNDLE" c
	refused 'has a device "d0": file exists'
	unchanged
	# The device's name on the host may exist there, if the new one does not.
	net_devices '{d0: {name: "e1"}}'
	run_script 'ip -o -4 address'
	assert_equal "192.0.2.5/24 global" "$(addresses "$out" e1)"
}

@test "create refuses a device that cannot leave its namespace" {
	host ip link add br0 type bridge
	before=$(host_devices)
	net_devices '{br0: {}}'
	args true
	runtime create --bundle "$BUNDLE" c
	refused 'linux\.netDevices\.br0: move to the container.s network namespace: invalid argument.*cannot leave'
	unchanged
}

@test "create refuses to move devices into the runtime's own network namespace" {
	device d0
	config '(.linux.namespaces[] | select(.type == "network")).path = $path' --arg path "$host_ns"
	net_devices '{d0: {name: "e0"}}'
	args true
	runtime create --bundle "$BUNDLE" c
	refused "linux\.netDevices: the container is in the runtime's network namespace"
	host ip link show d0 >/dev/null
}

@test "create names CAP_NET_ADMIN when it may not move devices" {
	device d0
	holder --net
	config '(.linux.namespaces[] | select(.type == "network")).path = $path' --arg path "/proc/$holder/ns/net"
	net_devices '{d0: {}}'
	args true
	status=0
	setpriv --bounding-set -net_admin --inh-caps -net_admin "$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" c >"$T/out" 2>"$T/err" || status=$?
	read_output
	refused 'linux\.netDevices: .*operation not permitted \(needs CAP_NET_ADMIN'
	host ip link show d0 >/dev/null
}
