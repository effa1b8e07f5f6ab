# Volumes and other mounts.
# bats file_tags=docker,podman
load helpers

@test "run mounts a directory of the host for writing" {
	mkdir "$T/dir"
	once -v "$T/dir:/data" "$IMAGE" sh -c 'echo inside >/data/file'
	assert_equal inside "$(cat "$T/dir/file")"
}

@test "run mounts a directory of the host read-only" {
	mkdir "$T/dir"
	echo outside >"$T/dir/file"
	engine run --rm --name "$NAME" -v "$T/dir:/data:ro" "$IMAGE" sh -c 'cat /data/file; echo >/data/file'
	assert_equal outside "$out"
	assert_match 'Read-only file system' "$err"
}

@test "run mounts a file of the host" {
	echo outside >"$T/file"
	once -v "$T/file:/etc/some/file:ro" "$IMAGE" cat /etc/some/file
	assert_equal outside "$out"
}

@test "a named volume has the image's files, and survives the container" {
	engine_ok volume create "$NAME"
	once -v "$NAME:/srv/volume" "$IMAGE" sh -c 'cat /srv/volume/file; echo more >/srv/volume/more'
	assert_equal 'from the image' "$out"
	once -v "$NAME:/elsewhere" "$IMAGE" cat /elsewhere/more
	assert_equal more "$out"
}

@test "run mounts the volumes of another container" {
	idle -v /data
	engine_ok exec "$NAME" sh -c 'echo shared >/data/file'
	engine_ok run --rm --volumes-from "$NAME" "$IMAGE" cat /data/file
	assert_equal shared "$out"
}

@test "a tmpfs has its options" {
	once --tmpfs /scratch:size=2m,mode=1700,noexec "$IMAGE" sh -c 'df -k /scratch | awk "NR == 2 { print \$2 }"; stat -c %a /scratch; cp /bin/busybox /scratch; /scratch/busybox 2>&1 | sed "s/.*: //"'
	assert_equal $'2048\n1700\nPermission denied' "$out"
}

@test "--mount mounts a directory and a tmpfs" {
	mkdir "$T/dir"
	once --mount "type=bind,source=$T/dir,target=/data" --mount type=tmpfs,target=/scratch "$IMAGE" \
		sh -c 'touch /data/file /scratch/file; awk "\$5 == \"/scratch\"" /proc/self/mountinfo | grep -c " - tmpfs "'
	assert_equal 1 "$out"
	[ -e "$T/dir/file" ]
}

@test "a later mount below a volume appears if the propagation is shared or slave" {
	mkdir -p "$T/dir/below"
	background_mount() { mount -t tmpfs tmpfs "$T/dir/below" && touch "$T/dir/below/file"; }
	idle -v "$T/dir:/slave:rslave" -v "$T/dir:/private:rprivate"
	background_mount
	engine_ok exec "$NAME" sh -c 'ls /slave/below; ls /private/below'
	umount "$T/dir/below"
	assert_equal file "$out"
}

@test "a shared volume propagates mounts to the host" {
	needs_root "the host does not receive mounts of the daemon's namespace"
	mkdir -p "$T/dir/below"
	idle -v "$T/dir:/shared:rshared" --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined
	engine_ok exec "$NAME" mount -t tmpfs tmpfs /shared/below
	findmnt -n "$T/dir/below" >/dev/null
	engine_ok exec "$NAME" umount /shared/below
}

@test "the container sees no other files of the host" {
	once "$IMAGE" sh -c 'ls -d /proc/1/root/lib 2>&1; ls / | tr "\n" " "; ls /dev | tr "\n" " "'
	refute_match ' boot | vda ' "$out"
}
