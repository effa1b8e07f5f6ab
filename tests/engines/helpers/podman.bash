# Podman, which has no daemon, with what docs/engines.md says in its
# configuration.

start_podman() {
	configure /etc/containers/containers.conf || return
	# Limits higher than its own are not for a root without CAP_SYS_RESOURCE,
	# which the tests may be run by; systemd and its journal are not in the bed.
	mkdir /etc/containers/containers.conf.d
	cat >/etc/containers/containers.conf.d/bed.conf <<-END
		[containers]
		default_ulimits = ["nofile=4096:8192", "nproc=8192:8192"]
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
	END
	podman import - "$IMAGE" <"$BATS_RUN_TMPDIR/rootfs.tar" >/dev/null 2>&1
}

first_container_podman() {
	podman run --rm "$IMAGE" true
}

remove_all_podman() {
	podman pod rm -f -a -t 0 >/dev/null
	# Of a pod, Podman leaves the cgroups in those hierarchies that it knows
	# no controller of.
	rmdir /sys/fs/cgroup/{systemd,unified}/libpod_parent/[0-9a-f]* 2>/dev/null || true
	podman rm -f -a -t 0 -v >/dev/null
	podman volume rm -f -a >/dev/null
}

# runtime_root_podman: Podman tells of none; berth's and runc's defaults.
runtime_root_podman() {
	echo /run/berth /run/runc
}
