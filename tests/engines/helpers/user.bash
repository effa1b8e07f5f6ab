# An unprivileged user, uid 1000, with ranges in /etc/subuid: without a cgroup of its own,
# or with systemd for the user.

# start_user: make the user's home and runtime directory.
start_user() {
	# The bed's own root is an overlay, on which there can be no other.
	mount -t tmpfs -o mode=700,uid=1000,gid=1000 tmpfs /home/tester
	if [ "$(cgroup_driver)" = systemd ]; then
		systemctl start user@1000.service
	else
		install -d -o tester -g tester -m 700 /run/user/1000
	fi
}

# end_user: remove them.
end_user() {
	[ "$(cgroup_driver)" != systemd ] || systemctl stop user@1000.service
	umount /home/tester
}

# as_user COMMAND...: run it as the user.
as_user() {
	"${as_user[@]}" "$@"
}

as_user=(setpriv --reuid 1000 --regid 1000 --init-groups env -i --chdir /home/tester "PATH=$PATH" HOME=/home/tester USER=tester
	XDG_RUNTIME_DIR=/run/user/1000 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus PODMAN_IGNORE_CGROUPSV1_WARNING=1)
