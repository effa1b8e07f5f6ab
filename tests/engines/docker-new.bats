# Features of newer Dockers.
# bats file_tags=new-docker
load helpers

@test "build with BuildKit executes commands" {
	# BuildKit ignores the configuration, and executes "runc".
	mount --bind "$BERTH" /usr/sbin/runc
	cat >"$T/Dockerfile" <<-END
		FROM $IMAGE AS first
		RUN --mount=type=cache,target=/cache --mount=type=tmpfs,target=/scratch echo cached >/cache/file && grep -q ' /scratch ' /proc/mounts && echo built >/result
		RUN --mount=type=cache,target=/cache cat /cache/file >>/result
		RUN --network=none ip -o link | wc -l >>/result
		FROM $IMAGE
		COPY --from=first /result /result
		USER user
		RUN --mount=type=bind,from=first,target=/first id -un >/tmp/user && cat /first/result >>/tmp/user
	END
	DOCKER_BUILDKIT=1 engine build -t "$NAME" "$T"
	umount /usr/sbin/runc
	succeeded build
	once "$NAME" cat /result /tmp/user
	assert_equal $'built\ncached\n1\nuser\nbuilt\ncached\n1' "$out"
	engine_ok rmi "$NAME"
	engine_ok builder prune -af
	remove_buildkit
}

# remove_buildkit: remove the cgroup that BuildKit makes for those of its containers, and
# keeps.
remove_buildkit() {
	find /sys/fs/cgroup -depth -path '*/docker/buildkit*' -type d -exec rmdir {} \;
}

@test "build with BuildKit prints the error of a command" {
	mount --bind "$BERTH" /usr/sbin/runc
	printf 'FROM %s\nRUN echo said; exit 7\n' "$IMAGE" >"$T/Dockerfile"
	DOCKER_BUILDKIT=1 engine build -t "$NAME" "$T"
	umount /usr/sbin/runc
	[ "$status" != 0 ]
	assert_match 'exit code: 7' "$err"
	assert_match 'said' "$err"
	engine_ok builder prune -af
	remove_buildkit
}

@test "the health check restarts nothing, but reports a failure and a recovery" {
	idle --health-cmd 'test -e /tmp/healthy' --health-interval 1s --health-retries 1 --health-start-period 30s --health-start-interval 100ms
	inspect_is '{{.State.Health.Status}}' starting
	engine_ok exec "$NAME" touch /tmp/healthy
	wait_for 10 inspect_is '{{.State.Health.Status}}' healthy
	engine_ok exec "$NAME" rm /tmp/healthy
	wait_for 10 inspect_is '{{.State.Health.Status}}' unhealthy
	inspect_is '{{.State.Running}}' true
}

@test "the restart policy unless-stopped leaves a stopped container" {
	idle --restart unless-stopped
	engine_ok stop -t 5 "$NAME"
	restart_dockerd
	inspect_is '{{.State.Running}}' false
}

@test "a container restarts in the restarted daemon" {
	idle --restart always
	local pid
	pid=$(inspected '{{.State.Pid}}')
	restart_dockerd
	# The containers of a user's daemon have ended with it.
	[ -n "$ROOTLESS" ] || kill -KILL "$pid"
	wait_for 20 restarted "$pid"
}

restarted() {
	inspect_is '{{.State.Running}}' true && ! inspect_is '{{.State.Pid}}' "$1"
}

restart_dockerd() {
	local pid
	pid=$(cat "$docker_run/docker.pid")
	kill -TERM "$pid"
	wait_for 20 dead "$pid"
	wait_for 20 no_rootlesskit
	rm -f "$docker_run/docker.pid"
	start_dockerd
}

# no_rootlesskit: the parent of a user's daemon has ended too.
no_rootlesskit() {
	! pgrep -x rootlesskit >/dev/null && {
		[ "$(cgroup_driver)" != systemd ] || [ -z "$(as_user systemctl --user list-units --all --no-legend docker.service)" ]
	}
}

@test "a mount can be read-only with all mounts below it, or not" {
	mkdir -p "$T/dir/below"
	mount -t tmpfs tmpfs "$T/dir/below"
	# shellcheck disable=SC2016 # for the container's shell
	local script='for dir in /data /data/below; do touch $dir/file 2>/dev/null && echo $dir; done; true'
	once --mount "type=bind,source=$T/dir,target=/data,readonly" "$IMAGE" sh -c "$script"
	assert_equal "" "$out"
	once --mount "type=bind,source=$T/dir,target=/data,readonly,bind-recursive=writable" "$IMAGE" sh -c "$script"
	assert_equal /data/below "$out"
	once --mount "type=bind,source=$T/dir,target=/data,readonly,bind-recursive=readonly,bind-propagation=rprivate" "$IMAGE" sh -c "$script"
	assert_equal "" "$out"
	umount "$T/dir/below"
}

@test "--mount mounts a directory of a volume" {
	engine_ok volume create "$NAME"
	once -v "$NAME:/data" "$IMAGE" sh -c 'mkdir /data/below; echo below >/data/below/file'
	once --mount "type=volume,source=$NAME,target=/data,volume-subpath=below" "$IMAGE" cat /data/file
	assert_equal below "$out"
}

@test "--annotation and --cgroupns set the container" {
	once --annotation org.example=1 --cgroupns private "$IMAGE" readlink /proc/self/ns/cgroup
	refute_match "$(readlink /proc/self/ns/cgroup)" "$out"
	once --cgroupns host "$IMAGE" readlink /proc/self/ns/cgroup
	assert_equal "$(readlink /proc/self/ns/cgroup)" "$out"
}

@test "the daemon runs containers with the image store of containerd" {
	needs_root "one daemon for each user"
	mkdir "$T/run"
	jq --arg dir "$T" '. + {features: (.features + {"containerd-snapshotter": true}), bridge: "none", iptables: false, ip6tables: false,
		"data-root": ($dir + "/data"), "exec-root": ($dir + "/run"), pidfile: ($dir + "/pid"), hosts: ["unix://" + $dir + "/socket"]}' \
		/etc/docker/daemon.json >"$T/daemon.json"
	# Without a bridge, it would remove the other daemon's.
	background unshare --net dockerd --config-file "$T/daemon.json" >"$T/log" 2>&1
	local -x DOCKER_HOST=unix://$T/socket
	wait_for 20 docker version >/dev/null 2>&1 || failed "$(tail "$T/log")"
	docker import - "$IMAGE" <"$BATS_RUN_TMPDIR/rootfs.tar" >/dev/null
	assert_match 'io.containerd.snapshotter' "$(docker info --format '{{.DriverStatus}}')"
	once --network none "$IMAGE" sh -c 'cat /srv/volume/file; echo more >/file; cat /file'
	assert_equal $'from the image\nmore' "$out"
	engine_ok run -d --network none --name "$NAME" "$IMAGE" sleep 1000
	engine_ok exec "$NAME" id -u
	assert_equal 0 "$out"
	docker rm -f "$NAME"
	docker rmi -f "$IMAGE"
	kill -TERM "$background_pid"
	wait_for 20 dead "$background_pid"
}
