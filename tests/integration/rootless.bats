# Containers of an unprivileged user, as the container sees them, and their
# requirements.
# bats file_tags=kernel
load helpers

prepare() {
	rootless_user
	rootless_bundle
}

# bats test_tags=berth
@test "rootless: the program owns its standard files although they belong to another ID of the user" {
	grant_range
	config '.process.user = {uid: 1000, gid: 1000}'
	args sleep 1000
	touch "$T/file"
	chown 200004:200004 "$T/file"
	"$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" c </dev/null >"$T/file" 2>"$T/err" || failed "$(<"$T/err")"
	assert_equal 200999 "$(stat -c %u "$T/file")"
	"$RUNTIME" --root "$ROOT" start c || failed start
	# Also that of exec.
	touch "$T/other"
	chown 200004:200004 "$T/other"
	"$RUNTIME" --root "$ROOT" exec --detach --user 1001:1001 c true </dev/null >"$T/other" 2>"$T/err" || failed "$(<"$T/err")"
	assert_equal 201000 "$(stat -c %u "$T/other")"
}

# bats test_tags=berth
@test "rootless: a startContainer hook of another user can reopen its standard error" {
	grant_range
	config '.process.user = {uid: 1000, gid: 1000} |
		.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "echo to stderr >/dev/stderr; exit 3"]}]'
	args true
	runtime run --bundle "$BUNDLE" c
	refused 'hooks\.startContainer\[0\]: .*exit status 3, stderr: .*to stderr'
}

@test "rootless: the configuration of spec --rootless runs unchanged" {
	run_script 'id -u; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; grep CapEff /proc/self/status; readlink /proc/self/ns/user; stat -c %u /bin'
	assert_match $'^0\n0 4242 1\n0 4242 1\ndeny\n' "$(squeezed "$out")"
	refute_match "$(readlink /proc/self/ns/user)" "$out"
	assert_match $'\n0$' "$out"
}

@test "rootless: a container can be created, started, killed and deleted" {
	args sleep 1000
	runtime_ok create --bundle "$BUNDLE" --pid-file "$T/user/run/pid" c
	assert_equal created "$(status_of c)"
	local pid
	pid=$(init_pid c)
	assert_equal "$pid" "$(cat "$T/user/run/pid")"
	assert_match "^Uid:.4242.4242.4242.4242" "$(grep Uid "/proc/$pid/status")"
	runtime_ok start c
	wait_for 5 grep -q sleep "/proc/$pid/cmdline"
	assert_equal running "$(status_of c)"
	runtime_ok list --format json
	assert_equal '["c","running","rootless"]' "$(jq -c '.[0] | [.id, .status, .owner]' <<<"$out")"
	runtime_ok kill c KILL
	wait_for 5 has_status c stopped
	runtime_ok delete c
	dead "$pid"
}

# bats test_tags=berth
@test "rootless: the state is below XDG_RUNTIME_DIR, for the user alone" {
	args sleep 1000
	as_user "$T/user/bin/runtime" create --bundle "$BUNDLE" c </dev/null >/dev/null 2>"$T/err" 3>&-
	assert_equal created "$(status_of c)"
	assert_equal '4242 700' "$(stat -c '%u %a' "$ROOT")"
	runtime_ok delete --force c
}

# bats test_tags=berth
@test "rootless: berth refuses to choose a state root without XDG_RUNTIME_DIR" {
	status=0
	as_user env -u XDG_RUNTIME_DIR "$T/user/bin/runtime" list >"$T/out" 2>"$T/err" || status=$?
	read_output
	refused 'no state root: XDG_RUNTIME_DIR is not set; name a directory with --root'
}

@test "rootless: run in the foreground passes the exit status on" {
	args sh -c 'exit 7'
	runtime run --bundle "$BUNDLE" c
	assert_equal 7 "$status"
}

@test "rootless: delete --force kills and removes a running container" {
	args sleep 1000
	start_detached c
	local pid
	pid=$(init_pid c)
	runtime_ok delete --force c
	dead "$pid"
}

@test "rootless: files that the container makes belong to the user" {
	config '.root.readonly = false'
	run_script 'touch /new; stat -c %u:%g /new'
	assert_equal 0:0 "$out"
	assert_equal 4242:4242 "$(stat -c %u:%g "$BUNDLE/rootfs/new")"
}

@test "rootless: the mounts of spec --rootless exist, masked and read-only as listed" {
	run_script 'cat /proc/self/mountinfo; wc -c </proc/timer_list; echo 1 2>/dev/null >/proc/sys/kernel/domainname || echo refused'
	assert_equal proc "$(mount_type "$out" /proc)"
	assert_equal tmpfs "$(mount_type "$out" /dev)"
	assert_equal devpts "$(mount_type "$out" /dev/pts)"
	assert_equal mqueue "$(mount_type "$out" /dev/mqueue)"
	assert_options "$out" /sys ro nosuid nodev noexec
	assert_match $'\n0\nrefused$' "$out"
}

@test "rootless: the default devices work" {
	run_script 'for d in null zero full random urandom tty; do stat -c "%t:%T" /dev/$d; done; head -c 3 /dev/zero | wc -c'
	assert_equal $'1:3\n1:5\n1:7\n1:8\n1:9\n5:0\n3' "$out"
}

@test "rootless: loopback is up in a new network namespace" {
	config '.linux.namespaces += [{type: "network"}]'
	run_script 'ip -o -4 addr show lo'
	assert_match 'inet 127.0.0.1/8' "$out"
}

@test "rootless: create sends the terminal to the console socket" {
	background as_user "$PROBE" recvtty "$T/user/run/tty.sock" "$T/user/run"
	wait_for 5 test -S "$T/user/run/tty.sock"
	config '.process.terminal = true'
	script 'tty; stat -c "console %t owner %u" /dev/console; echo from tty >/dev/tty'
	runtime_ok create --bundle "$BUNDLE" --console-socket "$T/user/run/tty.sock" c
	runtime_ok start c
	wait_for 5 grep -q 'from tty' "$T/user/run/output"
	assert_equal $'/dev/pts/0\nconsole 88 owner 0\nfrom tty' "$(tr -d '\r' <"$T/user/run/output")"
}

@test "rootless: hooks run on the host as the user, and in the container" {
	config '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "id -u >$OUT"], env: ["PATH=/usr/bin:/bin", "OUT=" + $out]}]
		| .hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "id -u >/dev/shm/hook"], env: ["PATH=/bin"]}]' --arg out "$T/user/run/hook"
	run_script 'cat /dev/shm/hook'
	assert_equal 0 "$out"
	assert_equal 4242 "$(cat "$T/user/run/hook")"
}

@test "rootless: create sets a sysctl of the container's namespaces" {
	config '.linux.sysctl = {"kernel.msgmax": "5000"}'
	run_script 'cat /proc/sys/kernel/msgmax'
	assert_equal 5000 "$out"
}

@test "rootless: a pod's container joins the namespaces of another" {
	args sleep 1000
	start_detached pod
	local pod type
	pod=$(init_pid pod)
	for type in user ipc uts; do
		config '(.linux.namespaces[] | select(.type == $type)).path = $path' --arg type "$type" --arg path "/proc/$pod/ns/$type"
	done
	config 'del(.hostname)'
	run_script 'for n in user ipc uts mnt; do readlink /proc/self/ns/$n; done'
	assert_equal "$(for n in user ipc uts; do readlink "/proc/$pod/ns/$n"; done)" "$(head -n 3 <<<"$out")"
	refute_match "$(readlink "/proc/$pod/ns/mnt" | tr -dc 0-9)" "$out"
}

# A range of IDs, by newuidmap and newgidmap.

@test "rootless: create maps a range of IDs" {
	grant_range
	config '.process.user = {uid: 5, gid: 6, additionalGids: [7]} | .root.readonly = false'
	chmod 777 "$BUNDLE/rootfs/home"
	run_script 'id -u; id -G; cat /proc/self/uid_map /proc/self/setgroups; touch /home/new; stat -c %u:%g /home/new'
	assert_equal $'5\n6 7\n0 4242 1\n1 200000 65536\nallow\n5:6' "$(squeezed "$out")"
	assert_equal 200004:200005 "$(stat -c %u:%g "$BUNDLE/rootfs/home/new")"
	rm "$BUNDLE/rootfs/home/new"
}

@test "rootless: a container with a range of IDs can be created, started, killed and deleted" {
	grant_range
	config '.process.user = {uid: 5, gid: 6}'
	args sleep 1000
	runtime_ok create --bundle "$BUNDLE" c
	runtime_ok start c
	assert_match '200004' "$(grep Uid "/proc/$(init_pid c)/status")"
	runtime_ok kill c KILL
	wait_for 5 has_status c stopped
	runtime_ok delete c
}

# bats test_tags=berth
@test "rootless: create refuses a range that is not granted, and prints the line to add" {
	grant_range
	args true
	echo 'rootless:200000:1000' >"$T/user/etc/subuid"
	runtime run --bundle "$BUNDLE" c
	refused 'linux.uidMappings: .*newuidmap: .*\(/etc/subuid grants 200000-200999 to user "rootless", not 200000-265535: add the line "rootless:200000:65536"\)'
	echo "rootless:$ROOTLESS_RANGE" >"$T/user/etc/subuid"
	: >"$T/user/etc/subgid"
	runtime run --bundle "$BUNDLE" c
	refused 'linux.gidMappings: .*newgidmap: .*\(/etc/subgid has no entry for user "rootless": add the line "rootless:200000:65536"\)'
}

# bats test_tags=berth
@test "rootless: create accepts a range granted by number, in several lines" {
	grant_range
	printf '1:1:1\n4242:200000:30000\nrootless:200000:65536\n' >"$T/user/etc/subuid"
	run_script 'cat /proc/self/uid_map'
	assert_equal $'0 4242 1\n1 200000 65536' "$(squeezed "$out")"
}

# bats test_tags=berth
@test "rootless: create refuses an ID of another user" {
	args true
	config '.linux.uidMappings[0].hostID = 4243'
	runtime run --bundle "$BUNDLE" c
	refused 'linux.uidMappings: .*newuidmap: .*not 4243: add the line "rootless:4243:1"'
	config '.linux.uidMappings[0].hostID = 0'
	runtime run --bundle "$BUNDLE" c
	refused "linux.uidMappings: .*an unprivileged user cannot map host id 0, root: map your own id, 4242"
}

# bats test_tags=berth
@test "rootless: create names newuidmap or newgidmap that is missing or lacks privileges" {
	grant_range
	args true
	status=0
	as_user env PATH=/nowhere "$T/user/bin/runtime" --root "$ROOT" run --bundle "$BUNDLE" c >"$T/out" 2>"$T/err" || status=$?
	read_output
	refused "linux.uidMappings: .*mapping more than the caller.s own id needs newuidmap, which is not in .PATH \(install the package uidmap, or shadow-utils\)"
	status=0
	as_user setpriv --no-new-privs "$T/user/bin/runtime" --root "$ROOT" run --bundle "$BUNDLE" c >"$T/out" 2>"$T/err" || status=$?
	read_output
	refused 'linux.uidMappings: .*newuidmap.* is set-uid root .*no_new_privs'
	# A program that has lost its set-uid bit, as by a copy of the image.
	local kind
	for kind in uid gid; do
		rm -rf "$USER_DIR/lost"
		mkdir "$USER_DIR/lost"
		cp "$(command -v "new${kind}map")" "$USER_DIR/lost" # a copy is not set-uid
		status=0
		as_user env PATH="$USER_DIR/lost:$PATH" "$T/user/bin/runtime" --root "$ROOT" run --bundle "$BUNDLE" c >"$T/out" 2>"$T/err" || status=$?
		read_output
		refused "linux.${kind}Mappings: .*/etc/sub${kind} grants these ids: check that \"$USER_DIR/lost/new${kind}map\" is set-uid root or has the file capability cap_set${kind}"
	done
}

# bats test_tags=berth
@test "rootless: create refuses additional groups without a range" {
	args true
	config '.process.user.additionalGids = [0]'
	runtime run --bundle "$BUNDLE" c
	refused 'process.user.additionalGids: setgroups is denied in the user namespace, .*map a range that /etc/subgid grants'
	config '.process.user = {uid: 5, gid: 0}'
	runtime run --bundle "$BUNDLE" c
	refused 'process.user.uid: 5: not mapped by linux.uidMappings'
}

# Features that an unprivileged user cannot have.

# bats test_tags=berth
@test "rootless: create refuses a container without a user namespace" {
	args true
	config 'del(.linux.namespaces[] | select(.type == "user")) | del(.linux.uidMappings, .linux.gidMappings)'
	runtime run --bundle "$BUNDLE" c
	refused 'linux.namespaces: .*an unprivileged user needs a user namespace: see "berth spec --rootless"'
}

# bats test_tags=berth
@test "rootless: create refuses a file system of a namespace that is the host's" {
	args true
	local type
	for type in pid ipc; do
		cp "$BUNDLE/config.json" "$T/kept"
		config 'del(.linux.namespaces[] | select(.type == $type))' --arg type "$type"
		runtime run --bundle "$BUNDLE" c
		refused "mounts\[[04]\]: .*needs a new $type namespace"
		cp "$T/kept" "$BUNDLE/config.json"
	done
	config '(.mounts[] | select(.destination == "/sys")) |= (.type = "sysfs" | .source = "sysfs" | .options = ["ro"])'
	runtime run --bundle "$BUNDLE" c
	refused 'mounts\[5\]: .*needs a new network namespace .*or bind /sys'
}

# bats test_tags=berth
@test "rootless: create names a devpts group that is not mapped" {
	args true
	config '(.mounts[] | select(.type == "devpts") | .options) += ["gid=5"]'
	runtime run --bundle "$BUNDLE" c
	refused "mounts\[2\]: .*Invalid gid '5' \(not mapped in the user namespace\)"
}

# bats test_tags=berth
@test "rootless: create names the directory of a source that the user may not reach" {
	mkdir -p "$T/closed/data"
	chmod 700 "$T/closed"
	args true
	config '.mounts += [{destination: "/tmp", type: "none", source: $s, options: ["bind"]}]' --arg s "$T/closed/data"
	runtime run --bundle "$BUNDLE" c
	refused "mounts\[7\]: .*open_tree: permission denied .*no search permission on \"$T/closed\""
}

# bats test_tags=berth
@test "rootless: create names a path that it cannot make in another user's image" {
	rm -rf "$BUNDLE/rootfs/proc"
	chown 0:0 "$BUNDLE/rootfs"
	args true
	runtime run --bundle "$BUNDLE" c
	refused 'mounts\[0\]: mount proc .*make "/proc": permission denied$'
}

# bats test_tags=berth
@test "rootless: create refuses a file system that no user may mount" {
	args true
	grep -qw ext4 /proc/filesystems || skip "no ext4 here"
	config '.mounts += [{destination: "/tmp", type: "ext4", source: "/dev/null"}]'
	runtime run --bundle "$BUNDLE" c
	refused 'mounts\[7\]: mount ext4 .*: fsconfig: operation not permitted .*mount this one on the host and bind it'
}

# bats test_tags=berth
@test "rootless: create refuses an I/O priority that the user may not set" {
	args true
	config '.process.ioPriority = {class: "IOPRIO_CLASS_RT", priority: 1}'
	runtime run --bundle "$BUNDLE" c
	refused 'process.ioPriority: ioprio_set: operation not permitted \(the real-time class needs CAP_SYS_ADMIN or CAP_SYS_NICE\)'
}

# bats test_tags=berth
@test "rootless: create refuses to map the owners of a mount" {
	args true
	config '.mounts += [{destination: "/tmp", type: "none", source: $s, options: ["bind", "idmap"]}]' --arg s "$T/user/run"
	runtime run --bundle "$BUNDLE" c
	refused 'mounts\[7\]: .*idmap: .*needs CAP_SYS_ADMIN'
}

# exec.

@test "rootless: exec runs a process in a container" {
	args sleep 1000
	start_detached c
	runtime_ok exec c sh -c 'id -u; readlink /proc/self/ns/user; readlink /proc/1/ns/user; cat /proc/1/comm'
	local first user
	{ read -r first; read -r user; } <<<"$out"
	assert_equal 0 "$first"
	assert_equal "$(printf '0\n%s\n%s\nsleep' "$user" "$user")" "$out"
	refute_match "$(readlink /proc/self/ns/user | tr -dc 0-9)" "$out"
}

@test "rootless: exec runs a process as a user of the range" {
	grant_range
	args sleep 1000
	start_detached c
	runtime_ok exec --user 5:6 -g 7 c sh -c 'id -u; id -G'
	assert_equal $'5\n6 7' "$out"
}

# bats test_tags=berth
@test "rootless: exec refuses an ID that is not mapped" {
	args sleep 1000
	start_detached c
	runtime exec --user 5 c true
	assert_equal 255 "$status"
	assert_equal "exec \"c\": check user: process.user.uid: 5: not mapped by the container's uids" "$msg"
	runtime exec -g 5 c true
	assert_equal 255 "$status"
	assert_equal "exec \"c\": check user: process.user.additionalGids[0]: 5: not mapped by the container's gids" "$msg"
}

@test "rootless: a process of exec has the OOM score of the container" {
	config '.process.oomScoreAdj = 500'
	args sleep 1000
	start_detached c
	runtime_ok exec c cat /proc/1/oom_score_adj /proc/self/oom_score_adj
	assert_equal $'500\n500' "$out"
}

@test "rootless: exec opens a terminal" {
	args sleep 1000
	start_detached c
	mkdir "$USER_DIR/tty" && chown "$ROOTLESS" "$USER_DIR/tty"
	background as_user "$PROBE" recvtty "$USER_DIR/tty/sock" "$USER_DIR/tty"
	wait_for 5 test -S "$USER_DIR/tty/sock"
	runtime_ok exec -d -t --console-socket "$USER_DIR/tty/sock" c sh -c 'tty; stat -c %u /dev/pts/0'
	wait_for 5 grep -q /dev/pts/0 "$USER_DIR/tty/output"
}

# bats test_tags=berth
@test "rootless: exec refuses a created container until it is started" {
	args sleep 1000
	runtime_ok create --bundle "$BUNDLE" c
	runtime exec c true
	assert_equal 255 "$status"
	assert_match 'start' "$msg"
	runtime_ok start c
	runtime_ok exec c true
}

# Root in a user namespace that an unprivileged user has made: engines run the runtime
# that way.

# as_namespace_root COMMAND...
as_namespace_root() {
	as_user env -u USER unshare --user --map-root-user --map-auto --mount "$@"
}

# privileged_bundle: a bundle from the host's root, without settings for such a root.
privileged_bundle() {
	"$T/user/bin/runtime" spec --bundle "$T" # by the host's root
	mv "$T/config.json" "$BUNDLE/config.json"
	config '.process.terminal = false'
}

@test "rootless: root in a user namespace runs a container without another" {
	privileged_bundle
	config '.process.oomScoreAdj = 500 | .linux.sysctl = {"kernel.msgmax": "5000"}'
	script 'id -u; readlink /proc/self/ns/user; cat /proc/self/uid_map /proc/self/oom_score_adj /proc/sys/kernel/msgmax; echo x >/dev/null && echo written'
	status=0
	as_namespace_root "$T/user/bin/runtime" --root "$ROOT" run --bundle "$BUNDLE" c >"$T/out" 2>"$T/err" </dev/null || failed "$(<"$T/err")"
	out=$(squeezed "$(<"$T/out")")
	assert_match $'^0\n.*\n0 4242 1\n1 200000 65535\n500\n5000\nwritten$' "$out"
	refute_match "$(readlink /proc/self/ns/user | tr -dc 0-9)" "$out"
}

@test "rootless: root in a user namespace can create, start, kill and delete a container" {
	privileged_bundle
	config '.process.oomScoreAdj = 500'
	args sleep 1000
	# shellcheck disable=SC2016 # for the inner shell
	as_namespace_root sh -euc '
		create() { "$@" create --bundle "$bundle" c </dev/null >/dev/null 2>&1 3>&-; }
		export bundle=$1
		shift
		create "$@"
		"$@" start c
		"$@" exec c sh -c "id -u; cat /proc/self/oom_score_adj"
		"$@" state c | grep status
		"$@" kill c KILL
		until "$@" state c | grep -q stopped; do :; done
		"$@" delete c
		"$@" list -q' sh "$BUNDLE" "$T/user/bin/runtime" --root "$ROOT" >"$T/out" 2>"$T/err" || failed "$(<"$T/err")"
	assert_equal $'0\n500\n  "status": "running",' "$(<"$T/out")"
}

@test "rootless: root in a user namespace runs a container in the host's pid namespace" {
	privileged_bundle
	config '.process.oomScoreAdj = 500 | .linux.namespaces |= map(select(.type != "pid"))
		| (.mounts[] | select(.destination == "/proc")) |= {destination, type: "none", source: "/proc", options: ["rbind"]}'
	script 'readlink /proc/self/ns/pid; cat /proc/self/oom_score_adj'
	as_namespace_root "$T/user/bin/runtime" --root "$ROOT" run --bundle "$BUNDLE" c >"$T/out" 2>"$T/err" </dev/null || failed "$(<"$T/err")"
	assert_equal "$(readlink /proc/self/ns/pid)"$'\n500' "$(<"$T/out")"
}

# as_single_id COMMAND...: run it as root in a user namespace with one ID, in which
# setgroups is denied (unshare -r, bwrap).
as_single_id() {
	as_user env -u USER unshare --user --map-root-user --mount "$@"
}

# single_id_bundle: a bundle that such a root can run.
single_id_bundle() {
	privileged_bundle
	config '.process.rlimits = [] | .linux.namespaces = [{type: "mount"}, {type: "ipc"}, {type: "uts"}, {type: "pid"}]
		| .mounts |= map(select(.destination | startswith("/sys") | not)
			| if .destination == "/dev/pts" then .options -= ["gid=5"] else . end)
		| .linux.resources = {} | del(.linux.maskedPaths, .linux.readonlyPaths)'
}

@test "rootless: run and exec work in a user namespace that denies setgroups" {
	single_id_bundle
	config '.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "id -u >/hooked"], env: ["PATH=/bin"]}] | .root.readonly = false'
	args sleep 1000
	# shellcheck disable=SC2016 # for the inner shell
	as_single_id sh -euc '
		bundle=$1
		shift
		cat /proc/self/setgroups
		"$@" run --detach --bundle "$bundle" c </dev/null >/dev/null 2>&1 3>&-
		"$@" exec c cat /proc/self/setgroups
		"$@" exec c id -u
		"$@" delete --force c' sh "$BUNDLE" "$T/user/bin/runtime" --root "$ROOT" >"$T/out" 2>"$T/err" || failed "$(<"$T/err")"
	assert_equal $'deny\ndeny\n0' "$(<"$T/out")"
	assert_equal 0 "$(<"$BUNDLE/rootfs/hooked")"
}

# bats test_tags=berth
@test "rootless: create refuses groups in a user namespace that denies setgroups" {
	single_id_bundle
	config '.process.user.additionalGids = [0]'
	args true
	status=0
	as_single_id "$T/user/bin/runtime" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err" || status=$?
	read_output
	refused 'drop privileges: process.user.additionalGids: setgroups is denied in the user namespace, .*map a range'
}

# bats test_tags=berth
@test "rootless: the state of root in a user namespace is below XDG_RUNTIME_DIR" {
	privileged_bundle
	script 'true'
	as_namespace_root "$T/user/bin/runtime" run --bundle "$BUNDLE" c </dev/null 2>"$T/err" || failed "$(<"$T/err")"
	assert_equal '4242 700' "$(stat -c '%u %a' "$ROOT")"
}

# bats test_tags=berth
@test "rootless: create names the remedy for a limit that root in a user namespace cannot set" {
	privileged_bundle
	config '.linux.resources.memory = {limit: 100000000}'
	args true
	status=0
	as_namespace_root "$T/user/bin/runtime" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err" || status=$?
	read_output
	refused 'linux.resources.memory.limit: .*systemd-run --user --scope -p Delegate=yes'
}

# bats test_tags=berth
@test "a hook of the image cannot access the process that becomes the program" {
	# CVE-2016-9962: the hook could circumvent the filter that applies to itself.
	config '.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", $look], env: ["PATH=/bin"]}]
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW"} | .root.readonly = false' \
		--arg look 'cd /proc/1; cat comm >/looked; for f in exe cwd root fd/0; do readlink $f && echo "got $f"; done >>/looked; (: >mem) && echo "got mem" >>/looked; true'
	args true
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal berth/init "$(cat "$BUNDLE/rootfs/looked")"
}
