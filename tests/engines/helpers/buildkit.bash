# BuildKit: a daemon, configured with the lines of docs/engines.md. With $ROOTLESS, an
# unprivileged user runs it; with $NO_SANDBOX also without pid namespaces. Its client is buildx.

if [ "$ENGINE" = buildkit ]; then
	buildkit_bin=$BATS_TEST_DIRNAME/../../.cache/buildkit
	buildkit_run=/run
	[ -z "${ROOTLESS:-}" ] || buildkit_run=/run/user/1000
	buildkit_address=unix://$buildkit_run/buildkit/buildkitd.sock
fi

start_buildkit() {
	local config=/etc/buildkit/buildkitd.toml command=() log=/var/log/buildkitd
	if [ -n "${ROOTLESS:-}" ]; then
		start_user || return
		config=/home/tester/.config/buildkit/buildkitd.toml log=/home/tester/buildkitd.log
		as_user mkdir -p "${config%/*}" || return
		command=("${as_user[@]}" rootlesskit --net=slirp4netns --copy-up=/etc --disable-host-loopback)
	fi
	mkdir -p "${config%/*}"
	documented /etc/buildkit/buildkitd.toml >"$config" || return
	command+=("$buildkit_bin/buildkitd" --config "$config" --addr "$buildkit_address" ${NO_SANDBOX:+--oci-worker-no-process-sandbox}
		--allow-insecure-entitlement network.host --allow-insecure-entitlement security.insecure)
	"${command[@]}" >"$log" 2>&1 3>&- 4>&- &
	if ! wait_for 20 "$buildkit_bin/buildctl" --addr "$buildkit_address" debug workers >/dev/null 2>&1; then
		tail -n 20 "$log" >&2
		return 1
	fi
	docker buildx create --name bed --use --driver remote "$buildkit_address" >/dev/null || return
	oci_archive "$BATS_RUN_TMPDIR/rootfs.tar" "$BATS_RUN_TMPDIR/oci.tar" latest '{}' || return
	mkdir "$BATS_RUN_TMPDIR/oci" && tar -C "$BATS_RUN_TMPDIR/oci" -xf "$BATS_RUN_TMPDIR/oci.tar"
}

first_container_buildkit() {
	echo 'RUN true' | docker_build "$@" >/dev/null 2>&1
}

remove_all_buildkit() {
	:
}

# runtime_root_buildkit: BuildKit passes none: the defaults of berth and runc.
runtime_root_buildkit() {
	echo "$buildkit_run/berth" "$buildkit_run/runc"
}

# docker_build FLAG...: build an image of the lines of standard input, on the base. Its file
# /result is then $T/result.
docker_build() {
	local context=${T:-$BATS_RUN_TMPDIR/context}
	mkdir -p "$context"
	{
		printf 'FROM base AS built\n'
		cat
		printf '\nFROM scratch\nCOPY --from=built /resul[t] /\n'
	} >"$context/Dockerfile"
	docker buildx build --progress plain --no-cache --build-context "base=oci-layout://$BATS_RUN_TMPDIR/oci:latest" \
		--output "type=local,dest=$context" "$@" "$context"
}
