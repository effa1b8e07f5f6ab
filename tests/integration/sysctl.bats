# linux.sysctl: kernel parameters of the container's namespaces.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
}

@test "create sets sysctls of the network and IPC namespaces" {
	local before
	before=$(cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax)
	config '.linux.sysctl = {"net.core.somaxconn": "256", "net.ipv4.ip_forward": "1", "kernel.msgmax": "65535",
		"kernel.sem": "100 200 300 40", "fs.mqueue.msg_max": "7"}'
	run_script 'cd /proc/sys; cat net/core/somaxconn net/ipv4/ip_forward kernel/msgmax kernel/sem fs/mqueue/msg_max'
	assert_equal $'256\n1\n65535\n100\t200\t300\t40\n7' "$out"
	assert_equal "$before" "$(cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax)"
}

@test "create accepts a sysctl with slashes" {
	config '.linux.sysctl = {"net/ipv4/ip_forward": "1"}'
	run_script 'cat /proc/sys/net/ipv4/ip_forward'
	assert_equal 1 "$out"
}

# bats test_tags=berth
@test "create swaps dots and slashes in the name of a device" {
	# No device here has a dot in its name: the error contains the path that was looked
	# up.
	args true
	config '.linux.sysctl = {"net.ipv4.conf.eth0/5.forwarding": "1"}'
	runtime create --bundle "$BUNDLE" c
	refused '"/proc/sys/net/ipv4/conf/eth0\.5/forwarding"'
}

@test "create sets sysctls despite a read-only /proc/sys in the container" {
	config '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .linux.readonlyPaths = ["/proc/sys"]'
	run_script 'cat /proc/sys/net/ipv4/ip_forward; echo 0 >/proc/sys/net/ipv4/ip_forward || true'
	assert_equal 1 "$out"
	assert_match 'Read-only file system' "$err"
}

@test "create sets sysctls after the hooks, in a joined namespace as well" {
	# Not net.ipv4.ip_forward, which a new namespace copies from the host.
	local before
	background unshare --net sleep 1000
	# shellcheck disable=SC2016
	wait_for 5 sh -c '[ "$(readlink /proc/$0/ns/net)" != "$(readlink /proc/self/ns/net)" ]' "$background_pid"
	before=$(nsenter --target "$background_pid" --net cat /proc/sys/net/core/somaxconn)
	config '(.linux.namespaces[] | select(.type == "network")) += {path: $path} | .linux.sysctl = {"net.core.somaxconn": "257"}
		| .hooks = {createContainer: [{path: "/bin/sh", args: ["sh", "-c", "cat /proc/sys/net/core/somaxconn >$OUT"], env: ["OUT=" + $out, "PATH=/bin"]}]}' \
		--arg path "/proc/$background_pid/ns/net" --arg out "$T/hook"
	run_script 'cat /proc/sys/net/core/somaxconn'
	assert_equal 257 "$out"
	assert_equal "$before" "$(cat "$T/hook")"
}

@test "create sets sysctls in a user namespace" {
	new_user_namespace
	config '.linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "65535"}'
	run_script 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax'
	assert_equal $'1\n65535' "$out"
}

# bats test_tags=berth
@test "create sets sysctls in a user namespace without a pid namespace" {
	new_user_namespace
	config 'del(.linux.namespaces[] | select(.type == "pid")) | .linux.sysctl = {"net.ipv4.ip_forward": "1", "user.max_net_namespaces": "5"}
		| (.mounts[] | select(.type == "proc")) = {destination: "/proc", type: "none", source: "/proc", options: ["rbind"]}'
	run_script 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/user/max_net_namespaces'
	assert_equal $'1\n5' "$out"
}

@test "create refuses a sysctl that is not namespaced" {
	args true
	local before
	before=$(cat /proc/sys/vm/swappiness)
	config '.linux.sysctl = {"vm.swappiness": "7"}'
	runtime create --bundle "$BUNDLE" c
	assert_equal 1 "$status"
	assert_match 'vm\.swappiness' "$msg"
	assert_equal "$before" "$(cat /proc/sys/vm/swappiness)"
}

@test "create refuses a sysctl of a namespace that the container shares with the host" {
	args true
	config '.linux.sysctl = {"net.core.somaxconn": "256"} | del(.linux.namespaces[] | select(.type == "network"))'
	runtime create --bundle "$BUNDLE" c
	assert_equal 1 "$status"
	assert_match 'net\.core\.somaxconn' "$msg"
}

@test "create refuses kernel.hostname and names hostname" {
	args true
	config '.linux.sysctl = {"kernel.hostname": "x"}'
	runtime create --bundle "$BUNDLE" c
	assert_equal 1 "$status"
	assert_match 'hostname' "$msg"
}

# bats test_tags=berth
@test "create names the field of a sysctl that does not exist or refuses its value" {
	args true
	config '.linux.sysctl = {"net.ipv4.nope": "1"}'
	runtime create --bundle "$BUNDLE" c
	refused 'set sysctls: linux\.sysctl\[\\?"net\.ipv4\.nope\\?"\]: open .*no such file or directory \(the sysctl does not exist'
	config '.linux.sysctl = {"net.core.somaxconn": "many"}'
	runtime create --bundle "$BUNDLE" c
	refused 'linux\.sysctl\[\\?"net\.core\.somaxconn\\?"\]: write \\?"many\\?": invalid argument \(invalid value'
	config '.linux.sysctl = {"net/../vm/swappiness": "7"}'
	runtime create --bundle "$BUNDLE" c
	refused 'not the name of a sysctl'
}
