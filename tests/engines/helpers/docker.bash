# Docker: a daemon, configured with the lines of docs/engines.md. With $ROOTLESS, an unprivileged
# user runs it; root is its client.

if [ -n "${ROOTLESS:=}" ]; then
	docker_config=/home/tester/.config/docker
	docker_run=/run/user/1000
	docker_log=/home/tester/dockerd.log
	export DOCKER_HOST=unix://$docker_run/docker.sock
	umask 0 # the user's containers have no other right to the tests' files
else
	docker_config=/etc/docker
	docker_run=/run
	docker_log=/var/log/dockerd
fi

start_docker() {
	if [ -n "$ROOTLESS" ]; then
		start_user || return
		as_user mkdir -p "$docker_config" || return
		chmod a+x "$BATS_RUN_TMPDIR"
		mkdir -p /etc/cdi # the daemon sees it only if it exists
	fi
	documented /etc/docker/daemon.json >"$docker_config/daemon.json" || return
	enable_experimental || return
	start_dockerd || return
	docker import - "$IMAGE" <"$BATS_RUN_TMPDIR/rootfs.tar" >/dev/null
}

# enable_experimental: have checkpoints, and devices by the Container Device Interface.
enable_experimental() {
	[ -n "${GENERATION:-}" ] || return 0
	local text
	text=$(jq '. + {experimental: true, features: {cdi: true}}' "$docker_config/daemon.json") &&
		echo "$text" >"$docker_config/daemon.json"
}

start_dockerd() {
	local command=(dockerd --live-restore)
	[ -z "$ROOTLESS" ] || rootless_command
	# No function: its shell would hold the pipes of bats open.
	"${command[@]}" >>"$docker_log" 2>&1 3>&- 4>&- &
	wait_for 20 docker version >/dev/null 2>&1 && return
	tail -n 20 "$docker_log" >&2
	return 1
}

# rootless_command: set the command that starts the user's daemon, in a service of the
# user's systemd if there is one.
rootless_command() {
	command=("${as_user[@]}")
	[ "$(cgroup_driver)" != systemd ] ||
		command+=(systemd-run --user --quiet --collect --pipe --unit docker --property Delegate=yes --property KillMode=mixed
			--setenv "PATH=$PATH")
	command+=(/usr/share/docker.io/contrib/dockerd-rootless.sh)
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
	echo "$docker_run"/docker/runtime-*/moby
}
