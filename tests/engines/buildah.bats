# buildah: with the isolation "oci" it starts the runtime.
# bats file_tags=new-podman
load helpers

# build OPTION...: build the image $NAME from $T/Dockerfile with berth.
build() {
	status=0
	buildah build --isolation oci --runtime "$BERTH" -t "$NAME" "$@" "$T" >"$T/out" 2>"$T/err" </dev/null 3>&- 4>&- || status=$?
	out=$(<"$T/out") err=$(<"$T/err")
}

@test "buildah build executes commands, with mounts and a user" {
	cat >"$T/Dockerfile" <<-END
		FROM $IMAGE AS first
		RUN --mount=type=cache,target=/cache echo cached >/cache/file; echo built >/result
		RUN --mount=type=cache,target=/cache cat /cache/file >>/result
		RUN --network=none ip -o link | wc -l >>/result
		FROM $IMAGE
		COPY --from=first /result /result
		USER user
		RUN --mount=type=tmpfs,target=/scratch --mount=type=bind,from=first,target=/first id -un >/tmp/user; cat /first/result >>/tmp/user
	END
	build
	succeeded build
	once "$NAME" cat /result /tmp/user
	assert_equal $'built\ncached\n1\nuser\nbuilt\ncached\n1' "$out"
	podman rmi -f "$NAME" >/dev/null
}

@test "buildah build prints the output of a command, and its exit status" {
	printf 'FROM %s\nRUN echo said; exit 7\n' "$IMAGE" >"$T/Dockerfile"
	build
	assert_equal 7 "$status"
	assert_match said "$out"
	assert_match 'exit status 7' "$err"
}

@test "buildah build sets capabilities and limits of the process" {
	printf 'FROM %s\nRUN grep CapBnd /proc/self/status >/tmp/result; ulimit -Sn >>/tmp/result; ulimit -Hn >>/tmp/result\n' "$IMAGE" >"$T/Dockerfile"
	build --cap-drop all --cap-add chown --ulimit nofile=100:200
	succeeded build
	once "$NAME" cat /tmp/result
	assert_equal $'CapBnd:\t0000000000000001\n100\n200' "$out"
	podman rmi -f "$NAME" >/dev/null
}

@test "buildah run executes commands in a working container" {
	local container
	container=$(buildah from "$IMAGE")
	run -0 buildah run --isolation oci --runtime "$BERTH" "$container" -- sh -c 'id -u; echo made >/made'
	assert_equal 0 "$output"
	run -4 buildah run --isolation oci --runtime "$BERTH" --user user "$container" -- sh -c 'cat /made; exit 4'
	assert_match ^made "$output"
	run -0 buildah run --isolation oci --runtime "$BERTH" --tty "$container" -- sh -c 'test -t 0 && test -t 1 && echo terminal'
	assert_match terminal "$output"
	buildah rm "$container" >/dev/null
}
