# Docker: a daemon, configured with the lines of docs/engines.md.

start_docker() {
	configure /etc/docker/daemon.json || return
	enable_experimental || return
	start_dockerd || return
	docker import - "$IMAGE" <"$BATS_RUN_TMPDIR/rootfs.tar" >/dev/null
}

# enable_experimental: have checkpoints, and devices by the Container Device Interface.
enable_experimental() {
	[ -n "${GENERATION:-}" ] || return 0
	local text
	text=$(jq '. + {experimental: true, features: {cdi: true}}' /etc/docker/daemon.json) &&
		echo "$text" >/etc/docker/daemon.json
}

start_dockerd() {
	dockerd --live-restore >>/var/log/dockerd 2>&1 3>&- 4>&- &
	wait_for 20 docker version >/dev/null 2>&1 && return
	tail -n 20 /var/log/dockerd >&2
	return 1
}

first_container_docker() {
	docker run --rm "$IMAGE" true && docker run --rm --net host "$IMAGE" true
}

remove_all_docker() {
	docker ps -aq | xargs -r docker rm -f -v >/dev/null
	docker volume ls -q | xargs -r docker volume rm -f >/dev/null
}

# runtime_root_docker: the state root that Docker passes to the runtime.
runtime_root_docker() {
	echo /run/docker/runtime-*/moby
}
