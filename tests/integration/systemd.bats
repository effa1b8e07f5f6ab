# Containers that are units of systemd, the system's or the user's.
# bats file_tags=systemd,systemd-user
load helpers

prepare() {
	systemd_bundle
}

@test "the container has a scope that is delegated to it" {
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	args sleep 1000
	runtime_ok --systemd-cgroup create --bundle "$BUNDLE" c
	in_scope "$(init_pid c)"
	runtime_ok start c
	assert_equal active "$(property ActiveState)"
	assert_equal "$CGROUP" "$(property ControlGroup)"
	assert_equal bt.slice "$(property Slice)"
	assert_equal yes "$(property Delegate)"
	assert_equal "$(init_pid c)" "$(cat "/sys/fs/cgroup$CGROUP/cgroup.procs")"
	runtime_ok delete --force c
	no_cgroup_left
	no_unit_left
}

# bats test_tags=berth
@test "the program of a container with a time namespace is in its scope" {
	config '.linux.namespaces += [{type: "time"}]'
	args sleep 1000
	runtime_ok --systemd-cgroup create --bundle "$BUNDLE" c
	in_scope "$(init_pid c)"
}

@test "the scope has accounting, a description and no default dependencies" {
	args sleep 1000
	runtime_ok --systemd-cgroup run --detach --bundle "$BUNDLE" c
	local name
	for name in CPUAccounting IOAccounting MemoryAccounting TasksAccounting; do
		assert_equal "$name yes" "$name $(property $name)"
	done
	assert_equal no "$(property DefaultDependencies)" # they would end it when the host starts to shut down
	assert_match "container.*$UNIT|container c$" "$(property Description)"
}

@test "the container's cgroup namespace starts at the scope" {
	script 'cat /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs'
	runtime_ok --systemd-cgroup run --bundle "$BUNDLE" c
	assert_match $'(^|\n)0::/\n1(\n|$)' "$out"
	no_unit_left
}

@test "a cgroup mount shows the hierarchy when the host's namespace is shared" {
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	# shellcheck disable=SC2016 # for the container's shell
	script 'own=$(sed -n s/^0:://p /proc/self/cgroup); echo "$own"; head -n 1 "/sys/fs/cgroup$own/cgroup.procs"'
	runtime_ok --systemd-cgroup run --bundle "$BUNDLE" c
	assert_equal "$CGROUP"$'\n1' "$out"
}

# bats test_tags=berth
@test "a scope is named after the container unless config.json does" {
	config 'del(.linux.cgroupsPath)'
	args sleep 1000
	runtime_ok --systemd-cgroup run --detach --bundle "$BUNDLE" "b+$BATS_TEST_NUMBER"
	UNIT='berth-b\x2b'$BATS_TEST_NUMBER.scope
	assert_equal active "$(property ActiveState)"
	if [ "$(id -u)" = 0 ]; then
		assert_equal system.slice "$(property Slice)"
	else
		assert_equal user.slice "$(property Slice)"
	fi
	runtime_ok delete --force "b+$BATS_TEST_NUMBER"
	no_unit_left
}

@test "a slice is nested in the slices that its name starts with" {
	config '.linux.cgroupsPath = "bt-pods-besteffort.slice:bt:" + $n' --arg n "$BATS_TEST_NUMBER"
	args sleep 1000
	runtime_ok --systemd-cgroup run --detach --bundle "$BUNDLE" c
	assert_match "/bt.slice/bt-pods.slice/bt-pods-besteffort.slice/$UNIT$" "$(property ControlGroup)"
	assert_equal "$(property ControlGroup)" "$(sed -n s/^0:://p "/proc/$(init_pid c)/cgroup")"
	runtime_ok delete --force c
	no_unit_left
}

@test "create refuses a cgroupsPath that is not slice:prefix:name" {
	local path
	for path in /a/b a:b a:b:c a-.slice:b:c a--b.slice:b:c a/b.slice:b:c; do
		config '.linux.cgroupsPath = $path' --arg path "$path"
		runtime --systemd-cgroup create --bundle "$BUNDLE" c
		assert_equal 1 "$status"
		assert_match "expected cgroupsPath to be of format \"slice:prefix:name\"|invalid slice name: ${path%%:*}" "$msg"
	done
	no_state_left
}

@test "annotations set properties of the scope" {
	config '.annotations = {"org.systemd.property.TimeoutStopUSec": "uint64 7000000", "org.systemd.property.RuntimeMaxSec": "100",
		"org.systemd.property.CollectMode": "\u0027inactive\u0027", "org.systemd.property.After": "[\u0027a.target\u0027]", "other": "x"}'
	args sleep 1000
	runtime_ok --systemd-cgroup run --detach --bundle "$BUNDLE" c
	assert_equal 7s "$(property TimeoutStopUSec)"
	assert_equal '1min 40s' "$(property RuntimeMaxUSec)"
	assert_equal inactive "$(property CollectMode)"
	assert_match '(^| )a\.target( |$)' "$(property After)"
}

@test "create names an annotation that is not a property, and leaves nothing" {
	local value
	for value in '"Nope": "true"' '"TasksMax": "[true]"' '"Foo_Bar": "true"' '"Foo": "tru"'; do
		config ".annotations = {\"org.systemd.property.\" : \"\"} | .annotations = ({$value} | with_entries(.key = \"org.systemd.property.\" + .key))"
		runtime --systemd-cgroup run --bundle "$BUNDLE" c
		assert_equal 1 "$status"
		assert_match "org\.systemd\.property\.|TasksMax|Nope" "$msg"
		no_state_left
	done
	no_cgroup_left
	no_unit_left
}

@test "the other commands accept --systemd-cgroup and do not need it" {
	args sleep 1000
	local flag
	for flag in "" --systemd-cgroup; do
		runtime_ok --systemd-cgroup create --bundle "$BUNDLE" c
		# shellcheck disable=SC2086 # a word or none
		{
			runtime_ok $flag start c
			runtime_ok $flag state c
			runtime_ok $flag list
			runtime_ok $flag pause c
			assert_equal paused "$(status_of c)"
			runtime_ok $flag resume c
			assert_equal running "$(status_of c)"
			runtime_ok $flag exec c cat /proc/self/cgroup
			assert_match '0::/$' "$out"
			runtime_ok $flag kill c KILL
			wait_for 5 has_status c stopped
			runtime_ok $flag delete c
		}
		no_unit_left
	done
}

@test "exec adds its process to the scope" {
	args sleep 1000
	runtime_ok --systemd-cgroup run --detach --bundle "$BUNDLE" c
	runtime_ok exec --detach --pid-file "$T/pid" c sleep 1000
	in_scope "$(cat "$T/pid")"
}

@test "the scope of a program that failed is removed" {
	script 'exit 3'
	runtime --systemd-cgroup run --bundle "$BUNDLE" c
	assert_equal 3 "$status"
	no_cgroup_left
	no_unit_left
}

# systemd must not list a created container for ever that is never deleted.
# bats test_tags=berth
@test "the scope of a container that is not deleted disappears with its last process" {
	args sleep 1000
	# Time enough for "run", which fails when the scope ends earlier.
	config '.annotations = {"org.systemd.property.RuntimeMaxUSec": "uint64 3000000", "org.systemd.property.TimeoutStopUSec": "uint64 100000"}'
	runtime_ok --systemd-cgroup run --detach --bundle "$BUNDLE" c
	wait_for 10 has_status c stopped
	no_unit_left
	runtime_ok delete c
}

@test "create replaces a failed scope" {
	if [ "$(id -u)" = 0 ]; then user=; else user=--user; fi
	# shellcheck disable=SC2086 # a word or none
	systemd-run --quiet $user --scope --unit "$UNIT" -p RuntimeMaxSec=100ms -p TimeoutStopSec=100ms sleep 1000 || true
	wait_for 5 unit_is failed
	args true
	runtime_ok --systemd-cgroup run --bundle "$BUNDLE" c
	no_unit_left
}

@test "create refuses a scope that is in use, and leaves it alone" {
	if [ "$(id -u)" = 0 ]; then user=; else user=--user; fi
	# shellcheck disable=SC2086 # a word or none
	background systemd-run --quiet $user --slice bt.slice --scope --unit "$UNIT" sleep 1000
	wait_for 5 unit_is active
	wait_for 5 grep -q sleep "/proc/$background_pid/comm"
	runtime --systemd-cgroup run --bundle "$BUNDLE" c
	assert_equal 1 "$status"
	assert_match 'not empty|already' "$msg"
	alive "$background_pid"
	unit_is active
	stop_background
	no_unit_left
}

# bats test_tags=berth
@test "create refuses a frozen slice" {
	args true
	systemctl_here start bt.slice
	echo 1 >"/sys/fs/cgroup${CGROUP%/*}/cgroup.freeze"
	runtime --systemd-cgroup run --bundle "$BUNDLE" c
	echo 0 >"/sys/fs/cgroup${CGROUP%/*}/cgroup.freeze"
	refused "bt.slice.*frozen"
	no_state_left
	no_unit_left
}

# bats test_tags=berth
@test "delete --force removes a container after its create was killed" {
	config '.hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "echo >\($t)/hooked; while kill -0 $PPID; do sleep 0.02; done"]}]}' --arg t "$T"
	background "$RUNTIME" --root "$ROOT" --systemd-cgroup create --bundle "$BUNDLE" c </dev/null >/dev/null 2>&1
	wait_for 10 test -e "$T/hooked"
	assert_equal active "$(property ActiveState)"
	kill -KILL "$background_pid"
	runtime_ok delete --force c
	no_state_left
	no_cgroup_left
	no_unit_left
}

@test "many concurrent containers leave no unit" {
	args sleep 1000
	local n many=300
	[ "$(id -u)" = 0 ] || many=20
	for n in $(seq $many); do
		mkdir "$T/$n"
		jq --arg n "$n" '.root.path = $b + "/rootfs" | .linux.cgroupsPath = "bt.slice:bt:many" + $n' --arg b "$BUNDLE" <"$BUNDLE/config.json" >"$T/$n/config.json"
	done
	for n in $(seq $many); do
		background "$RUNTIME" --root "$ROOT" --systemd-cgroup create --bundle "$T/$n" "c$n" </dev/null >/dev/null 2>"$T/err$n"
	done
	local pid failed=0
	for pid in "${background_pids[@]}"; do wait "$pid" || failed=1; done
	[ $failed = 0 ] || failed "$(cat "$T"/err*)"
	assert_equal $many "$(units | wc -l)"
	for n in $(seq $many); do
		background "$RUNTIME" --root "$ROOT" delete --force "c$n" </dev/null >/dev/null 2>"$T/err$n"
	done
	for pid in "${background_pids[@]}"; do wait "$pid" || true; done
	# On a busy machine systemd may answer after the deadline of 10 s; the unit goes all the same.
	assert_equal "" "$(grep -v 'may still list the unit' "$T"/err* || true)"
	no_state_left
	no_unit_left
}

# bats test_tags=berth
@test "a slice can be the container's unit" {
	config '.linux.cgroupsPath = "bt.slice::bt-own.slice"'
	args sleep 1000
	runtime_ok --systemd-cgroup run --detach --bundle "$BUNDLE" c
	assert_equal "$(property ControlGroup bt-own.slice)" "$(sed -n s/^0:://p "/proc/$(init_pid c)/cgroup")"
	assert_match '(^| )bt\.slice( |$)' "$(property Wants bt-own.slice)"
	runtime_ok delete --force c
	wait_for 5 test ! -e "/sys/fs/cgroup${CGROUP%/*}/bt-own.slice"
}
