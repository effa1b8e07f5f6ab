# Features that only Podman uses of a runtime: pods above all.
# bats file_tags=podman
load helpers

@test "run maps IDs in a user namespace" {
	once --uidmap 0:100000:5000 --gidmap 0:200000:5000 "$IMAGE" sh -c 'id -u; cat /proc/self/uid_map /proc/self/gid_map; stat -c %u:%g /etc; mkdir /dir'
	assert_equal $'0 0 100000 5000 0 200000 5000 0:0' "$(tr -s ' \n' ' ' <"$T/out" | sed 's/ $//')"
}

# pod OPTION...: make the test's pod.
pod() {
	engine_ok pod create --name "$NAME-pod" "$@"
}

# in_pod NAME COMMAND...: run a container in it, detached.
in_pod() {
	engine_ok run -d --name "$1" --pod "$NAME-pod" "$IMAGE" "${@:2}"
}

@test "the containers of a pod share network, IPC and host name" {
	pod
	in_pod "$NAME-a" sleep 1000
	in_pod "$NAME-b" sleep 1000
	local n links='for n in ipc net uts mnt pid; do readlink /proc/self/ns/$n; done'
	engine_ok exec "$NAME-a" sh -c "$links"
	cp "$T/out" "$T/a"
	engine_ok exec "$NAME-b" sh -c "$links"
	cmp <(head -n 3 "$T/a") <(head -n 3 "$T/out")
	[ "$(tail -n 2 "$T/a")" != "$(tail -n 2 "$T/out")" ]
	engine_ok exec "$NAME-a" hostname
	assert_equal "$NAME-pod" "$out"
}

@test "the containers of a pod connect on the loopback" {
	pod
	in_pod "$NAME-a" nc -ll -p 8080 -e echo hello
	engine_ok run --rm --pod "$NAME-pod" "$IMAGE" sh -c 'until nc 127.0.0.1 8080; do sleep 0.1; done </dev/null 2>/dev/null'
	assert_equal hello "$out"
}

@test "the containers of a pod can share a pid namespace" {
	pod --share pid,net
	in_pod "$NAME-a" sleep 1000
	engine_ok run --rm --pod "$NAME-pod" "$IMAGE" ps -o args
	assert_match 'sleep 1000' "$out"
	engine_ok rm -f -t 0 "$NAME-a"
	engine_ok run --rm --pod "$NAME-pod" "$IMAGE" ps -o args
	refute_match 'sleep 1000' "$out"
}

@test "pod commands pause, stop, start and remove all containers" {
	pod
	in_pod "$NAME-a" sh -c 'trap exit TERM; while :; do sleep 0.1; done'
	in_pod "$NAME-b" sh -c 'trap exit TERM; while :; do sleep 0.1; done'
	engine_ok pod pause "$NAME-pod"
	assert_equal $'Paused' "$(podman pod inspect --format '{{.State}}' "$NAME-pod")"
	engine_ok pod unpause "$NAME-pod"
	engine_ok pod stop -t 10 "$NAME-pod"
	assert_equal Exited "$(podman pod inspect --format '{{.State}}' "$NAME-pod")"
	engine_ok pod start "$NAME-pod"
	assert_equal Running "$(podman pod inspect --format '{{.State}}' "$NAME-pod")"
	engine_ok pod rm -f -t 0 "$NAME-pod"
	assert_equal "" "$(podman ps -aq)"
}

@test "run accepts a root directory instead of an image" {
	once --rootfs "$BATS_RUN_TMPDIR/rootfs" cat /srv/volume/file
	assert_equal 'from the image' "$out"
}

@test "a health check runs" {
	idle --health-cmd 'test -e /tmp/healthy'
	engine healthcheck run "$NAME"
	assert_equal 1 "$status"
	engine_ok exec "$NAME" touch /tmp/healthy
	engine_ok healthcheck run "$NAME"
}

@test "run passes descriptors on" {
	echo content >"$T/file"
	exec 5<"$T/file"
	status=0
	podman run --rm --preserve-fds 3 "$IMAGE" cat /proc/self/fd/5 >"$T/out" 2>"$T/err" 3</dev/null 4</dev/null || status=$?
	exec 5<&-
	out=$(<"$T/out") err=$(<"$T/err")
	succeeded run
	assert_equal content "$out"
}

@test "a secret is a file of the container" {
	echo secret >"$T/secret"
	engine_ok secret create "$NAME" "$T/secret"
	once --secret "$NAME" "$IMAGE" cat "/run/secrets/$NAME"
	assert_equal secret "$out"
	engine_ok secret rm "$NAME"
}

@test "run masks and unmasks paths" {
	once --security-opt mask=/etc/passwd --security-opt unmask=/proc/keys "$IMAGE" sh -c 'wc -c </etc/passwd; wc -l </proc/keys'
	assert_match $'^0\n[1-9]' "$out"
}

@test "info and inspect name berth" {
	engine_ok info --format '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}}'
	assert_equal 'berth /usr/local/sbin/berth' "$out"
	idle
	inspect_is '{{.OCIRuntime}}' berth
}
