# Podman of an unprivileged user, with ranges in /etc/subuid: without a cgroup of its own,
# or with the user's systemd.
# bats file_tags=new-podman
load helpers

# podman_of_user ARG...
podman_of_user() {
	as_user podman "$@"
}

setup_file() {
	start_user
	podman_of_user import - "$IMAGE" <"$BATS_RUN_TMPDIR/rootfs.tar" >/dev/null 2>&1
	podman_of_user run --rm "$IMAGE" true
	end_pause
}

teardown_file() {
	end_user
}

# end_pause: end the process that keeps the user namespace of the user's containers.
end_pause() {
	podman_of_user system migrate
}

# This replaces the teardown of root's containers.
teardown() {
	stop_background
	podman_of_user pod rm -f -a -t 0 >/dev/null
	podman_of_user rm -f -a -t 0 -v >/dev/null
	end_pause
	local trace=0
	wait_for 2 no_state_of_user || trace=1
	no_process_left || trace=1
	no_cgroup_left || trace=1
	no_new_mount || trace=1
	return "$trace"
}

no_state_of_user() {
	[ -z "$(find /run/user/1000/berth /run/user/1000/runc -mindepth 1 2>/dev/null)" ]
}

# user ARG...: run the user's podman, like engine_ok.
user() {
	CLIENT=podman_of_user engine_ok "$@"
}

user_once() {
	user run --rm --name "$NAME" "$@"
}

@test "a user's run passes output and exit status on" {
	user_once "$IMAGE" sh -c 'echo one; echo two >&2'
	assert_equal one "$out"
	assert_equal two "$err"
	CLIENT=podman_of_user engine run --rm "$IMAGE" sh -c 'exit 42'
	assert_equal 42 "$status"
	CLIENT=podman_of_user engine run --rm "$IMAGE" nonesuch
	assert_equal 127 "$status"
}

@test "the user is root of the container, or itself with --userns keep-id, or absent with nomap" {
	# shellcheck disable=SC2016 # for the container's shell
	local script='id -u; awk "{ print \$1, \$2, \$3 }" /proc/self/uid_map; stat -c %u /data'
	install -d -o tester "$T/dir"
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$T"
	user_once -v "$T/dir:/data" "$IMAGE" sh -c "$script"
	assert_equal $'0\n0 1000 1\n1 100000 65536\n0' "$out"
	user_once -v "$T/dir:/data" --userns keep-id "$IMAGE" sh -c "$script; touch /data/file"
	assert_equal 1000 "$(head -n 1 "$T/out")"
	assert_equal 1000 "$(tail -n 1 "$T/out")"
	assert_equal 1000 "$(stat -c %u "$T/dir/file")"
	user_once -v "$T/dir:/data" --userns nomap "$IMAGE" sh -c "$script"
	assert_equal 65534 "$(tail -n 1 "$T/out")"
}

@test "a user's container has network by pasta, with a published port" {
	user run -d --name "$NAME" -p 8080:80 "$IMAGE" nc -ll -p 80 -e echo hello
	wait_for 10 says_hello
}

says_hello() {
	[ "$(busybox nc 127.0.0.1 8080 </dev/null 2>/dev/null)" = hello ]
}

@test "a user's containers can be executed in, paused, stopped, restarted and killed" {
	user run -d --name "$NAME" "$IMAGE" sh -c 'trap "exit 4" TERM; while :; do sleep 0.1; done'
	user exec -u user "$NAME" id -u
	assert_equal 1000 "$out"
	user restart -t 5 "$NAME"
	user stop -t 10 "$NAME"
	assert_equal 4 "$(podman_of_user inspect --format '{{.State.ExitCode}}' "$NAME")"
	user start "$NAME"
	user kill "$NAME"
	user wait "$NAME"
	assert_equal 137 "$out"
}

@test "a user's pod shares network and host name" {
	user pod create --name "$NAME-pod"
	user run -d --pod "$NAME-pod" "$IMAGE" nc -ll -p 8080 -e echo hello
	user run --rm --pod "$NAME-pod" "$IMAGE" sh -c 'until nc 127.0.0.1 8080; do sleep 0.1; done </dev/null 2>/dev/null; hostname'
	assert_equal "hello"$'\n'"$NAME-pod" "$out"
}

@test "a user's container has the seccomp profile, capabilities and limits of processes" {
	user_once --ulimit nofile=100:200 --cap-drop all --cap-add chown --security-opt no-new-privileges "$IMAGE" \
		sh -c 'grep -E "^(CapBnd|NoNewPrivs|Seccomp):" /proc/self/status; ulimit -Sn; ulimit -Hn'
	assert_equal $'CapBnd:\t0000000000000001\nNoNewPrivs:\t1\nSeccomp:\t2\n100\n200' "$out"
	user_once --privileged "$IMAGE" sh -c 'grep ^Seccomp: /proc/self/status; mount -t tmpfs tmpfs /srv && echo mounted'
	assert_equal $'Seccomp:\t0\nmounted' "$out"
}

@test "a user's build executes commands" {
	printf 'FROM %s\nRUN id -u >/tmp/result\nUSER user\nRUN id -u >/tmp/second\n' "$IMAGE" >"$T/Dockerfile"
	STDIN=$T/Dockerfile user build --isolation oci -t "$NAME" -f -
	user_once "$NAME" cat /tmp/result /tmp/second
	assert_equal $'0\n1000' "$out"
	user rmi -f "$NAME"
}

@test "a user's container can have a terminal" {
	on_terminal "${as_user[@]}" podman run --rm -t "$IMAGE" sh -c 'tty; exit 5'
	assert_equal 5 "$status"
	assert_match /dev/pts/0 "$out"
}
