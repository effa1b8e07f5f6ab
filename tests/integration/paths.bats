# Masked and read-only paths, and a read-only root, as the container sees them.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	mkdir -p "$BUNDLE/rootfs/data/dir/sub"
	echo secret >"$BUNDLE/rootfs/data/file"
	echo secret >"$BUNDLE/rootfs/data/dir/file"
}

@test "a masked file reads as empty" {
	config '.root.readonly = false | .linux.maskedPaths = ["/data/file"]'
	run_script 'cat /data/file; echo overwritten >/data/file; wc -c </data/file'
	assert_equal 0 "$out"
	assert_equal secret "$(cat "$BUNDLE/rootfs/data/file")"
}

@test "a masked directory is empty and read-only" {
	config '.root.readonly = false | .linux.maskedPaths = ["/data/dir"]'
	run_script 'ls -A /data/dir; touch /data/dir/new; cat /data/file'
	assert_equal secret "$out"
	assert_match 'Read-only file system' "$err"
	assert_lines $'file\nsub' "$(ls "$BUNDLE/rootfs/data/dir")"
}

# bats test_tags=berth
@test "masked directories share one empty file system with restrictive flags" {
	config '.linux.maskedPaths = ["/data/dir", "/data/dir2"]'
	mkdir "$BUNDLE/rootfs/data/dir2"
	run_script 'cat /proc/self/mountinfo; stat -c %a /data/dir'
	local dir
	for dir in /data/dir /data/dir2; do
		assert_options "$out" "$dir" ro nosuid nodev noexec
		assert_match '(^|,)ro,.*nr_inodes=2,mode=555' "$(mount_data "$out" "$dir")"
	done
	assert_equal "$(mount_line "$out" /data/dir | cut -d ' ' -f 3)" "$(mount_line "$out" /data/dir2 | cut -d ' ' -f 3)"
}

@test "create does not make a masked path that is missing" {
	config '.root.readonly = false | .linux.maskedPaths = ["/data/nothing", "/nothing/at/all"]'
	run_script 'ls /data /nothing'  || true
	[ ! -e "$BUNDLE/rootfs/data/nothing" ]
	[ ! -e "$BUNDLE/rootfs/nothing" ]
}

@test "the default masks hide the kernel's files" {
	run_script 'for p in /proc/kcore /proc/keys /proc/timer_list /proc/sched_debug /proc/acpi /proc/scsi /sys/firmware; do
		if [ -d $p ]; then ls -A $p; elif [ -e $p ]; then head -c 100 $p; fi; done; [ -e /proc/keys ] && echo there'
	assert_equal there "$out"
}

@test "a read-only path is readable and not writable" {
	config '.root.readonly = false | .linux.readonlyPaths = ["/data/dir", "/data/file"]'
	run_script 'cat /data/dir/file /data/file; touch /data/dir/new; echo x >/data/file; touch /data/ok; cat /proc/self/mountinfo'
	assert_match $'^secret\nsecret\n' "$out"
	assert_options "$out" /data/dir ro
	assert_options "$out" /data/file ro
	assert_equal secret "$(cat "$BUNDLE/rootfs/data/file")"
	[ ! -e "$BUNDLE/rootfs/data/dir/new" ]
	[ -e "$BUNDLE/rootfs/data/ok" ]
}

@test "a read-only path can be the root" {
	config '.root.readonly = false | .linux.readonlyPaths = ["/"]'
	run_script 'touch /new; touch /dev/shm/ok && echo ok'
	assert_equal ok "$out"
	[ ! -e "$BUNDLE/rootfs/new" ]
}

@test "a masked path below a read-only path is masked" {
	config '.linux.maskedPaths = ["/data/dir", "/data/file"] | .linux.readonlyPaths = ["/data"]'
	run_script 'touch /data/new; ls -A /data/dir; cat /data/file'
	assert_equal "" "$out"
	assert_match 'Read-only file system' "$err"
}

# bats test_tags=berth
@test "create reports a path that it cannot look up, and does not treat it as missing" {
	ln -s loop "$BUNDLE/rootfs/loop"
	args true
	local list
	for list in maskedPaths readonlyPaths; do
		config ".linux.maskedPaths = [] | .linux.readonlyPaths = [] | .linux.$list = [\"/loop/x\"]"
		runtime create --bundle "$BUNDLE" c
		refused "protect paths: linux.$list: .*/loop/x.*too many levels of symbolic links"
	done
}

@test "a read-only path keeps its other mount options" {
	run_script 'cat /proc/self/mountinfo'
	local path
	for path in /proc/bus /proc/fs /proc/irq /proc/sys; do
		assert_options "$out" "$path" ro
	done
	# A path on a nosuid mount stays nosuid.
	config '.linux.readonlyPaths = ["/dev/shm"]'
	run_script 'cat /proc/self/mountinfo'
	assert_options "$out" /dev/shm ro nosuid nodev noexec
}

@test "a mount below a read-only path stays mounted, and writable" {
	config '.mounts += [{destination: "/data/dir/sub", type: "tmpfs", source: "below"}] | .linux.readonlyPaths = ["/data/dir"]'
	run_script 'touch /data/dir/sub/new && cat /data/dir/file; touch /data/dir/new; cat /proc/self/mountinfo'
	assert_match '^secret' "$out"
	assert_options "$out" /data/dir ro
	assert_options "$out" /data/dir/sub rw
	[ ! -e "$BUNDLE/rootfs/data/dir/new" ]
}

@test "create does not make a read-only path that is missing" {
	config '.root.readonly = false | .linux.readonlyPaths = ["/data/nothing"]'
	run_script true
	[ ! -e "$BUNDLE/rootfs/data/nothing" ]
}

@test "the program cannot write to /proc/sys" {
	run_script 'echo 1 >/proc/sys/kernel/domainname || echo refused; echo 1 >/proc/sysrq-trigger || echo refused'
	assert_equal $'refused\nrefused' "$out"
}

@test "a read-only root is not writable, a mount on it is" {
	run_script 'touch /new /data/file; echo ok >/dev/shm/file; cat /dev/shm/file; grep " / / " /proc/self/mountinfo; cat /proc/self/mountinfo'
	assert_match '^ok' "$out"
	assert_match 'Read-only file system' "$err"
	assert_options "$out" / ro
	[ ! -e "$BUNDLE/rootfs/new" ]
}

@test "the program writes to the bundle through a writable root" {
	config '.root.readonly = false'
	run_script 'echo ok >/new; cat /proc/self/mountinfo'
	assert_equal ok "$(cat "$BUNDLE/rootfs/new")"
	assert_options "$out" / rw
}

@test "a read-only root leaves the host's directory writable" {
	args sleep 1000
	start_detached c
	touch "$BUNDLE/rootfs/from-outside"
	[ -e "/proc/$(init_pid c)/root/from-outside" ]
}

@test "the program cannot leave its root" {
	run_script 'cd /; cd ../../..; ls; ls /proc/1/root; readlink /proc/1/cwd'
	refute_match '(^|\n)(work|lost.found|usr)(\n|$)' "$out"
	assert_match $'\n/$' "$out"
}
