# Docker of an unprivileged user: its daemon is root of a user namespace (rootlesskit).
# bats file_tags=rootless-docker
load helpers

@test "info names the user's daemon, and its cgroup driver" {
	engine_ok info --format '{{.SecurityOptions}} {{.CgroupDriver}}'
	assert_match "name=rootless.* $(cgroup_driver)\$" "$out"
}

@test "root of the user's container is the user, and others are of its ranges" {
	mkdir "$T/dir"
	once -v "$T/dir:/data" "$IMAGE" sh -c 'awk "{ print \$1, \$2, \$3 }" /proc/self/uid_map; touch /data/root; chmod 777 /data; exec su user -c "touch /data/user"'
	assert_equal $'0 1000 1\n1 100000 65536' "$out"
	assert_equal 1000 "$(stat -c %u "$T/dir/root")"
	assert_equal 100999 "$(stat -c %u "$T/dir/user")"
}

@test "a port of the user's container is published on the host" {
	engine_ok run -d --name "$NAME" -p 8080:80 "$IMAGE" nc -ll -p 80 -e echo hello
	wait_for 10 says_hello
}

says_hello() {
	[ "$(busybox nc 127.0.0.1 8080 </dev/null 2>/dev/null)" = hello ]
}

@test "a device of the host is the container's" {
	once --device /dev/fuse "$IMAGE" sh -c 'stat -c "%t:%T" /dev/fuse; : </dev/fuse && echo read'
	assert_equal $'a:e5\nread' "$out"
}

@test "the user's containers leave no mount in the namespace of the daemon" {
	once --net host "$IMAGE" true # the daemon keeps a mount of the first
	local before
	before=$(daemons_mounts)
	idle --tmpfs /scratch
	engine_ok exec "$NAME" true
	engine_ok rm -f "$NAME"
	once --net host --tmpfs /scratch "$IMAGE" true
	wait_for 5 daemon_mounts "$before" || failed "before:" "$before" "now:" "$(daemons_mounts)"
}

# daemons_mounts: the mount points of the daemon's namespace.
daemons_mounts() {
	awk '{ print $5 }' "/proc/$(cat "$docker_run/docker.pid")/mountinfo" | sort
}

daemon_mounts() {
	[ "$(daemons_mounts)" = "$1" ]
}

@test "the user's containers are in the cgroup of the daemon" {
	[ "$(cgroup_driver)" = none ] || skip "systemd makes a cgroup for each"
	idle
	assert_equal "$(cat "/proc/$(cat "$docker_run/docker.pid")/cgroup")" "$(cat "/proc/$(inspected '{{.State.Pid}}')/cgroup")"
}

@test "20 of the user's containers can run concurrently" {
	seq 20 | xargs -P 5 -I {} docker run -d --name "$NAME-{}" "$IMAGE" sleep 1000 >"$T/out" 2>"$T/err" 3>&- 4>&-
	assert_equal 20 "$(docker ps -q | wc -l)"
	docker ps -q | xargs docker rm -f >/dev/null
	assert_equal 0 "$(docker ps -aq | wc -l)"
}
