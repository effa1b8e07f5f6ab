# Hooks of containers with a user or a time namespace.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	mkdir -m 777 "$T/seen"
	config '.mounts += [{destination: "/seen", type: "bind", source: $seen, options: ["bind"]}] | .root.readonly = false' --arg seen "$T/seen"
	mkdir "$BUNDLE/rootfs/seen"
}

# shellcheck disable=SC2016 # for the hooks
identity='{ for ns in user time mnt net pid; do readlink /proc/self/ns/$ns; done; id -u; id -g; } >$OUT'

# in_container SCRIPT: hooks of the two kinds that run in the container.
in_container() {
	config '.hooks = {
		createContainer: [{path: "/bin/sh", args: ["sh", "-c", $script], env: ["PATH=/usr/bin:/bin", "OUT=" + $seen + "/createContainer"]}],
		startContainer: [{path: "/bin/sh", args: ["sh", "-c", $script], env: ["PATH=/bin", "OUT=/seen/startContainer"]}]}' \
		--arg script "$1" --arg seen "$T/seen"
}

@test "hooks in the container have the IDs of its user namespace" {
	new_user_namespace
	config '.process.user = {uid: 1000, gid: 1001, additionalGids: [5]}'
	in_container "$identity"
	script "OUT=/seen/program; $identity"
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal "$(head -n 5 "$T/seen/program")" "$(head -n 5 "$T/seen/createContainer")"
	assert_equal "$(cat "$T/seen/program")" "$(cat "$T/seen/startContainer")"
	assert_equal $'0\n0' "$(tail -n 2 "$T/seen/createContainer")"
	assert_equal $'1000\n1001' "$(tail -n 2 "$T/seen/startContainer")"
	refute_match "$(readlink /proc/self/ns/user)" "$(cat "$T/seen/program")"
}

@test "a createContainer hook is root of the user namespace and may mount" {
	new_user_namespace
	mkdir "$BUNDLE/rootfs/mnt" "$T/extra"
	echo hello >"$T/extra/file"
	in_container true
	config '.hooks.createContainer[0].args[2] = $mount' --arg mount "mount --bind $T/extra mnt"
	run_script 'cat /mnt/file'
	assert_equal hello "$out"
}

@test "hooks in a user namespace can print, and their errors are reported" {
	new_user_namespace
	config '.process.user = {uid: 1000, gid: 1001}'
	# shellcheck disable=SC2016
	in_container 'case $OUT in *startContainer) echo to stderr >/dev/stderr; exit 3 ;; esac'
	args true
	runtime run --bundle "$BUNDLE" c
	refused 'hooks\.startContainer\[0\]: .*exit status 3, stderr: .*to stderr'
}

# other_network PID: for wait_for.
other_network() {
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

@test "hooks in the container are in a joined namespace of another user namespace" {
	new_user_namespace
	background unshare --net sleep 1000
	wait_for 5 other_network "$background_pid"
	config '(.linux.namespaces[] | select(.type == "network")) += {path: $path}' --arg path "/proc/$background_pid/ns/net"
	config 'del(.mounts[] | select(.type == "sysfs" or .type == "cgroup")) | .hostname = ""'
	in_container "$identity"
	script "OUT=/seen/program; $identity"
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal "$(head -n 5 "$T/seen/program")" "$(head -n 5 "$T/seen/createContainer")"
	assert_equal "$(head -n 5 "$T/seen/program")" "$(head -n 5 "$T/seen/startContainer")"
}

@test "hooks in the container are in its time namespace" {
	config '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 1000000}}'
	# shellcheck disable=SC2016
	in_container 'readlink /proc/self/ns/time >$OUT; cut -d . -f 1 /proc/uptime >>$OUT'
	# shellcheck disable=SC2016
	script 'readlink /proc/self/ns/time >/seen/program'
	runtime_ok run --bundle "$BUNDLE" c
	local kind
	for kind in createContainer startContainer; do
		assert_equal "$(cat "$T/seen/program")" "$(head -n 1 "$T/seen/$kind")"
		[ "$(tail -n 1 "$T/seen/$kind")" -gt 1000000 ] || failed "$kind: uptime $(tail -n 1 "$T/seen/$kind")"
	done
}

@test "hooks in the container run for a user that is not root" {
	new_user_namespace 0:1000:1
	in_container "$identity"
	config 'del(.linux.resources, .linux.cgroupsPath) | .linux.namespaces -= [{type: "network"}, {type: "cgroup"}]
		| del(.mounts[] | select(.type == "sysfs" or .type == "cgroup"))
		| (.mounts[] | select(.options) | .options) |= map(select(startswith("gid=") | not))'
	chown -R 1000:1000 "$BUNDLE"
	chmod a+x "$BUNDLE"
	install -m 755 "$RUNTIME" "$T/runtime"
	mkdir -m 700 "$T/state"
	chown 1000:1000 "$T/state"
	script "OUT=/seen/program; $identity"
	status=0
	setpriv --reuid 1000 --regid 1000 --clear-groups "$T/runtime" --root "$T/state" run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err" || status=$?
	read_output
	succeeded run
	assert_equal "$(head -n 5 "$T/seen/program")" "$(head -n 5 "$T/seen/createContainer")"
	assert_equal "$(cat "$T/seen/program")" "$(cat "$T/seen/startContainer")"
}
