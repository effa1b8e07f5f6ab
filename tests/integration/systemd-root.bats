# Scopes of the system's systemd: device rules, and a message bus that fails.
# bats file_tags=systemd
load helpers

prepare() {
	systemd_bundle
}

# open_devices ID: the device nodes made in the container that it can open.
open_devices() {
	runtime_ok exec "$1" sh -c '
		for d in null fuse; do
			for how in "r <" "w >"; do
				(eval ": ${how#* }/tmp/$d") 2>/dev/null && echo "$d ${how% *}"
			done
		done; true'
}

# The kernel runs two programs for devices, systemd's and the runtime's.
@test "device rules apply, also after systemd is reloaded" {
	grep -qw fuse /proc/misc || skip "the kernel has no fuse, whose device is opened"
	config '.linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 10, minor: 229, access: "r"}]
		| .root.readonly = false | .process.capabilities[] += ["CAP_MKNOD"]'
	script 'mknod /tmp/null c 1 3 && mknod /tmp/fuse c 10 229 && exec sleep 1000'
	runtime_ok --systemd-cgroup run --detach --bundle "$BUNDLE" c
	assert_equal strict "$(property DevicePolicy)"
	wait_for 5 test -e "$BUNDLE/rootfs/tmp/fuse"
	open_devices c
	assert_equal $'null r\nnull w\nfuse r' "$out"
	systemctl daemon-reload
	open_devices c
	assert_equal $'null r\nnull w\nfuse r' "$out"
}

@test "rules that allow all devices but some are applied by the runtime alone" {
	grep -qw fuse /proc/misc || skip "the kernel has no fuse, whose device is opened"
	config '.linux.resources.devices = [{allow: true, access: "rwm"}, {allow: false, type: "c", major: 10, minor: 229, access: "w"}]
		| .root.readonly = false | .process.capabilities[] += ["CAP_MKNOD"]'
	script 'mknod /tmp/null c 1 3 && mknod /tmp/fuse c 10 229 && exec sleep 1000'
	runtime_ok --systemd-cgroup run --detach --bundle "$BUNDLE" c
	wait_for 5 test -e "$BUNDLE/rootfs/tmp/fuse"
	systemctl daemon-reload
	open_devices c
	assert_equal $'null r\nnull w\nfuse r' "$out"
}

@test "a rule that denies mknod applies in a scope, where /dev/net/tun can be opened" {
	(: <>/dev/net/tun) 2>/dev/null || skip "no /dev/net/tun here"
	config '.linux.resources.devices = [{allow: false, access: "rwm"}, {allow: false, type: "b", access: "m"}]
		| .root.readonly = false | .process.capabilities[] += ["CAP_MKNOD"]
		| .mounts += [{destination: "/dev/net/tun", type: "bind", source: "/dev/net/tun", options: ["rbind", "rw"]}]'
	args sleep 1000
	runtime_ok --systemd-cgroup run --detach --bundle "$BUNDLE" c
	assert_equal strict "$(property DevicePolicy)"
	assert_match '/dev/char/10:200' "$(property DeviceAllow)"
	refute_match 'block-' "$(property DeviceAllow)"
	tried() {
		runtime_ok exec c sh -c ': <>/dev/net/tun && echo opened
			mknod /tmp/char c 4 0 && echo made; mknod /tmp/block b 7 0 || echo denied; rm /tmp/char'
		assert_equal $'opened\nmade\ndenied' "$out"
	}
	tried
	systemctl daemon-reload
	tried
}

# bats test_tags=berth
@test "berth uses systemd's private socket when there is no message bus" {
	args true
	unshare --mount sh -c 'mount -t tmpfs none /run/dbus && exec "$@"' sh \
		"$RUNTIME" --root "$ROOT" --systemd-cgroup run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err" || failed "$(<"$T/err")"
	no_unit_left
}

# bus SIGNAL: send one to the message bus.
bus() {
	kill -"$1" "$(systemctl show --property MainPID --value dbus.service)"
}

# bats test_tags=berth
@test "create ends within its deadline when the message bus hangs, and leaves nothing" {
	args true
	local before=$EPOCHSECONDS
	busctl list >/dev/null # so that the bus is running
	# The container's process exists when the runtime asks systemd for a scope.
	bus STOP
	runtime --systemd-cgroup create --bundle "$BUNDLE" c
	bus CONT
	refused 'start unit "?.*no answer in 10s.*the message bus hangs'
	((EPOCHSECONDS - before < 10 + $(patient 5))) || failed "it took $((EPOCHSECONDS - before)) seconds"
	no_state_left
	no_process_left
	no_cgroup_left
	no_unit_left
	runtime_ok --systemd-cgroup run --bundle "$BUNDLE" c
	no_unit_left
}

# bats test_tags=berth
@test "delete removes a stopped container although the message bus hangs" {
	args true
	runtime_ok --systemd-cgroup run --detach --bundle "$BUNDLE" c
	wait_for 5 has_status c stopped
	wait_for 5 no_unit
	bus STOP
	runtime delete c
	bus CONT
	assert_equal 0 "$status"
	assert_match 'level=warning.*may still list' "$err"
}

# as_tester COMMAND...: run it as the user of the bed, but in the suite's cgroup: after
# a login, a user is not in a cgroup of the user's systemd either.
as_tester() {
	setpriv --reuid 1000 --regid 1000 --init-groups env -u DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR=/run/user/1000 "$@"
}

# tester_ok ARG...: run the runtime, with a state root of that user.
tester_ok() {
	as_tester "$RUNTIME" --root "$T/user/state" "$@" </dev/null >"$T/out" 2>"$T/err" || failed "$(<"$T/err")"
}

@test "a user's container moves from a session's cgroup into the user's systemd" {
	loginctl enable-linger tester
	systemctl start user@1000.service
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/{test,file,suite} "$BATS_RUN_TMPDIR"/*/* 2>/dev/null || true
	rm -r "$BUNDLE"
	cp -a "$ROOTFS_TEMPLATE" "$T/rootfs"
	install -d -o 1000 -g 1000 "$T/user"
	mv "$T/rootfs" "$T/user/rootfs"
	chown -R 1000:1000 "$T/user"
	as_tester "$RUNTIME" spec --rootless --bundle "$T/user"
	config --bundle "$T/user" '.process.terminal = false | .process.args = ["sleep", "1000"] | .linux.namespaces |= map(select(.type != "cgroup"))'
	refute_match user@1000 "$(cat /proc/self/cgroup)"
	local scope=0::/user.slice/user-1000.slice/user@1000.service/user.slice/berth-c.scope
	tester_ok --systemd-cgroup run --detach --bundle "$T/user" c
	tester_ok state c
	assert_equal "$scope" "$(grep ^0: "/proc/$(jq .pid "$T/out")/cgroup")"
	tester_ok exec c cat /proc/self/cgroup
	assert_equal "$scope" "$(grep ^0: "$T/out")"
	tester_ok exec --detach --pid-file "$T/user/pid" c sleep 1000
	assert_equal "$scope" "$(grep ^0: "/proc/$(cat "$T/user/pid")/cgroup")"
	tester_ok delete --force c
	loginctl disable-linger tester
	systemctl stop user@1000.service user-runtime-dir@1000.service
	wait_for 5 no_mount_left
}
