# Containers in a mount namespace that others use: the runtime's own, or one given by
# path. runc makes the mounts of the whole host slaves for them, leaves their mounts,
# and its exec runs in the host's root: so these tests do not run with it.
# bats file_tags=berth,v2,kernel
load helpers

prepare() {
	new_bundle
	config 'del(.linux.namespaces[] | select(.type == "mount")) | del(.linux.maskedPaths, .linux.readonlyPaths) | .root.readonly = false'
}

# as_administrator: the container has the capabilities for mounting.
as_administrator() {
	config '.process.capabilities |= with_entries(.value = ["CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_MKNOD", "CAP_DAC_OVERRIDE"])'
}

# propagation_here: the propagation of the mounts of this namespace.
propagation_here() {
	awk '{ print $5, $7 }' /proc/self/mountinfo | sort
}

# a_namespace OPTION...: make a mount namespace with other users; $holder lives in it.
a_namespace() {
	background unshare --mount "$@" sleep 1000
	holder=$background_pid
	wait_for 10 elsewhere "$holder"
}

# elsewhere PID: it is in another mount namespace than this shell.
elsewhere() {
	[ "$(readlink "/proc/$1/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ] && [ "$(<"/proc/$1/comm")" = sleep ]
}

# mounts_there: the mounts below the bundle in that namespace.
mounts_there() {
	grep -c " $BUNDLE" "/proc/$holder/mountinfo" || true
}

@test "without a mount namespace the root is the bundle's, for exec as well" {
	local before
	before=$(propagation_here)
	echo here >"$BUNDLE/rootfs/file"
	args sleep 1000
	start_detached c
	[ "$(readlink "/proc/$(init_pid c)/ns/mnt")" = "$(readlink /proc/self/ns/mnt)" ]
	assert_equal "$BUNDLE/rootfs" "$(readlink "/proc/$(init_pid c)/root")"
	assert_equal "$BUNDLE/rootfs" "$(readlink "/proc/$(init_pid c)/cwd")"
	runtime_ok exec c sh -c 'cat /file; pwd; ls -d ../../../bundle; mkdir /new; grep -c " /proc " /proc/self/mountinfo'
	assert_equal $'here\n/\n1' "$out"
	[ -d "$BUNDLE/rootfs/new" ]
	runtime_ok delete --force c
	no_mount_left
	assert_equal "$before" "$(propagation_here)"
}

@test "a container without a mount namespace has no open file of the host" {
	# shellcheck disable=SC2016 # for the container's shell
	run_script 'for fd in /proc/self/fd/*; do readlink $fd; done | grep -v -e /dev/null -e pipe: -e "^/proc/" ; ls -l /proc/self/cwd /proc/self/root | sed "s/.*-> //"'
	assert_equal $'/\n/' "$(grep -v "^$T/" <<<"$out")"
	no_mount_left
}

@test "a root that is a mount point, or has mounts below, keeps them" {
	mount -t tmpfs below "$BUNDLE/rootfs/tmp"
	mkdir "$BUNDLE/rootfs/tmp/deep"
	mount -t tmpfs deep "$BUNDLE/rootfs/tmp/deep"
	echo deep >"$BUNDLE/rootfs/tmp/deep/file"
	mount --rbind "$BUNDLE/rootfs" "$BUNDLE/rootfs"
	host_mounts >"$T/mounts"
	as_administrator
	script 'cat /tmp/deep/file; mkdir /tmp/made; mount -t tmpfs made /tmp/made && echo mounted'
	runtime run --bundle "$BUNDLE" c
	no_mount_left
	umount -R "$BUNDLE/rootfs"
	umount -R "$BUNDLE/rootfs/tmp" 2>/dev/null || true # a peer, unmounted with the other
	host_mounts >"$T/mounts"
	succeeded run
	assert_equal $'deep\nmounted' "$out"
}

@test "mounts of a container disappear with it, and the host never sees them" {
	mkdir -p "$T/volume/place"
	as_administrator
	config '.mounts += [{destination: "/volume", type: "bind", source: $v, options: ["rbind"]}]' --arg v "$T/volume"
	script 'mount -t tmpfs one /volume/place && mount -t tmpfs two /tmp && mount -t tmpfs three / && echo mounted; sleep 1000'
	runtime_ok create --bundle "$BUNDLE" c
	runtime_ok start c
	wait_for 10 grep -q three /proc/self/mountinfo
	refute_match " $T/volume/place" "$(host_mounts)"
	runtime exec c true
	runtime_ok delete --force c
	no_mount_left
}

@test "delete keeps mounts of others at the paths of the container's mounts" {
	args sleep 1000
	start_detached c
	umount -l "$BUNDLE/rootfs"
	mount -t tmpfs others "$BUNDLE/rootfs"
	runtime exec c true
	assert_equal 255 "$status"
	assert_match 'was unmounted' "$msg"
	runtime_ok delete --force c
	assert_match ' - tmpfs others ' "$(</proc/self/mountinfo)"
	umount "$BUNDLE/rootfs"
	no_mount_left
}

@test "a failed create removes its mounts" {
	config '.mounts += [{destination: "/late", type: "nofs", source: "x"}]'
	runtime create --bundle "$BUNDLE" c
	refused 'no file system'
	no_mount_left
	config '.mounts |= .[:-1] | .process.args = ["/nowhere"]'
	runtime create --bundle "$BUNDLE" c
	refused nowhere
	no_mount_left
}

@test "create killed at 20 moments leaves no mounts that delete --force does not remove" {
	local i whole start pid
	args sleep 1000
	start=${EPOCHREALTIME/[.,]/}
	runtime_ok create --bundle "$BUNDLE" c
	whole=$((${EPOCHREALTIME/[.,]/} - start))
	runtime_ok delete --force c
	for ((i = 0; i < 20; i++)); do
		"$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" c </dev/null >/dev/null 2>&1 3>&- &
		pid=$!
		read -rt "$(printf '%d.%06d' 0 $((whole * i / 20)))" <> <(:) || true
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		runtime_ok delete --force c
		no_mount_left
	done
}

@test "hooks and added mounts work without a mount namespace" {
	mkdir "$T/source"
	echo content >"$T/source/file"
	hook_script='ls / >>/tmp/hooked'
	config '.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", $h], env: ["PATH=/bin"]}]
		| .hooks.createContainer = [{path: "/bin/sh", args: ["sh", "-c", "pwd >$OUT"], env: ["PATH=/bin:/usr/bin", "OUT=" + $o]}]' --arg h "$hook_script" --arg o "$T/hooked"
	args sleep 1000
	start_detached c
	assert_equal "$BUNDLE/rootfs" "$(<"$T/hooked")"
	runtime_ok exec c cat /tmp/hooked
	refute_match '(^|\n)(home|root/work|lost\+found)' "$out"
	jq -n '[{destination: "/added", source: $s, options: ["bind", "ro"]}, {destination: "/scratch", type: "tmpfs", source: "tmpfs"}]' --arg s "$T/source" >"$T/mounts.json"
	runtime_ok mounts add c "$T/mounts.json"
	runtime_ok exec c sh -c 'cat /added/file; grep -c " /scratch " /proc/self/mountinfo'
	assert_equal $'content\n1' "$out"
	refute_match ' /added | /scratch ' "$(host_mounts)"
	runtime_ok mounts remove c "$T/mounts.json"
	runtime_ok exec c ls /added
	assert_equal "" "$out"
	jq -n '[{destination: "/"}]' >"$T/mounts.json"
	runtime mounts remove c "$T/mounts.json"
	refused 'mounts\[0\].*the container.s root'
}

@test "a container without any namespace runs" {
	config '.linux.namespaces = [] | del(.hostname) | del(.mounts[] | select(.type == "mqueue"))'
	args sleep 1000
	start_detached c
	runtime_ok exec c sh -c 'ls /'
	assert_match bin "$out"
	runtime_ok delete --force c
	no_mount_left
}

@test "a read-only root holds without a mount namespace" {
	config '.root.readonly = true'
	run_script 'touch /new 2>&1 || true'
	assert_match 'Read-only' "$out"
	touch "$BUNDLE/rootfs/new"
}

@test "create joins a mount namespace by path, and leaves it as it was" {
	a_namespace
	config '.linux.namespaces += [{type: "mount", path: $ns}]' --arg ns "/proc/$holder/ns/mnt"
	config '.linux.maskedPaths = ["/proc/keys", "/file"] | .linux.readonlyPaths = ["/etc"]'
	echo secret >"$BUNDLE/rootfs/file"
	config '.hooks.startContainer = [{path: "/bin/touch", args: ["touch", "/hooked"]}]'
	args sleep 1000
	start_detached c
	[ -e "$BUNDLE/rootfs/hooked" ]
	runtime_ok exec c sh -c 'cat /file; touch /etc/x 2>&1; ls /'
	refute_match secret "$out"
	assert_match Read-only "$out"
	assert_match bin "$out"
	assert_equal / "$(readlink "/proc/$holder/root")"
	[ "$(mounts_there)" -gt 3 ]
	jq -n '[{destination: "/added", type: "tmpfs", source: "tmpfs"}]' >"$T/mounts.json"
	runtime_ok mounts add c "$T/mounts.json"
	assert_equal 1 "$(grep -c " $BUNDLE/rootfs/added " "/proc/$holder/mountinfo")"
	host_mounts >"$T/mounts.now"
	refute_match " $BUNDLE/" "$(<"$T/mounts.now")"
	runtime_ok delete --force c
	assert_equal 0 "$(mounts_there)"
	# delete has nothing left to do when the namespace no longer exists.
	start_detached c
	kill "$holder"
	wait_for 10 dead "$holder"
	runtime_ok delete --force c
}

# The mask is a clone of the null device: with its propagation, a mount on the masked file
# would appear on the null device of the namespace.
@test "a masked file in a joined mount namespace has no propagation" {
	a_namespace --propagation shared
	assert_match '^shared:' "$(mount_propagation "$(<"/proc/$holder/mountinfo")" /dev)"
	config '.linux.namespaces += [{type: "mount", path: $ns}] | .linux.maskedPaths = ["/file"]' --arg ns "/proc/$holder/ns/mnt"
	echo secret >"$BUNDLE/rootfs/file"
	args sleep 1000
	start_detached c
	assert_equal "" "$(mount_propagation "$(<"/proc/$holder/mountinfo")" "$BUNDLE/rootfs/file")"
	runtime_ok delete --force c
}

@test "create joins a mount namespace with the user namespace that owns it" {
	a_namespace --user --map-root-user
	config '.linux.namespaces += [{type: "mount", path: "/proc/\($p)/ns/mnt"}, {type: "user", path: "/proc/\($p)/ns/user"}]
		| .linux.namespaces |= map(select(.type != "network")) | .mounts |= map(select(.type != "sysfs" and .type != "cgroup" and .type != "mqueue" and .type != "devpts" ))
		| .process.terminal = false' --arg p "$holder"
	args sleep 1000
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/{,test,file,suite}* "$T" 2>/dev/null || true
	start_detached c
	runtime_ok exec c ls /
	[ "$(mounts_there)" -gt 1 ]
	runtime_ok delete --force c
	assert_equal 0 "$(mounts_there)"
}

@test "create refuses fields that need a mount namespace of the container's own" {
	config '.linux.maskedPaths = ["/proc/keys"]'
	runtime create --bundle "$BUNDLE" c
	refused 'linux.maskedPaths: needs a \\?"mount\\?" namespace'
	config 'del(.linux.maskedPaths) | .linux.readonlyPaths = ["/proc/sys"]'
	runtime create --bundle "$BUNDLE" c
	refused 'linux.readonlyPaths: needs a \\?"mount\\?" namespace'
	config 'del(.linux.readonlyPaths) | .linux.rootfsPropagation = "rshared"'
	runtime create --bundle "$BUNDLE" c
	refused 'linux.rootfsPropagation: .*needs a new \\?"mount\\?" namespace'
	config 'del(.linux.rootfsPropagation)'
	new_user_namespace
	runtime create --bundle "$BUNDLE" c
	refused 'linux.namespaces: a \\?"user\\?" namespace needs a \\?"mount\\?" namespace'
	config '.linux.namespaces += [{type: "mount", path: "/proc/self/ns/mnt"}]'
	runtime create --bundle "$BUNDLE" c
	refused 'linux.namespaces\[[0-9]+\]: .*a new user namespace has no rights over'
	no_mount_left
}

@test "create warns of a capability that can leave a chroot" {
	as_administrator
	args true
	runtime_ok run --bundle "$BUNDLE" c
	assert_match 'CAP_SYS_CHROOT' "$err"
	no_mount_left
}
