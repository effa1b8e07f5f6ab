# BuildKit, with a worker that runs berth.
# bats file_tags=buildkit
load helpers

# build FLAG...: build with the lines of standard input; the output of RUN is in $err.
build() {
	cat >"$T/lines"
	CLIENT=docker_build STDIN=$T/lines engine "$@"
}

# build_ok FLAG...: the same, and it must succeed; $out is /result of the built image.
build_ok() {
	build "$@"
	succeeded "docker buildx build"
	out=$(<"$T/result")
}

@test "RUN has the image's files, and an environment, a directory and a host name" {
	build_ok <<-'END'
		ENV A="two words"
		WORKDIR /made/by/build
		RUN cat /srv/volume/file >/result && echo "$A" >>/result && pwd >>/result && hostname >>/result
	END
	assert_equal $'from the image\ntwo words\n/made/by/build\nbuildkitsandbox' "$out"
}

@test "RUN prints both streams" {
	build_ok <<-'END'
		RUN echo said; echo complained >&2; touch /result
	END
	assert_match ' said' "$err"
	assert_match ' complained' "$err"
}

@test "a RUN that fails has its exit status in the error" {
	local code
	for code in 1 42 255; do
		build <<<"RUN exit $code"
		[ "$status" != 0 ]
		assert_match "exit code: $code\$" "$err"
	done
}

@test "a RUN of a program that does not exist fails" {
	build <<<'RUN ["/nonesuch"]'
	[ "$status" != 0 ]
	assert_match 'no such file or directory|exit code: 127' "$err"
	build <<<'RUN ["nonesuch"]'
	[ "$status" != 0 ]
	assert_match 'executable file not found|exit code: 127' "$err"
	build <<<'RUN ["/srv/text"]'
	[ "$status" != 0 ]
	assert_match 'permission denied' "$err"
}

@test "USER and SHELL set the user and the shell of RUN" {
	build_ok <<-'END'
		RUN install -d -m 777 /shared
		USER user
		RUN id >/shared/result
		USER 77:88
		SHELL ["/bin/sh", "-euc"]
		RUN id -u >>/shared/other; id -g >>/shared/other; case $- in *u*e* | *e*u*) echo strict; esac >>/shared/other
		USER root
		RUN cat /shared/* >/result
	END
	assert_equal $'77\n88\nstrict\nuid=1000(user) gid=1000(user) groups=1000(user),2000(extra)' "$out"
}

@test "a here-document of RUN is a script" {
	build_ok <<-'END'
		RUN <<EOF
		#!/bin/sh
		echo one >/result
		echo two >>/result
		EOF
	END
	assert_equal $'one\ntwo' "$out"
}

@test "RUN --network=none has loopback alone" {
	build_ok <<-'END'
		RUN --network=none ip -o link | wc -l >/result; ip -o link show lo >>/result
	END
	assert_match $'^1\n1: lo: <LOOPBACK,UP,LOWER_UP>' "$out"
}

@test "RUN --network=host has the network of the daemon" {
	build_ok --allow network.host <<-'END'
		RUN --network=host readlink /proc/self/ns/net >/result
	END
	assert_equal "$(readlink "/proc/$(buildkitd_pid)/ns/net")" "$out"
}

# buildkitd_pid: the process of the daemon.
buildkitd_pid() {
	pgrep -x buildkitd
}

@test "RUN has namespaces of its own, but for pid without the sandbox" {
	build_ok <<-'END'
		RUN --network=none for n in cgroup ipc mnt net pid uts; do readlink /proc/self/ns/$n; done >/result
	END
	assert_equal 6 "$(wc -l <<<"$out")"
	local n same=
	for n in cgroup ipc mnt net pid uts; do
		[[ $out != *"$(readlink "/proc/$(buildkitd_pid)/ns/$n")"* ]] || same+=" $n"
	done
	if [ -n "${NO_SANDBOX:-}" ]; then
		assert_match ' pid' "$same"
	fi
	refute_match 'mnt|net|uts' "$same"
	[ -n "${NO_SANDBOX:-}" ] || refute_match pid "$same"
}

@test "RUN --mount=type=cache keeps files, and locked has one user at a time" {
	build_ok <<-END
		RUN --mount=type=cache,id=$NAME,target=/cache echo cached >/cache/file
		RUN --mount=type=cache,id=$NAME,target=/cache,sharing=locked cat /cache/file >/result
		RUN [ ! -e /cache/file ]
	END
	assert_equal cached "$out"
}

@test "RUN --mount=type=tmpfs and type=bind mount" {
	echo outside >"$T/file"
	build_ok <<-'END'
		RUN --mount=type=tmpfs,target=/scratch,size=2097152 df -k /scratch | awk 'NR == 2 { print $2 }' >/result
		RUN --mount=type=bind,source=file,target=/data/file cat /data/file >>/result; touch /data/file 2>&1 | sed 's/.*: //' >>/result
		RUN --mount=type=bind,target=/data,rw echo more >/data/more && cat /data/more >>/result
	END
	assert_equal $'2048\noutside\nRead-only file system\nmore' "$out"
	[ ! -e "$T/more" ]
}

@test "RUN --mount=type=secret has the secret, with its owner and mode" {
	echo hidden >"$T/secret"
	build_ok --secret "id=one,src=$T/secret" <<-'END'
		RUN --mount=type=secret,id=one,uid=1000,mode=440 cat /run/secrets/one >/result && stat -c '%u %a' /run/secrets/one >>/result
		RUN --mount=type=secret,id=one,env=HIDDEN echo "$HIDDEN" >>/result
		RUN [ ! -s /run/secrets/one ]
	END
	assert_equal $'hidden\n1000 440\nhidden' "$out"
}

@test "RUN has a seccomp filter and few capabilities, --security=insecure has neither" {
	build_ok --allow security.insecure <<-'END'
		RUN grep -E '^(CapEff|Seccomp):' /proc/self/status >/result
		RUN --security=insecure grep -E '^(CapEff|Seccomp):' /proc/self/status >>/result; mount -t tmpfs tmpfs /srv && echo mounted >>/result
	END
	local all
	all=$(awk '$1 == "CapEff:" { print $2 }' "/proc/$(buildkitd_pid)/status")
	assert_equal $'CapEff:\t00000000a80425fb\nSeccomp:\t2\nCapEff:\t'"$all"$'\nSeccomp:\t0\nmounted' "$out"
}

@test "flags of build set limits of processes, /dev/shm and hosts" {
	build_ok --ulimit nofile=100:200 --shm-size 5m --add-host there:192.0.2.1 <<-'END'
		RUN (ulimit -Sn; ulimit -Hn; df -k /dev/shm | awk 'NR == 2 { print $2 }'; grep there /etc/hosts | tr '\t' ' ') >/result
	END
	assert_equal $'100\n200\n5120\n192.0.2.1 there' "$out"
}

@test "stages are built in parallel" {
	build_ok <<-'END'
		FROM base AS one
		RUN --mount=type=cache,id=meet,target=/meet touch /meet/one; until [ -e /meet/two ]; do sleep 0.05; done; echo one >/result
		FROM base AS two
		RUN --mount=type=cache,id=meet,target=/meet touch /meet/two; until [ -e /meet/one ]; do sleep 0.05; done; echo two >/result
		FROM base AS built
		COPY --from=one /result /one
		COPY --from=two /result /two
		RUN cat /one /two >/result; touch /result
	END
	assert_equal $'one\ntwo' "$out"
}

@test "a build that is interrupted leaves no process" {
	local more='sleep 1000 &'
	[ -z "${NO_SANDBOX:-}" ] || more= # the kernel kills the others with the pid namespace
	build_in_background "RUN trap '' TERM INT; $more echo ready; exec sleep 2000"
	wait_for 20 grep -q ' ready' "$T/log"
	pgrep -x sleep >/dev/null
	kill -INT "$background_pid"
	wait_for 20 dead "$background_pid"
	wait_for 20 no_sleep
	build_ok <<<'RUN echo more >/result'
}

# build_in_background LINE: its output is in $T/log.
build_in_background() {
	printf 'FROM base\n%s\n' "$1" >"$T/Dockerfile"
	background docker buildx build --progress plain --no-cache --build-context "base=oci-layout://$BATS_RUN_TMPDIR/oci:latest" "$T" >"$T/log" 2>&1
}

no_sleep() {
	! pgrep -f 'sleep [12]000' >/dev/null
}

@test "a background process of RUN ends with it" {
	[ -z "${NO_SANDBOX:-}" ] || skip "no pid namespace"
	build_ok <<<'RUN sleep 1000 & touch /result'
	wait_for 20 no_sleep
}

@test "RUN changes owners and modes of the image" {
	build_ok <<-'END'
		RUN mkdir -p /a/b && chown 1000:1000 /a/b && chmod 4755 /bin/busybox
		RUN stat -c '%u:%g %a' /a/b /bin/busybox >/result
	END
	assert_equal $'1000:1000 755\n0:0 4755' "$out"
}
