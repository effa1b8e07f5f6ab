# Features of newer Podmans.
# bats file_tags=new-podman
load helpers

@test "--userns auto chooses ranges that do not overlap" {
	if ! grep -q ^containers: /etc/subuid; then
		useradd --system containers
		echo containers:200000:1000000 | tee -a /etc/subuid >>/etc/subgid
	fi
	idle --userns auto:size=2000
	engine_ok exec "$NAME" awk '{ print $1, $2, $3 }' /proc/self/uid_map
	local first=$out
	assert_match '^0 [2-9][0-9]{5} 2000$' "$first"
	engine_ok run --rm --userns auto:size=2000 "$IMAGE" sh -c 'awk "{ print \$1, \$2, \$3 }" /proc/self/uid_map; touch /file; stat -c %u:%g /file /etc'
	assert_match $'^0 [2-9][0-9]{5} 2000\n0:0\n0:0$' "$out"
	refute_match "$first" "$out"
}

@test "the containers of a pod use its user namespace" {
	engine_ok pod create --name "$NAME-pod" --uidmap 0:100000:5000 --gidmap 0:100000:5000
	engine_ok run --rm --pod "$NAME-pod" "$IMAGE" sh -c 'awk "{ print \$1, \$2, \$3 }" /proc/self/uid_map; hostname; touch /file && stat -c %u /file'
	assert_equal "0 100000 5000"$'\n'"$NAME-pod"$'\n0' "$out"
}

@test "--rootfs DIR:idmap maps the owners of a root directory" {
	mkdir "$T/rootfs"
	cp -a "$BATS_RUN_TMPDIR/rootfs/." "$T/rootfs"
	# Podman would make it, without an owner in the file system.
	ln -s /proc/mounts "$T/rootfs/etc/mtab"
	once --uidmap 0:100000:5000 --gidmap 0:100000:5000 --rootfs "$T/rootfs:idmap" sh -c 'stat -c %u:%g /etc /home/user; touch /made'
	assert_equal $'0:0\n1000:1000' "$out"
	# On this side, the owner is as in the container.
	assert_equal 0:0 "$(stat -c %u:%g "$T/rootfs/made")"
}

@test "a volume's option idmap maps its owners" {
	mkdir "$T/dir"
	chown 7:7 "$T/dir"
	once --uidmap 0:100000:5000 --gidmap 0:100000:5000 -v "$T/dir:/data:idmap" "$IMAGE" sh -c 'stat -c %u:%g /data; touch /data/file'
	assert_equal 7:7 "$out"
	assert_equal 0:0 "$(stat -c %u:%g "$T/dir/file")"
}

@test "a volume's option O keeps changes to the container" {
	mkdir "$T/dir"
	echo outside >"$T/dir/file"
	once -v "$T/dir:/data:O" "$IMAGE" sh -c 'cat /data/file; echo inside >/data/file; cat /data/file'
	assert_equal $'outside\ninside' "$out"
	assert_equal outside "$(cat "$T/dir/file")"
}

@test "--mount mounts an image" {
	once --mount "type=image,source=$IMAGE,target=/image" "$IMAGE" sh -c 'cat /image/srv/volume/file; touch /image/file 2>&1 | sed "s/.*: //"'
	assert_equal $'from the image\nRead-only file system' "$out"
}

@test "--read-only-tmpfs decides about /tmp and /run" {
	# shellcheck disable=SC2016 # for the container's shell
	local script='for dir in /tmp /run /var/tmp /dev/shm; do touch $dir/file 2>/dev/null && echo $dir; done; true'
	once --read-only "$IMAGE" sh -c "$script"
	assert_equal $'/tmp\n/run\n/var/tmp\n/dev/shm' "$out"
	once --read-only --read-only-tmpfs=false "$IMAGE" sh -c "$script"
	assert_equal "" "$out"
}

@test "a secret has its owner, mode and target, or is in the environment" {
	echo -n secret >"$T/secret"
	engine_ok secret create "$NAME" "$T/secret"
	once --secret "$NAME,target=/etc/secret,uid=1000,gid=2000,mode=0440" --secret "$NAME,type=env,target=SECRET" "$IMAGE" \
		sh -c 'stat -c "%u:%g %a" /etc/secret; cat /etc/secret; echo; echo $SECRET'
	assert_equal $'1000:2000 440\nsecret\nsecret' "$out"
	engine_ok secret rm "$NAME"
}

@test "hooks of a directory run at all stages" {
	mkdir "$T/hooks"
	local stage
	for stage in prestart createRuntime createContainer poststart poststop; do
		cat >"$T/hooks/$stage.json" <<-END
			{"version": "1.0.0", "when": {"always": true}, "stages": ["$stage"],
			"hook": {"path": "/bin/sh", "args": ["sh", "-c", "jq -r .status >$T/$stage"]}}
		END
	done
	cat >"$T/hooks/startContainer.json" <<-END
		{"version": "1.0.0", "when": {"always": true}, "stages": ["startContainer"],
		"hook": {"path": "/bin/sh", "args": ["sh", "-c", "cat >/tmp/startContainer"]}}
	END
	engine_ok --hooks-dir "$T/hooks" run --rm --name "$NAME" "$IMAGE" cat /tmp/startContainer
	assert_equal created "$(jq -r .status <<<"$out")"
	assert_equal running "$(cat "$T/poststart")"
	assert_equal stopped "$(cat "$T/poststop")"
	for stage in prestart createRuntime createContainer; do
		assert_match '^creat(ed|ing)$' "$(cat "$T/$stage")"
	done
}

@test "update changes all limits of a running container" {
	needs_controllers memory cpu cpuset pids
	idle --memory 64m --memory-swap 64m
	engine_ok update --memory 96m --memory-swap 128m --memory-reservation 32m --cpu-shares 256 --cpu-quota 20000 --cpu-period 50000 \
		--cpuset-cpus 0 --pids-limit 50 "$NAME"
	knob_is 100663296 100663296 memory memory.limit_in_bytes memory.max
	knob_is 134217728 33554432 memory memory.memsw.limit_in_bytes memory.swap.max
	knob_is 33554432 33554432 memory memory.soft_limit_in_bytes memory.low
	knob_is 256 10 cpu cpu.shares cpu.weight
	knob_is 20000 '20000 50000' cpu cpu.cfs_quota_us cpu.max
	knob_is 0 0 cpuset cpuset.cpus cpuset.cpus
	knob_is 50 50 pids pids.max pids.max
}

@test "proc-opts mounts /proc with options" {
	once --security-opt proc-opts=hidepid=2 -u user "$IMAGE" sh -c 'grep " - proc " /proc/self/mountinfo | head -n 1; ls -d /proc/[0-9]*'
	assert_match 'hidepid=(2|invisible)' "$out"
}

@test "--umask, --personality, --group-entry and --tz set the process" {
	once --umask 0077 --personality LINUX32 --tz local "$IMAGE" sh -c 'umask; uname -m'
	assert_equal $'0077\ni686' "$out"
}

@test "--sdnotify container passes READY on" {
	background "$PROBE" manage "$T/manager" "$T/received"
	wait_for 5 test -S "$T/manager"
	NOTIFY_SOCKET=$T/manager engine_ok run -d --name "$NAME" --sdnotify container -v "$PROBE:/probe:ro" "$IMAGE" \
		sh -c '/probe notify READY=1; sleep 1000'
	wait_for 5 grep -q READY=1 "$T/received"
	assert_match MAINPID= "$(cat "$T/received")"
}
