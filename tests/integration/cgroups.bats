# Cgroups on v1, v2 and both.
# bats file_tags=v2,kernel
load helpers

prepare() {
	new_bundle
	# So that the container sees the path of its cgroup.
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
}

# run_in VIEW SCRIPT: run a container where the host looks like v1, v2 or hybrid.
run_in() {
	script "$2"
	status=0
	in_view "$1" "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err" || status=$?
	read_output
	succeeded "run on $1"
}

# cgroup_of PID: "CONTROLLERS PATH" of every hierarchy.
cgroup_of() {
	mounted_of <"/proc/$1/cgroup" | sed 's/^[0-9]*:\([^:]*\):/\1 /'
}

# mounted_of: filter the lines of a /proc/PID/cgroup for mounted hierarchies; v1
# hierarchies exist without a mount.
mounted_of() {
	if grep -q ' - cgroup ' /proc/self/mountinfo; then cat; else grep ^0:; fi
}

@test "the container has its own cgroup in every hierarchy" {
	run_in hybrid 'cat /proc/self/cgroup'
	out=$(mounted_of <<<"$out")
	assert_equal "$(cgroup_roots | wc -l)" "$(wc -l <<<"$out")"
	assert_equal "$CGROUP" "$(cut -d : -f 3 <<<"$out" | sort -u)"
	no_cgroup_left
}

# bats test_tags=v1
@test "the container has its own cgroup on v1" {
	run_in v1 'grep -v ^0: /proc/self/cgroup'
	assert_equal "$CGROUP" "$(cut -d : -f 3 <<<"$out" | sort -u)"
	no_cgroup_left
}

@test "the container has its own cgroup on v2" {
	run_in v2 'grep ^0: /proc/self/cgroup'
	assert_equal "0::$CGROUP" "$out"
	no_cgroup_left
}

@test "a created container is already in its cgroup" {
	args true
	runtime_ok create --bundle "$BUNDLE" c
	assert_equal "$CGROUP" "$(cgroup_of "$(init_pid c)" | cut -d ' ' -f 2 | sort -u)"
	local dir
	for dir in $(cgroup_dirs "$CGROUP"); do
		assert_equal "$(init_pid c)" "$(cat "$dir/cgroup.procs")"
	done
}

@test "the runtime stays in its own cgroup" {
	local before
	before=$(cat /proc/self/cgroup)
	script 'echo ready; exec sleep 1000'
	background "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err"
	wait_for 10 has_line "$T/out" ready
	assert_equal "$before" "$(cat "/proc/$background_pid/cgroup")"
	assert_equal "$before" "$(cat /proc/self/cgroup)"
}

# bats test_tags=v1
@test "without cgroupsPath the cgroup is below the runtime's own, on v1" {
	local root pid
	config 'del(.linux.cgroupsPath)'
	args sleep 1000
	# In a cgroup of this test, not in the caller's.
	for root in $(cgroup_roots); do
		mkdir -p "$root$CGROUP"
		[ ! -e "$root$CGROUP/cpuset.cpus" ] || cp_cpuset "$root" "$CGROUP"
	done
	(
		for root in $(cgroup_roots); do echo "$BASHPID" >"$root$CGROUP/cgroup.procs"; done
		exec "$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" my-id </dev/null >"$T/out" 2>&1 3>&-
	)
	cgroup_of "$(init_pid my-id)" >"$T/cgroups"
	runtime_ok delete --force my-id
	for root in $(cgroup_roots); do rmdir "$root$CGROUP"; done
	assert_equal "$CGROUP/my-id" "$(grep '^[a-z]' "$T/cgroups" | cut -d ' ' -f 2 | sort -u)"
}

# cp_cpuset ROOT CGROUP: a new v1 cpuset accepts no process before it has CPUs.
cp_cpuset() {
	mkdir -p "$1$2"
	local knob
	for knob in cpuset.cpus cpuset.mems; do
		cat "$1$CGROUP_PARENT/$knob" >/dev/null 2>&1 || return 0
		cat "$1/$knob" >"$1$CGROUP_PARENT/$knob"
		cat "$1/$knob" >"$1$2/$knob"
	done
}

@test "a cgroupsPath with .. is resolved from the top of the hierarchy" {
	config '.linux.cgroupsPath = $path' --arg path "/../..$CGROUP"
	run_script 'cat /proc/self/cgroup'
	assert_equal "$CGROUP" "$(mounted_of <<<"$out" | cut -d : -f 3 | sort -u)"
}

@test "create reuses an empty cgroup, and delete removes it" {
	local root
	for root in $(cgroup_roots); do mkdir -p "$root$CGROUP"; done
	run_script 'cat /proc/self/cgroup'
	assert_equal "$CGROUP" "$(mounted_of <<<"$out" | cut -d : -f 3 | sort -u)"
	no_cgroup_left
}

@test "create refuses a cgroup that has processes, and leaves it alone" {
	local root
	args sleep 1000
	start_detached first
	runtime create --bundle "$BUNDLE" second
	refused 'cgroup.* not empty: 1 process'
	alive "$(init_pid first)"
	for root in $(cgroup_dirs "$CGROUP"); do
		assert_equal "$(init_pid first)" "$(cat "$root/cgroup.procs")"
	done
}

@test "a failed create leaves no cgroup" {
	args /nope
	runtime create --bundle "$BUNDLE" c
	refused nope
	no_cgroup_left
}

@test "a cgroup has no processes after the container has stopped" {
	script 'sleep 1000 & sleep 1000 & exit 0'
	start_detached c
	wait_for 5 has_status c stopped
	local root
	for root in $(cgroup_dirs "$CGROUP"); do
		assert_equal "" "$(cat "$root/cgroup.procs")"
	done
}

# Two devices that root may open wherever they exist: only the cgroup denies it. fuse is
# a misc device, 10:229; 7:0 is the first loop device.
char='c 10 229' block='b 7 0'

try_devices="
	mknod /dev/char $char && mknod /dev/block $block"'
	for d in char block; do
		true </dev/$d && echo "$d read"
		true >>/dev/$d && echo "$d written"
	done
	for d in null zero full random urandom; do head -c 1 /dev/$d >/dev/null && echo "$d read"; done
	echo x >/dev/null && echo null written'

# openable_here: skip unless both devices can be opened without a device rule.
openable_here() {
	# shellcheck disable=SC2086 # words
	mknod "$T/char" $char && mknod "$T/block" $block
	{ true <>"$T/char" && true <"$T/block"; } 2>/dev/null || skip "no fuse and no loop devices here"
}

# device_rules RULES: deny everything, then apply these rules.
device_rules() {
	config ".linux.resources.devices = [{allow: false, access: \"rwm\"}] + $1
		| .root.readonly = false
		| .process.capabilities[] += [\"CAP_MKNOD\"]"
}

default_devices=$'null read\nzero read\nfull read\nrandom read\nurandom read\nnull written'

devices_denied() {
	openable_here
	device_rules '[]'
	run_in "$1" "$try_devices"
	assert_equal "$default_devices" "$out"
	assert_equal 4 "$(grep -c 'Operation not permitted' <<<"$err")"
}

devices_allowed() {
	openable_here
	device_rules '[{allow: true, type: "c", major: 10, minor: 229, access: "rw"}, {allow: true, type: "b", major: 7, access: "r"}]'
	run_in "$1" "$try_devices"
	assert_equal $'char read\nchar written\nblock read\n'"$default_devices" "$out"
	assert_equal 1 "$(grep -c 'Operation not permitted' <<<"$err")"
}

# bats test_tags=host,guest
@test "only the default devices can be opened" {
	devices_denied hybrid
}

# bats test_tags=v1
@test "only the default devices can be opened, on v1" {
	devices_denied v1
}

# bats test_tags=arm64
@test "only the default devices can be opened, on v2" {
	devices_denied v2
}

# bats test_tags=host,guest
@test "a device rule allows the access that it lists" {
	devices_allowed hybrid
}

@test "a device rule allows the access that it lists, on v2" {
	devices_allowed v2
}

# mknod_denied VIEW: a rule that denies one device applies after one that allows all.
mknod_denied() {
	device_rules '[{allow: true, access: "rwm"}, {allow: false, type: "c", major: 10, minor: 229, access: "rwm"}]'
	run_in "$1" "mknod /dev/block $block && echo made; mknod /dev/null2 c 1 3 && echo made; mknod /dev/char $char"' || echo denied'
	assert_equal $'made\nmade\ndenied' "$out"
	assert_match 'mknod: /dev/char: Operation not permitted' "$err"
}

# bats test_tags=host,guest
@test "a device rule that denies mknod is enforced" {
	mknod_denied hybrid
}

# bats test_tags=v1
@test "a device rule that denies mknod is enforced, on v1" {
	mknod_denied v1
}

@test "a device rule that denies mknod is enforced, on v2" {
	mknod_denied v2
}

# bats test_tags=v1,berth
@test "create names the reason when the cgroup above allows no device, on v1" {
	local above=/sys/fs/cgroup/devices$CGROUP
	mkdir -p "$above"
	echo a >"$above/devices.deny"
	config '.linux.cgroupsPath = $path' --arg path "$CGROUP/c"
	runtime create --bundle "$BUNDLE" c
	refused 'limit cgroup: .*devices.allow": operation not permitted \(the cgroup above does not allow it'
	rmdir /sys/fs/cgroup/*"$CGROUP"
}

# runc applies its defaults after all rules; the specification applies rules in the
# listed order.
# bats test_tags=berth
@test "a rule that denies a part of the default devices is enforced" {
	local view
	for view in hybrid v2; do
		device_rules '[{allow: false, type: "c", access: "m"}, {allow: false, type: "c", major: 1, minor: 3, access: "w"}]'
		run_in "$view" "mknod /dev/block $block && echo made; mknod /dev/char $char"' || echo denied
			: </dev/null && echo read; { : >>/dev/null; } 2>/dev/null || echo denied'
		assert_equal $'made\ndenied\nread\ndenied' "$out"
	done
}

# Docker's last rule denies such a device; images make that device's node.
denied_but_made() {
	openable_here
	device_rules '[{allow: true, type: "c", major: 1, minor: 3, access: "rwm"}, {allow: false, type: "c", major: 10, minor: 229, access: "rwm"}]'
	run_in "$1" "mknod /dev/char $char && echo made; (: </dev/char)"' || echo denied; : </dev/null && echo read'
	assert_equal $'made\ndenied\nread' "$out"
}

# bats test_tags=host,guest
@test "a rule that denies all access to a device leaves the other default devices" {
	denied_but_made hybrid
}

@test "a rule that denies all access to a device leaves the other default devices, on v2" {
	denied_but_made v2
}

tun_opened() {
	(: <>/dev/net/tun) 2>/dev/null || skip "no /dev/net/tun here"
	config '.linux.resources.devices = [{allow: false, access: "rwm"}]
		| .mounts += [{destination: "/dev/net/tun", type: "bind", source: "/dev/net/tun", options: ["rbind", "rw"]}]'
	run_in "$1" ': <>/dev/net/tun && echo opened'
	assert_equal opened "$out"
}

# bats test_tags=host,guest
@test "/dev/net/tun can be opened" {
	tun_opened hybrid
}

# bats test_tags=v1
@test "/dev/net/tun can be opened, on v1" {
	tun_opened v1
}

@test "/dev/net/tun can be opened, on v2" {
	tun_opened v2
}

# bats test_tags=v1
@test "the devices cgroup of v1 lists the allowed devices and nothing else" {
	args true
	runtime_ok create --bundle "$BUNDLE" c
	local list
	list=$(cat "/sys/fs/cgroup/devices$CGROUP/devices.list")
	refute_match '^a' "$list"
	assert_match 'c 1:3 rwm' "$list"
	assert_match 'c 5:0 rwm' "$list"
	refute_match 'b [0-9*]+:[0-9*]+ r' "$list"
}

# move_init: move init into cgroups of its own and remove the container's, as an init
# with write access to the host's cgroups can.
move_init() {
	local dir file pid
	pid=$(init_pid c)
	for dir in $(cgroup_dirs "$CGROUP"); do
		mkdir "$dir-moved"
		for file in cpuset.cpus cpuset.mems; do
			[ ! -e "$dir/cgroup.clone_children" ] || [ ! -e "$dir/$file" ] || cat "$dir/$file" >"$dir-moved/$file"
		done
		echo "$pid" >"$dir-moved/cgroup.procs"
		rmdir "$dir"
	done
}

# bats test_tags=v2, berth
@test "exec uses the cgroup of init when the container's was removed; other operations name the missing cgroup" {
	local operation dir
	config 'del(.linux.namespaces[] | select(.type == "cgroup"))'
	args sleep 1000
	start_detached c
	move_init
	runtime_ok exec c cat /proc/self/cgroup
	assert_equal "" "$(grep ":$CGROUP\$" <<<"$out")"
	assert_match ":$CGROUP-moved($|"$'\n'")" "$out"
	for operation in 'ps c' 'pause c' 'update --pids-limit 100 c' 'events --stats c'; do
		# shellcheck disable=SC2086 # a list of words
		runtime $operation
		refused "the container's cgroup \".*$CGROUP\" was removed, its init is in another one" || failed "$operation"
		refute_match 'no such file' "$msg"
	done
	runtime_ok kill --all c KILL
	wait_for 5 has_status c stopped
	runtime_ok delete c
	for dir in $(cgroup_dirs "$CGROUP-moved"); do wait_for 5 rmdir "$dir"; done
}

# bats test_tags=berth
@test "exec uses the cgroup of init for a hierarchy in which the container's was removed" {
	config 'del(.linux.namespaces[] | select(.type == "cgroup"))'
	args sleep 1000
	local pids
	start_detached c
	pids=$(cgroup_file pids.max) || skip "no v1 pids hierarchy here"
	pids=${pids%/*}
	[ "$(stat -f -c %T "$pids")" = cgroupfs ] || skip "no v1 pids hierarchy here"
	mkdir "$pids-moved"
	init_pid c >"$pids-moved/cgroup.procs"
	rmdir "$pids"
	runtime_ok exec c cat /proc/self/cgroup
	assert_match ":pids:$CGROUP-moved($|"$'\n'")" "$out"
	assert_match ":memory:$CGROUP($|"$'\n'")" "$out"
	runtime_ok delete --force c
	wait_for 5 rmdir "$pids-moved"
}

# runc enters the cgroup after its last fork, where its init may abort.
# bats test_tags=berth,guest,host
@test "exec names the limit of processes that it meets" {
	args sleep 1000
	start_detached c
	needs_limit pids-limit
	runtime_ok update --pids-limit 1 c
	runtime exec c true
	exec_refused 'a limit of processes is reached: .*pids.max of a cgroup'
}
