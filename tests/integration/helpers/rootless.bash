# An unprivileged user with containers. The user and the granted IDs exist only for the
# user's commands: nothing changes the machine's own files in /etc.

# The user's ID and granted range.
ROOTLESS=4242
ROOTLESS_RANGE=200000:65536

# rootless_user: from here on an unprivileged user runs the runtime, on a state root of
# the user. $USER_DIR has the user's files and etc/{passwd,group,subuid,subgid}.
rootless_user() {
	USER_DIR=$T/user
	ROOT=$USER_DIR/run/berth
	mkdir -p "$USER_DIR"/{etc,run,bin}
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/{,test,file,suite}* "$T" 2>/dev/null || true
	{ cat /etc/passwd; echo "rootless:x:$ROOTLESS:$ROOTLESS::$USER_DIR:/bin/sh"; } >"$USER_DIR/etc/passwd"
	{ cat /etc/group; echo "rootless:x:$ROOTLESS:"; } >"$USER_DIR/etc/group"
	echo "rootless:$ROOTLESS_RANGE" | tee "$USER_DIR/etc/subuid" >"$USER_DIR/etc/subgid"
	cp "$RUNTIME" "$USER_DIR/bin/runtime"
	RUNTIME=$USER_DIR/bin/as-user-runtime
	printf '#!/bin/sh\nexec "%s/bin/as-user" "%s/bin/runtime" "$@"\n' "$USER_DIR" "$USER_DIR" >"$RUNTIME"
	cat >"$USER_DIR/bin/as-user" <<-'END'
		#!/bin/sh
		# as-user COMMAND...: run it as the user, where the host has that user.
		exec unshare --mount --propagation private sh -c '
			user=$0
			mount -t overlay -o "lowerdir=$user/etc:/etc" none /etc || exit
			if [ -e "$user/delegated" ]; then
				umount -R -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup || exit
				echo $$ >"/sys/fs/cgroup$(cat "$user/delegated")/own/cgroup.procs" || exit
			fi
			exec setpriv --reuid 4242 --regid 4242 --clear-groups --inh-caps=-all env XDG_RUNTIME_DIR="$user/run" "$@"
		' "$(dirname "$0")/.." "$@"
	END
	chmod 755 "$RUNTIME" "$USER_DIR/bin/as-user"
	chown -R "$ROOTLESS:$ROOTLESS" "$USER_DIR"/run
}

# as_user COMMAND...
as_user() {
	"$USER_DIR/bin/as-user" "$@"
}

# rootless_bundle [DIR]: make a bundle of the user, with the runtime's own config of
# spec --rootless, without a terminal.
rootless_bundle() {
	local dir=${1:-$BUNDLE}
	mkdir -p "$dir"
	cp -a "$ROOTFS_TEMPLATE" "$dir/rootfs"
	chown -R "$ROOTLESS:$ROOTLESS" "$dir"
	"$RUNTIME" spec --rootless --bundle "$dir"
	config --bundle "$dir" '.process.terminal = false'
}

# grant_range: map the user as root, and the granted range, in the bundle's user
# namespace.
grant_range() {
	config '.linux.uidMappings = [{containerID: 0, hostID: 4242, size: 1}, {containerID: 1, hostID: 200000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings'
}

# delegate_cgroup: the user runs on a host with cgroup v2 alone, in a cgroup below a
# delegated one. The path of the delegated cgroup is in $DELEGATED.
delegate_cgroup() {
	DELEGATED=$CGROUP-user
	local unified dir
	unified=$(awk '$0 ~ / - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
	[ -n "$unified" ] || skip "no cgroup v2 here"
	dir=$unified$DELEGATED
	mkdir -p "$dir/own"
	chown "$ROOTLESS:$ROOTLESS" "$dir" "$dir"/cgroup.{procs,subtree_control,threads} "$dir/own" "$dir/own/cgroup.procs"
	echo "$DELEGATED" >"$USER_DIR/delegated"
}

# undelegate_cgroup: remove it.
undelegate_cgroup() {
	local dir
	[ -n "${DELEGATED:-}" ] || return 0
	for dir in $(cgroup_dirs "$DELEGATED"); do
		wait_for 2 rmdir "$dir/own" 2>/dev/null
		rmdir "$dir"
	done
}
