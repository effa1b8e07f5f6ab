# run: output, exit status, and the settings of the process.
# bats file_tags=docker,podman
load helpers

@test "run prints the output of the container, each stream separately" {
	once "$IMAGE" sh -c 'echo one; echo two >&2'
	assert_equal one "$out"
	assert_equal two "$err"
}

@test "run passes standard input on" {
	echo 'from outside' >"$T/in"
	STDIN=$T/in once -i "$IMAGE" cat
	assert_equal 'from outside' "$out"
}

@test "run passes a large output through completely" {
	once "$IMAGE" sh -c 'yes | head -c 1000000; echo end'
	assert_equal 1000004 "$(stat -c %s "$T/out")"
	assert_equal end "$(tail -n 1 "$T/out")"
}

@test "run passes the exit status on" {
	local code
	for code in 0 1 42 255; do
		engine run --rm --name "$NAME" "$IMAGE" sh -c "exit $code"
		assert_equal "$code" "$status"
	done
}

@test "run exits with 137 for a container that is killed" {
	# Not init, which is immune to its own signals.
	engine run --rm --init --name "$NAME" "$IMAGE" sh -c 'kill -KILL $$'
	assert_equal 137 "$status"
}

@test "run exits with 127 for a program that does not exist" {
	engine run --rm --name "$NAME" "$IMAGE" nonesuch
	assert_equal 127 "$status"
	assert_match 'executable file .*nonesuch.* not found|nonesuch.*executable file not found in \$PATH' "$err"
	engine run --rm --name "$NAME" "$IMAGE" /nonesuch
	assert_equal 127 "$status"
	assert_match 'no such file or directory' "$err"
}

@test "run exits with 126 for a program that cannot be executed" {
	local program
	for program in /srv/text /srv; do
		engine run --rm --name "$NAME" "$IMAGE" "$program"
		assert_equal 126 "$status"
		assert_match 'permission denied' "$err"
	done
}

@test "run exits with 125 for a flag that the engine refuses" {
	engine run --rm --name "$NAME" --nonesuch "$IMAGE" true
	assert_equal 125 "$status"
}

@test "run sets environment and host name" {
	once -e A=1 -e "B=two words" --hostname somewhere "$IMAGE" sh -c 'echo "$A $B"; hostname; cat /etc/hostname'
	assert_equal $'1 two words\nsomewhere\nsomewhere' "$out"
}

@test "run sets the user, by name, by number, and with groups" {
	once -u user "$IMAGE" sh -c 'id; echo $HOME'
	assert_equal $'uid=1000(user) gid=1000(user) groups=1000(user),2000(extra)\n/home/user' "$out"
	once -u 77:88 --group-add 99 "$IMAGE" sh -c 'id -u; id -G'
	assert_equal $'77\n88 99' "$out"
}

@test "run -t connects a terminal" {
	on_terminal "$ENGINE" run --rm --name "$NAME" -t "$IMAGE" sh -c 'tty; test -t 0 && test -t 1 && test -t 2 && exit 5'
	assert_equal 5 "$status"
	assert_match /dev/pts/0 "$out"
}

@test "run -it passes typed input" {
	printf 'stty -echo\necho $((6 * 7))\nexit 3\n' >"$T/in"
	STDIN=$T/in on_terminal "$ENGINE" run --rm --name "$NAME" -it "$IMAGE" sh
	assert_equal 3 "$status"
	assert_match 42 "$out"
}

@test "run -it sets the size of the terminal" {
	on_terminal sh -c "stty cols 99 rows 33; $ENGINE run --rm --name $NAME -it $IMAGE sh -c 'until stty size | grep \"33 99\"; do sleep 0.05; done'"
	assert_equal 0 "$status"
	assert_match '33 99' "$out"
}

@test "the engine's init reaps orphans with run --init" {
	once --init "$IMAGE" sh -c 'cat /proc/1/comm; (sleep 0.1 & echo $! >/tmp/pid); while [ -e "/proc/$(cat /tmp/pid)" ]; do sleep 0.1; done; echo reaped'
	assert_match '(docker|podman)-init'$'\nreaped$' "$out"
}

@test "run --rm leaves nothing" {
	once -v /anonymous "$IMAGE" true
	assert_equal "" "$("$ENGINE" ps -aq)"
	assert_equal "" "$("$ENGINE" volume ls -q)"
	# The teardown of every test checks the rest: cgroups, mounts, processes, state.
}

@test "run --rm removes a container that failed to start" {
	engine run --rm --name "$NAME" "$IMAGE" nonesuch
	assert_equal 127 "$status"
	wait_for 5 no_new_cgroup
	no_runtime_state_left
}

@test "create and start -a attach to the container" {
	engine_ok create --name "$NAME" "$IMAGE" sh -c 'echo started; exit 9'
	engine start -a "$NAME"
	assert_equal 9 "$status"
	assert_equal started "$out"
}

@test "build executes commands" {
	printf 'FROM %s\nRUN echo built >/result\n' "$IMAGE" >"$T/Dockerfile"
	# Docker's other builder contains its own runtime.
	DOCKER_BUILDKIT=0 engine_ok build -t "$NAME" "$T"
	once "$NAME" cat /result
	assert_equal built "$out"
	engine_ok rmi "$NAME"
}
