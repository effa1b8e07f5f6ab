# mounts add and mounts remove: changes of the mounts of a running container. runc has
# no such commands.
# bats file_tags=berth,kernel
load helpers

prepare() {
	new_bundle
	config '.root.readonly = false'
	args sleep 1000
	mkdir "$T/source"
	echo content >"$T/source/file"
}

# mounts_of JSON: write the mounts to $T/mounts.json.
mounts_of() {
	jq -n "$1" --arg source "$T/source" >"$T/mounts.json"
}

# inside COMMAND...: exec it in the container; its output is in $out.
inside() {
	runtime_ok exec c "$@"
}

@test "mounts add mounts a directory of the host in a running container" {
	start_detached c
	mounts_of '[{destination: "/new/place", source: $source, options: ["bind", "ro", "nosuid"]}]'
	runtime_ok mounts add c "$T/mounts.json"
	inside cat /new/place/file
	assert_equal content "$out"
	inside cat /proc/1/mountinfo
	assert_options "$out" /new/place ro nosuid
	runtime_ok mounts remove c "$T/mounts.json"
	inside sh -c 'ls /new/place; grep -c /new /proc/1/mountinfo || true'
	assert_equal 0 "$out"
}

@test "mounts add reads a file mount and a file system from standard input" {
	start_detached c
	mounts_of '[{destination: "/hosts", source: "\($source)/file", options: ["bind"]},
		{destination: "/scratch", type: "tmpfs", source: "tmpfs", options: ["size=64k", "mode=700", "noexec"]}]'
	RUNTIME_STDIN=$T/mounts.json runtime_ok mounts add c -
	inside sh -c 'cat /hosts; stat -c %a /scratch; cat /proc/self/mountinfo'
	assert_match $'^content\n700\n' "$out"
	assert_options "$out" /scratch noexec
	assert_match 'size=64k' "$(mount_data "$out" /scratch)"
}

@test "mounts add works for a created and for a paused container" {
	runtime_ok create --bundle "$BUNDLE" c
	mounts_of '[{destination: "/one", source: $source, options: ["bind"]}]'
	runtime_ok mounts add c "$T/mounts.json"
	runtime_ok start c
	inside cat /one/file
	runtime_ok pause c
	mounts_of '[{destination: "/two", source: $source, options: ["bind"]}]'
	runtime_ok mounts add c "$T/mounts.json"
	runtime_ok resume c
	inside cat /one/file /two/file
	assert_equal $'content\ncontent' "$out"
}

# bats test_tags=arm64
@test "mounts add works in a user namespace" {
	new_user_namespace 0:100000:65536
	start_detached c
	mounts_of '[{destination: "/one", source: $source, options: ["bind", "ro"]}, {destination: "/two", type: "tmpfs", source: "tmpfs"}]'
	runtime_ok mounts add c "$T/mounts.json"
	inside sh -c 'cat /one/file; touch /two/x && stat -c %u /two/x'
	assert_equal $'content\n0' "$out"
	runtime_ok mounts remove c "$T/mounts.json"
	# The mount points that berth has made stay; the container's root may remove them.
	inside sh -c 'ls /one /two; stat -c %u:%g /one /two'
	refute_match file "$out"
	assert_match $'0:0\n0:0$' "$out"
}

@test "mounts add mounts nothing when one mount fails" {
	start_detached c
	inside cat /proc/1/mountinfo
	local before=$out
	mounts_of '[{destination: "/one", source: $source, options: ["bind"]}, {destination: "/two", type: "nofs", source: "x"}]'
	runtime mounts add c "$T/mounts.json"
	refused 'mounts\[1\].*no file system \\?"nofs'
	inside cat /proc/1/mountinfo
	assert_equal "$before" "$out"
}

@test "mounts add mounts nothing when its stub is killed midway" {
	local ns
	for ns in own shared user; do
		case $ns in
		shared) config 'del(.linux.namespaces[] | select(.type == "mount")) | del(.linux.maskedPaths, .linux.readonlyPaths)' ;;
		user)
			rm -r "$BUNDLE"
			new_bundle
			config '.root.readonly = false'
			args sleep 1000
			new_user_namespace
			;;
		esac
		start_detached c
		inside cat /proc/1/mountinfo
		local before=$out call
		# iversion takes mount(2): the stub has attached two mounts by then.
		mounts_of '[{destination: "/one", source: $source, options: ["bind"]}, {destination: "/file", source: "\($source)/file", options: ["bind"]},
			{destination: "/one/two", type: "tmpfs", source: "tmpfs", options: ["mode=700"]},
			{destination: "/three", type: "tmpfs", source: "tmpfs", options: ["mode=700", "iversion"]}]'
		mkdir -p "$T/source/two"
		for call in mount move_mount; do
			status=0
			"$PROBE" deny kill "$call" "$RUNTIME" --root "$ROOT" mounts add c "$T/mounts.json" </dev/null >"$T/out" 2>"$T/err" || status=$?
			read_output
			refused 'attach mounts: .*ended unexpectedly'
			inside cat /proc/1/mountinfo
			assert_equal "$before" "$out"
		done
		runtime_ok delete --force c
	done
}

@test "mounts add refuses invalid mounts" {
	start_detached c
	mounts_of '[{destination: "/one", source: "/nowhere", options: ["bind"]}]'
	runtime mounts add c "$T/mounts.json"
	refused 'mounts\[0\].*no such file or directory'
	mounts_of '[{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup"}]'
	runtime mounts add c "$T/mounts.json"
	refused 'mounts\[0\]: a cgroup file system'
	mounts_of '[{destination: "/proc/sys", source: $source, options: ["bind"]}]'
	runtime mounts add c "$T/mounts.json"
	refused 'mounts\[0\]'
	echo '[{"destination": "/one", "options": "bind"}]' >"$T/mounts.json"
	runtime mounts add c "$T/mounts.json"
	refused '\[0\].options: want an array of strings, found a string'
	echo '[] []' >"$T/mounts.json"
	runtime mounts add c "$T/mounts.json"
	refused 'line 1, column 4: invalid character'
	mounts_of '[{destination: "/etc"}]'
	runtime mounts remove c "$T/mounts.json"
	refused 'mounts\[0\].*nothing is mounted there'
	runtime mounts swap c "$T/mounts.json"
	refused 'want add or remove'
	runtime mounts add nope "$T/mounts.json"
	refused 'container does not exist'
	runtime_ok kill c KILL
	wait_for 5 has_status c stopped
	mounts_of '[{destination: "/one", source: $source, options: ["bind"]}]'
	runtime mounts add c "$T/mounts.json"
	refused 'stopped'
}

@test "mounts add follows no link of the image out of the image" {
	ln -s /../../../../../../../tmp "$BUNDLE/rootfs/out"
	ln -s /proc/self/root "$BUNDLE/rootfs/magic"
	start_detached c
	mounts_of '[{destination: "/out/place", source: $source, options: ["bind"]}]'
	runtime_ok mounts add c "$T/mounts.json"
	inside cat /tmp/place/file
	[ ! -e /tmp/place ]
	mounts_of '[{destination: "/magic/place", source: $source, options: ["bind"]}]'
	runtime mounts add c "$T/mounts.json"
	refused 'magic'
	# Nor does a mount reach kernel file systems, nor a path to be removed.
	inside ln -s /proc /kernels
	local mount
	for mount in '/kernels/version", source: "\($source)/file", options: ["bind"]' '/kernels/tty", type: "tmpfs", source: "tmpfs", options: ["mode=700"]'; do
		mounts_of "[{destination: \"$mount}]"
		runtime mounts add c "$T/mounts.json"
		refused 'destination is in /proc'
	done
	inside sh -c 'grep -cE " /proc/version | mode=700" /proc/1/mountinfo || true'
	assert_equal 0 "$out"
	inside ln -s /dev/shm /shm
	mounts_of '[{destination: "/shm"}]'
	runtime mounts remove c "$T/mounts.json"
	refused 'unmount "/shm".*EINVAL|unmount "/shm".*invalid argument'
	inside grep -c ' /dev/shm ' /proc/1/mountinfo
	assert_equal 1 "$out"
}

@test "mounts add leaves no process in the container" {
	start_detached c
	mounts_of '[{destination: "/one", source: $source, options: ["bind"]}]'
	runtime_ok mounts add c "$T/mounts.json"
	# Init, and sh.
	inside sh -c 'set -- /proc/[0-9]*; echo $#'
	assert_equal 2 "$out"
}

@test "a procfs from mounts add shows the container's processes" {
	start_detached c
	mounts_of '[{destination: "/added", type: "proc", source: "proc"}]'
	runtime_ok mounts add c "$T/mounts.json"
	inside cat /added/1/comm
	assert_equal sleep "$out"
	# Init, and sh.
	inside sh -c 'set -- /added/[0-9]*; echo $#'
	assert_equal 2 "$out"
}

@test "a later mount of the host appears in an added mount, but not the other way round" {
	mount -t tmpfs tmpfs "$T/source"
	mount --make-shared "$T/source"
	mkdir "$T/source/below" "$T/source/other"
	start_detached c
	mounts_of '[{destination: "/new", type: "bind", source: $source, options: ["rbind"]}, {destination: "/open", type: "bind", source: $source, options: ["rbind", "rshared"]},
		{destination: "/new/other", type: "tmpfs", source: "hidden"}, {destination: "/open/other", type: "tmpfs", source: "hidden"}]'
	runtime_ok mounts add c "$T/mounts.json"
	mount -t tmpfs shown "$T/source/below"
	inside cat /proc/1/mountinfo
	assert_match ' /new/below [^-]* - tmpfs shown ' "$out"
	assert_match ' /open/below [^-]* - tmpfs shown ' "$out"
	assert_match ' - tmpfs hidden ' "$out"
	refute_match ' - tmpfs hidden ' "$(cat /proc/self/mountinfo)"
	umount "$T/source/below"
	umount -l "$T/source"
}

@test "a read-only mount of the host stays read-only in a user namespace" {
	new_user_namespace
	all_capabilities
	mount -t tmpfs -o mode=777 tmpfs "$T/source"
	mount -o remount,bind,ro,nosuid,nodev "$T/source"
	runtime_ok create --bundle "$BUNDLE" c
	mounts_of '[{destination: "/early", source: $source, options: ["bind"]}]'
	runtime_ok mounts add c "$T/mounts.json"
	runtime_ok start c
	mounts_of '[{destination: "/added", source: $source, options: ["bind"]}]'
	runtime_ok mounts add c "$T/mounts.json"
	inside sh -c 'mount -o remount,bind,rw /early; mount -o remount,bind,rw /added && echo remounted; touch /added/written && echo written; true'
	inside cat /proc/self/mountinfo
	assert_options "$out" /early ro nosuid nodev
	assert_options "$out" /added ro nosuid nodev
	umount "$T/source"
}

@test "an unprivileged user can add mounts to a container" {
	rootless_user
	rm -r "$BUNDLE"
	rootless_bundle
	config '.root.readonly = false'
	args sleep 1000
	start_detached c
	mounts_of '[{destination: "/added", source: $source, options: ["bind", "ro"]}, {destination: "/scratch", type: "tmpfs", source: "t"}]'
	chmod a+r "$T/mounts.json"
	runtime_ok mounts add c "$T/mounts.json"
	inside cat /added/file
	assert_equal content "$out"
	runtime_ok mounts remove c "$T/mounts.json"
}
