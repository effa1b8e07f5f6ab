# Podman, which has no daemon, configured with the lines of docs/engines.md.

start_podman() {
	configure /etc/containers/containers.conf || return
	# Root without CAP_SYS_RESOURCE, which may run the tests, cannot raise its limits to
	# Podman's default; the bed has no journal.
	mkdir /etc/containers/containers.conf.d
	cat >/etc/containers/containers.conf.d/bed.conf <<-END
		[containers]
		log_driver = "k8s-file"
		default_ulimits = ["nofile=4096:8192", "nproc=8192:8192"]
		[engine]
		cgroup_manager = "$(cgroup_driver)"
		events_logger = "file"
	END
	if ! has_controller pids; then
		sed -i '1a pids_limit = 0' /etc/containers/containers.conf.d/bed.conf
	fi
	# Podman 5 prints it for each command.
	export PODMAN_IGNORE_CGROUPSV1_WARNING=1
	podman import - "$IMAGE" <"$BATS_RUN_TMPDIR/rootfs.tar" >/dev/null 2>&1
}

first_container_podman() {
	podman run --rm "$IMAGE" true
}

remove_all_podman() {
	podman pod rm -f -a -t 0 >/dev/null
	# After a pod, Podman leaves its cgroups in the hierarchies without a known
	# controller.
	rmdir /sys/fs/cgroup/{systemd,unified}/libpod_parent/[0-9a-f]* 2>/dev/null || true
	podman rm -f -a -t 0 -v >/dev/null
	podman volume rm -f -a >/dev/null
}

# runtime_root_podman: Podman passes none: the defaults of berth and runc.
runtime_root_podman() {
	echo /run/berth /run/runc
}
