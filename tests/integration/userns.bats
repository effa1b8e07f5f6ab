# User namespaces, as the container sees them, and their files as the host does.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	socket=$T/tty.sock
}

# on_mount TARGET COMMAND...: run it in a mount namespace where a tmpfs, with a file in
# it, is mounted nosuid, nodev and read-only.
on_tmpfs() {
	local dir=$1
	shift
	mkdir -p "$dir"
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount --propagation private sh -c '
		mount -t tmpfs -o mode=755 none "$0" && echo text >"$0/file" && mount -o remount,bind,ro,nosuid,nodev "$0" && exec "$@"' "$dir" "$@"
}

@test "a user namespace has the mappings of config.json" {
	new_user_namespace 0:100000:1000 1000:300000:1 2000:100:50
	config '.linux.gidMappings = [{containerID: 0, hostID: 100000, size: 9}]'
	run_script 'cat /proc/self/uid_map; echo; cat /proc/self/gid_map; readlink /proc/self/ns/user'
	assert_equal "$(printf '0 100000 1000\n1000 300000 1\n2000 100 50\n\n0 100000 9')" "$(head -n 5 <<<"$(squeezed "$out")")"
	refute_match "$(readlink /proc/self/ns/user)" "$out"
}

@test "a mapping can have 340 ranges" {
	local ranges=(0:100000:1) i
	for ((i = 1; i < 300; i++)); do
		ranges+=("$((2 * i)):$((200 + 2 * i)):1")
	done
	new_user_namespace "${ranges[@]}"
	config 'del(.mounts[] | select(.type == "devpts"))' # gid=5
	run_script 'wc -l </proc/self/uid_map; tail -n 1 /proc/self/uid_map'
	assert_equal "$(printf '300\n598 798 1')" "$(squeezed "$out")"
}

@test "files that the container makes belong to its users on the host" {
	new_user_namespace
	config '.process.user = {uid: 1000, gid: 1000}'
	mkdir -m 777 "$T/shared"
	config '.mounts += [{destination: "/shared", type: "bind", source: $dir, options: ["bind"]}]' --arg dir "$T/shared"
	mkdir "$BUNDLE/rootfs/shared"
	run_script 'id -u; id -g; touch /shared/file; stat -c "%u %g" /shared/file /bin'
	assert_equal $'1000\n1000\n1000 1000\n0 0' "$out"
	assert_equal '101000 101000' "$(stat -c '%u %g' "$T/shared/file")"
}

@test "the default mounts exist in a user namespace" {
	new_user_namespace
	run_script 'cat /proc/self/mountinfo'
	assert_equal proc "$(mount_type "$out" /proc)"
	assert_equal tmpfs "$(mount_type "$out" /dev)"
	assert_equal devpts "$(mount_type "$out" /dev/pts)"
	assert_equal tmpfs "$(mount_type "$out" /dev/shm)"
	assert_equal mqueue "$(mount_type "$out" /dev/mqueue)"
	assert_equal sysfs "$(mount_type "$out" /sys)"
	assert_options "$out" /sys ro nosuid nodev noexec
	assert_options "$out" /dev/shm nosuid nodev noexec
	assert_match 'gid=100005' "$(mount_data "$out" /dev/pts)"
}

@test "the default mounts exist in a user and a cgroup namespace" {
	new_user_namespace
	config '.linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])'
	run_script 'cat /proc/self/mountinfo; cat /proc/self/cgroup >&2'
	assert_match ' /sys/fs/cgroup' "$out"
	refute_match "$CGROUP" "$err"
}

# bats test_tags=arm64
@test "masked and read-only paths work in a user namespace" {
	new_user_namespace
	all_capabilities
	run_script 'cat /proc/timer_list | wc -c; ls /sys/firmware | wc -w; echo 1 >/proc/sys/kernel/sysrq; echo $?; mount -o remount,bind,rw /proc/sys 2>/dev/null; umount /proc/timer_list && wc -c </proc/timer_list; true'
	assert_match $'^0\n0\n1' "$out"
}

@test "the default devices work in a user namespace" {
	new_user_namespace
	config '.process.user = {uid: 1000, gid: 1000}'
	run_script 'for d in null zero full random urandom tty; do echo "$d $(stat -c "%F %t:%T" /dev/$d)"; done
		head -c 3 /dev/zero | wc -c; echo x >/dev/null && echo written; head -c 1 /dev/urandom | wc -c; readlink /dev/ptmx; readlink /dev/fd'
	local special='character special file'
	assert_equal "$(printf '%s\n' "null $special 1:3" "zero $special 1:5" "full $special 1:7" "random $special 1:8" "urandom $special 1:9" "tty $special 5:0" \
		3 written 1 pts/ptmx /proc/self/fd)" "$out"
}

@test "create binds a device of config.json in a user namespace" {
	new_user_namespace
	config '.linux.devices = [{path: "/dev/kmsg", type: "c", major: 1, minor: 11}]'
	run_script 'stat -c "%F %t:%T" /dev/kmsg; cat /proc/self/mountinfo'
	assert_match $'^character special file 1:b\n' "$out"
	assert_match ' /kmsg /dev/kmsg ' "$out"
}

# bats test_tags=berth
@test "create warns of a device mode that it cannot set in a user namespace" {
	new_user_namespace
	config '.linux.devices = [{path: "/dev/null", type: "c", major: 1, minor: 3, fileMode: 384}]'
	run_script 'stat -c %a /dev/null'
	assert_equal 666 "$out"
	assert_match 'level=warning msg="linux\.devices\[0\]: .*device .*/dev/null.* keeps its mode and owner' "$err"
}

@test "create makes a FIFO in a user namespace, with mode and owner" {
	new_user_namespace
	config '.linux.devices = [{path: "/dev/pipe", type: "p", fileMode: 420, uid: 5, gid: 6}]'
	run_script 'stat -c "%F %a %u:%g" /dev/pipe'
	assert_equal 'fifo 644 5:6' "$out"
}

# bats test_tags=berth
@test "create refuses a device in a user namespace that the host does not have at that path" {
	new_user_namespace
	args true
	config '.linux.devices = [{path: "/dev/nosuch", type: "c", major: 10, minor: 229}]'
	runtime run --bundle "$BUNDLE" c
	refused 'linux.devices\[0\]: device "/dev/nosuch": .* no such file'
	config '.linux.devices = [{path: "/dev/kmsg", type: "c", major: 10, minor: 229}]'
	runtime run --bundle "$BUNDLE" c
	refused 'linux.devices\[0\]: device "/dev/kmsg": is a different device on the host \(character device 1:11\)'
}

@test "the user namespace owns the other namespaces" {
	new_user_namespace
	all_capabilities
	run_script 'hostname new && hostname; ip link set lo down && echo down; mount -t tmpfs none /tmp && echo mounted'
	assert_equal $'new\ndown\nmounted' "$out"
}

@test "the program's capabilities apply to the user namespace alone" {
	new_user_namespace
	all_capabilities
	config '.linux.namespaces |= map(select(.type != "uts")) | del(.hostname)'
	local before
	before=$(hostname)
	run_script 'hostname new 2>/dev/null; echo $?'
	assert_equal 1 "$out"
	assert_equal "$before" "$(hostname)"
}

@test "loopback is up in a user namespace's network namespace" {
	new_user_namespace
	run_script 'ip -o -4 addr show lo; hostname'
	assert_match 'inet 127.0.0.1/8' "$out"
	assert_match $'\n'"$(jq -r .hostname "$BUNDLE/config.json")"'$' "$out"
}

@test "the container cannot clear the host's flags of a bind mount" {
	new_user_namespace
	all_capabilities
	config '.mounts += [{destination: "/data", type: "bind", source: $data, options: ["bind"]}]' --arg data "$T/data"
	script 'cat /proc/self/mountinfo; cat /data/file; mount -o remount,bind,rw /data 2>/dev/null; echo rw $?; mount -o remount,bind,ro,suid /data 2>/dev/null; echo suid $?; true'
	on_tmpfs "$T/data" "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c >"$T/out" 2>"$T/err" || failed "$(<"$T/err")"
	out=$(<"$T/out")
	assert_options "$out" /data ro nosuid nodev
	assert_match $'\ntext\nrw [1-9]+\nsuid [1-9]+$' "$out"
}

@test "create sets oom_score_adj in a user namespace" {
	new_user_namespace
	config '.process.oomScoreAdj = 500'
	run_script 'cat /proc/self/oom_score_adj'
	assert_equal 500 "$out"
}

# bats test_tags=host,guest
@test "create lowers oom_score_adj in a user namespace" {
	may_raise
	new_user_namespace
	config '.process.oomScoreAdj = -500'
	run_script 'cat /proc/self/oom_score_adj'
	assert_equal -500 "$out"
}

# bats test_tags=host,guest
@test "create raises a hard limit in a user namespace" {
	local hard
	may_raise
	new_user_namespace
	hard=$(($(ulimit -Hn) + 10))
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 10, hard: $n}]' --argjson n "$hard"
	run_script 'ulimit -Sn; ulimit -Hn'
	assert_equal "$(printf '10\n%s' "$hard")" "$out"
}

@test "create sets the additional groups in a user namespace and drops the caller's" {
	new_user_namespace
	config '.process.user = {uid: 5, gid: 6, additionalGids: [7, 8]}'
	run_script 'id -u; id -G; cat /proc/self/setgroups'
	assert_equal $'5\n6 7 8\nallow' "$out"
}

@test "a mapped user can reopen standard output" {
	new_user_namespace
	config '.process.user = {uid: 1000, gid: 1000}'
	script 'echo again >/dev/stdout; echo and again >/dev/stderr'
	assert_lines $'again\nand again' "$("$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c 2>&1 | cat)"
}

@test "a terminal belongs to the program's user in a user namespace" {
	background "$PROBE" recvtty "$socket" "$T"
	wait_for 5 test -S "$socket"
	new_user_namespace
	config '.process.terminal = true | .process.user = {uid: 1000, gid: 1000}'
	script 'stat -c "owner %u" "$(tty)"; echo from tty >/dev/tty; stat -c "console %t" /dev/console'
	runtime_ok create --bundle "$BUNDLE" --console-socket "$socket" c
	runtime_ok start c
	wait_for 5 grep -q 'console 88' "$T/output"
	tr -d '\r' <"$T/output" >"$T/lines"
	has_line "$T/lines" 'owner 1000'
	has_line "$T/lines" 'from tty'
}

# bats test_tags=arm64
@test "a container in a user namespace can be created, started, killed and deleted" {
	new_user_namespace
	args sleep 1000
	runtime_ok create --bundle "$BUNDLE" --pid-file "$T/pid" c
	assert_equal created "$(status_of c)"
	assert_equal "$(cat "$T/pid")" "$(init_pid c)"
	assert_equal 100000 "$(stat -c %u "/proc/$(init_pid c)")"
	runtime_ok start c
	wait_for 5 grep -q sleep "/proc/$(init_pid c)/cmdline"
	runtime_ok kill c KILL
	wait_for 5 has_status c stopped
	runtime_ok delete c
}

# bats test_tags=berth
@test "the container's root need not reach the bundle" {
	new_user_namespace
	mkdir "$T/closed"
	mv "$BUNDLE" "$T/closed/bundle"
	BUNDLE=$T/closed/bundle
	chmod 700 "$T/closed"
	run_script 'ls -d /bin'
	assert_equal /bin "$out"
}

@test "hooks in the container are in its user namespace" {
	new_user_namespace
	mkdir -m 777 "$T/seen"
	config '.mounts += [{destination: "/seen", type: "bind", source: $dir, options: ["bind"]}]
		| .hooks.createContainer = [{path: "/bin/sh", args: ["sh", "-c", "cat /proc/self/uid_map >$OUT/create"], env: ["PATH=/bin:/usr/bin", "OUT=" + $dir]}]
		| .hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "cat /proc/self/uid_map >/seen/start; id -G >/seen/groups"], env: ["PATH=/bin:/usr/bin"]}]' --arg dir "$T/seen"
	run_script true
	assert_equal '0 100000 65536' "$(squeezed "$(cat "$T/seen/create")")"
	assert_equal '0 100000 65536' "$(squeezed "$(cat "$T/seen/start")")"
}

@test "a writable cgroup mount makes the program's user the owner of the cgroup" {
	new_user_namespace
	config '.process.user = {uid: 1000, gid: 1000}
		| .linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])
		| (.mounts[] | select(.destination == "/sys/fs/cgroup") | .options) -= ["ro"] | del(.linux.resources)'
	# shellcheck disable=SC2016 # for the container's shell
	script 'cd "/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)"; mkdir below && rmdir below && echo made; stat -c "%u" . cgroup.procs cgroup.freeze'
	in_view v2 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c >"$T/out" 2>"$T/err" || failed "$(<"$T/err")"
	assert_equal $'made\n1000\n1000\n65534' "$(<"$T/out")"
	config '(.mounts[] | select(.destination == "/sys/fs/cgroup") | .options) += ["ro"]'
	in_view v2 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c >"$T/out" 2>"$T/err" || failed "$(<"$T/err")"
	assert_equal $'65534\n65534\n65534' "$(<"$T/out")"
	# Nor one that is not at the root of the container's view.
	config '(.mounts[] | select(.destination == "/sys/fs/cgroup") | .options) -= ["ro"] | del(.linux.namespaces[] | select(.type == "cgroup"))'
	in_view v2 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c >"$T/out" 2>"$T/err" || failed "$(<"$T/err")"
	assert_equal $'65534\n65534\n65534' "$(<"$T/out")"
}

# pod: start a container in a user namespace, from which others join namespaces; the pid
# of its init is in $pod.
pod() {
	new_user_namespace
	config '.linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])'
	args sleep 1000
	start_detached pod
	pod=$(init_pid pod)
	CGROUP=$CGROUP-2
	BUNDLE=$T/second
	new_bundle
	chown -R 100000:100000 "$BUNDLE/rootfs"
}

# join TYPE...: the second container joins these namespaces of the pod, in this order.
# Engines set the mappings as well as the path of a user namespace.
join() {
	local type
	[[ " $* " != *" user "* ]] ||
		config '.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	for type in "$@"; do
		config '.linux.namespaces |= (map(select(.type != $type)) + [{type: $type, path: $path}])' \
			--arg type "$type" --arg path "/proc/$pod/ns/${type/network/net}"
	done
}

# shared TYPE...: the second container, which printed its namespaces, shares these with
# the pod, and no other of the usual ones.
shared() {
	local name own
	for name in user pid net ipc uts cgroup time mnt; do
		own=$(readlink "/proc/$pod/ns/$name")
		case " $* " in
		*" $name "*) assert_equal "$own" "$(grep "^$name:" <<<"$out")" ;;
		*) [ "$own" != "$(grep "^$name:" <<<"$out")" ] || failed "$name is shared" ;;
		esac
	done
}

print_namespaces='for n in user pid net ipc uts mnt cgroup time; do readlink /proc/self/ns/$n; done'

@test "create joins a user namespace by path" {
	pod
	join user
	run_script "$print_namespaces; cat /proc/self/uid_map; id -u"
	shared user time
	assert_match $'\n0 100000 65536\n0$' "$(squeezed "$out")"
}

# bats test_tags=berth
@test "create joins a user namespace without its mappings in config.json" {
	pod
	join user
	config 'del(.linux.uidMappings, .linux.gidMappings) | .process.user = {uid: 1000, gid: 1000}'
	script "$print_namespaces; id -u; echo again >/dev/stdout"
	out=$("$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c 2>&1 | cat)
	shared user time
	assert_match $'\n1000\nagain$' "$out"
}

# bats test_tags=berth
@test "exec reads the mappings of a user namespace that the container joined without them" {
	pod
	join user
	config 'del(.linux.uidMappings, .linux.gidMappings)'
	script 'sleep 1000'
	runtime run --detach --bundle "$BUNDLE" c
	succeeded
	out=$("$RUNTIME" --root "$ROOT" exec --user 1000:1001 c sh -c 'id -u; id -g; echo again >/dev/stdout' 2>&1 | cat)
	assert_equal $'1000\n1001\nagain' "$out"
	runtime exec --user 70000 c true
	assert_equal 255 "$status"
	assert_equal "exec \"c\": check user: process.user.uid: 70000: not mapped by the container's uids" "$msg"
}

# bats test_tags=berth
@test "a startContainer hook can print in a user namespace that the container joined without mappings" {
	pod
	join user
	config 'del(.linux.uidMappings, .linux.gidMappings) | .process.user = {uid: 1000, gid: 1000} |
		.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "echo to stderr >/dev/stderr; exit 3"]}]'
	args true
	runtime_ok create --bundle "$BUNDLE" c
	runtime start c
	refused 'hooks\.startContainer\[0\]: .*exit status 3, stderr: .*to stderr'
}

@test "create joins a user namespace and all others of a pod by path" {
	pod
	# The user namespace last: the order in config.json does not matter.
	join network ipc uts cgroup pid user
	config 'del(.hostname)'
	run_script "$print_namespaces; ps -o pid,comm"
	shared user pid net ipc uts cgroup time
	assert_match ' 1 sleep' "$out"
}

@test "create joins a user namespace with some of the others" {
	pod
	join user network uts
	config 'del(.hostname)'
	all_capabilities
	run_script "$print_namespaces; hostname changed && hostname; echo me \$\$; ip -o -4 addr show lo"
	shared user net uts time
	assert_match $'\nchanged\nme 1\n' "$out"
}

# bats test_tags=berth
@test "create joins a user and a time namespace by path" {
	config '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 3600000}}'
	pod
	join user time
	run_script "$print_namespaces; cat /proc/uptime"
	shared user time
	[ "$(sed -n 's/^\([0-9]*\)\..*/\1/p' <<<"$out")" -ge 3600000 ]
}

@test "create joins a network namespace of the host from a new user namespace" {
	new_user_namespace
	holder --net
	config '(.linux.namespaces[] | select(.type == "network")).path = $path | .mounts |= map(select(.type != "sysfs" and .type != "cgroup"))
		| del(.linux.maskedPaths, .linux.readonlyPaths)' --arg path "/proc/$holder/ns/net"
	run_script "$print_namespaces; cat /proc/self/uid_map"
	assert_match "$(readlink "/proc/$holder/ns/net" | sed 's/[][]/\\&/g')" "$out"
	assert_match '100000' "$out"
}

@test "create joins a user namespace with a network namespace of another owner" {
	pod
	join user
	holder --net
	config '(.linux.namespaces[] | select(.type == "network")).path = $path | .mounts |= map(select(.type != "sysfs" and .type != "cgroup"))
		| del(.linux.maskedPaths, .linux.readonlyPaths)' --arg path "/proc/$holder/ns/net"
	run_script "$print_namespaces; cat /proc/self/uid_map"
	assert_match "$(readlink "/proc/$holder/ns/net" | sed 's/[][]/\\&/g')" "$out"
	assert_match '100000' "$out"
}

@test "the program can have any user of a joined user namespace" {
	pod
	join user
	config '.process.user = {uid: 1000, gid: 1001, additionalGids: [7]}'
	script 'id -u; id -g; id -G; echo again >/dev/stdout'
	assert_equal $'1000\n1001\n1001 7\nagain' "$("$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c 2>&1 | cat)"
}

# bats test_tags=berth
@test "create refuses mappings that differ from those of a joined user namespace" {
	pod
	join user
	config '.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}, {containerID: 1000, hostID: 101000, size: 64536}]
		| .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]'
	run_script 'cat /proc/self/uid_map'
	assert_equal '0 100000 65536' "$(squeezed "$out")"
	config '.linux.gidMappings[0].size = 5'
	runtime run --bundle "$BUNDLE" c
	refused 'linux.gidMappings: differs from the user namespace "/proc/[0-9]+/ns/user": 0-65535 is 100000-165535'
}

# bats test_tags=berth
@test "create refuses a user namespace that it cannot join" {
	pod
	args true
	join user
	config 'del(.linux.uidMappings, .linux.gidMappings) | .process.user.uid = 70000'
	runtime run --bundle "$BUNDLE" c
	refused 'process.user.uid: 70000: not mapped by the uids of linux.namespaces'
	config '.process.user.uid = 0 | (.linux.namespaces[] | select(.type == "user")).path = "/proc/self/ns/user"'
	runtime run --bundle "$BUNDLE" c
	refused 'linux.namespaces\[[0-9]\].path: join "/proc/self/ns/user": .*remove the entry'
	config '(.linux.namespaces[] | select(.type == "user")).path = $path' --arg path "/proc/$pod/ns/net"
	runtime run --bundle "$BUNDLE" c
	refused 'linux.namespaces\[[0-9]\].path: join "/proc/[0-9]+/ns/net": .*not a user namespace'
	holder --user
	echo 5 100000 1 | tee "/proc/$holder/uid_map" >"/proc/$holder/gid_map"
	config '(.linux.namespaces[] | select(.type == "user")).path = $path' --arg path "/proc/$holder/ns/user"
	runtime run --bundle "$BUNDLE" c
	refused 'linux.namespaces\[[0-9]\]: "/proc/[0-9]+/ns/user" does not map container id 0'
}

# as_identity_root COMMAND...: run it as root of a user namespace with the identity
# mapping, as systemd makes them.
as_identity_root() {
	holder --user --mount
	echo '0 0 4294967295' >"/proc/$holder/uid_map"
	echo '0 0 4294967295' >"/proc/$holder/gid_map"
	nsenter --user --mount --target "$holder" "$@"
}

# bats test_tags=berth, v2
@test "a runtime in a user namespace that maps all IDs to themselves detects that namespace" {
	local name
	script 'id -u; readlink /proc/self/ns/user; ls /dev'
	as_identity_root "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err" 3>&- || failed "$(<"$T/err")"
	read_output
	assert_match "^0"$'\n'"$(readlink "/proc/$holder/ns/user" | sed 's/[][]/\\&/g')"$'\n' "$out"
	for name in null zero full random urandom tty; do
		assert_match "(^|"$'\n'")$name($|"$'\n'")" "$out"
	done
}
