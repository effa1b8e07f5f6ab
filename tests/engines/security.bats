# Restrictions of a container, and the flags that change them.
# bats file_tags=docker,podman
load helpers

@test "a container has only the engine's capabilities" {
	once "$IMAGE" sh -c 'grep -E "^Cap(Prm|Eff|Bnd)" /proc/self/status | cut -f 2 | uniq; grep -E "^Cap(Inh|Amb)" /proc/self/status | cut -f 2 | uniq'
	# CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE
	# SYS_CHROOT SETFCAP, and NET_RAW MKNOD AUDIT_WRITE with Docker.
	case $ENGINE in
	docker) assert_equal $'00000000a80425fb\n0000000000000000' "$out" ;;
	podman) assert_match $'^00000000800405fb\n' "$out" ;;
	esac
}

@test "--cap-add and --cap-drop change the capabilities" {
	once --cap-drop ALL --cap-add NET_ADMIN "$IMAGE" sh -c 'grep -E "^Cap(Prm|Eff|Bnd)" /proc/self/status | cut -f 2 | uniq; ip link set lo down && echo can'
	assert_equal $'0000000000001000\ncan' "$out"
	engine run --rm --name "$NAME" "$IMAGE" ip link set lo down
	[ "$status" != 0 ]
}

@test "a user that is not root has no capabilities" {
	once -u user "$IMAGE" sh -c 'grep -E "^Cap(Prm|Eff|Amb)" /proc/self/status | cut -f 2 | uniq'
	assert_equal 0000000000000000 "$out"
}

@test "the engine's seccomp profile applies" {
	once "$IMAGE" grep ^Seccomp: /proc/self/status
	assert_equal $'Seccomp:\t2' "$out"
	once --security-opt seccomp=unconfined "$IMAGE" grep ^Seccomp: /proc/self/status
	assert_equal $'Seccomp:\t0' "$out"
}

@test "a seccomp profile of the user applies" {
	cat >"$T/profile.json" <<-END
		{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
			{"names": ["chmod", "fchmodat"], "action": "SCMP_ACT_ERRNO"},
			{"names": ["sethostname"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}
	END
	engine run --rm --name "$NAME" --security-opt "seccomp=$T/profile.json" --cap-add SYS_ADMIN "$IMAGE" \
		sh -c 'grep ^Seccomp: /proc/self/status; chmod 700 /tmp; hostname other; true'
	assert_equal $'Seccomp:\t2' "$out"
	assert_match 'chmod: /tmp: Operation not permitted' "$err"
	assert_match 'hostname: sethostname: No space left on device' "$err"
}

@test "no-new-privileges sets no_new_privs" {
	once --security-opt no-new-privileges "$IMAGE" grep ^NoNewPrivs /proc/self/status
	assert_equal $'NoNewPrivs:\t1' "$out"
	once "$IMAGE" grep ^NoNewPrivs /proc/self/status
	assert_equal $'NoNewPrivs:\t0' "$out"
}

@test "--read-only makes the root read-only, except for volumes and tmpfs" {
	engine run --rm --name "$NAME" --read-only --tmpfs /scratch:size=1m -v "$T:/outside" "$IMAGE" sh -c '
		for dir in / /etc /srv /scratch /outside /dev/shm; do echo "$dir $(touch $dir/file 2>&1 && echo written)"; done'
	local dir
	for dir in /scratch /outside /dev/shm; do
		has_line "$T/out" "$dir written"
	done
	for dir in / /etc /srv; do
		assert_match "$dir touch: .*Read-only file system" "$out"
	done
}

@test "parts of /proc and /sys are masked or read-only" {
	once "$IMAGE" sh -c 'cat /proc/keys /proc/timer_list; ls /proc/acpi /proc/scsi /sys/firmware 2>/dev/null | grep -v ":$" | grep .
		for file in /proc/sys/kernel/shmmax /proc/irq/default_smp_affinity /sys/kernel/profiling; do (: >$file) 2>&1 | sed "s/.*: //"; done'
	assert_equal $'Read-only file system\nRead-only file system\nRead-only file system' "$out"
}

@test "the container can make nothing in /sys/fs/cgroup" {
	engine run --rm --name "$NAME" "$IMAGE" touch /sys/fs/cgroup/file
	assert_equal 1 "$status"
	assert_match 'Read-only file system' "$err"
}

@test "--device makes a device that the cgroup allows" {
	needs_root "no device nodes with another name than on the host"
	once --device /dev/fuse:/dev/other:r "$IMAGE" sh -c 'stat -c "%t:%T" /dev/other; (: </dev/other) && echo read; (: >/dev/other) 2>&1 || true'
	assert_match $'^a:e5\nread\n.*Operation not permitted' "$out"
	# The container may be able to make another device, but not open it.
	once --cap-add MKNOD "$IMAGE" sh -c 'mknod /tmp/fuse c 10 229; (: </tmp/fuse) 2>&1 || true'
	assert_match 'Operation not permitted' "$out"
}

@test "--privileged removes the restrictions" {
	# Docker asks for all capabilities of the kernel, Podman for those of its own
	# process.
	[ "$ENGINE" = podman ] || has_all_capabilities || skip "root has not every capability here"
	once --privileged "$IMAGE" sh -c 'grep ^Seccomp: /proc/self/status; test -c /dev/fuse && echo devices'
	assert_equal $'Seccomp:\t0\ndevices' "$out"
}

has_all_capabilities() {
	local bounding last
	bounding=$((0x$(awk '$1 == "CapBnd:" { print $2 }' /proc/self/status)))
	last=$(cat /proc/sys/kernel/cap_last_cap)
	[ "$bounding" = $(((2 << last) - 1)) ]
}
