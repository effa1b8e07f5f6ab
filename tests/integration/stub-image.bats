# Where the kernel does not execute memory files, the stub is a file of the
# container's state.
# bats file_tags=berth
load helpers

# no_memfd ARG...: the runtime in a pid namespace in which vm.memfd_noexec,
# which is per pid namespace (Linux 6.3), forbids it.
no_memfd() {
	unshare --pid --fork --mount --mount-proc sh -c '
		echo 2 >/proc/sys/vm/memfd_noexec || exit 77
		exec "$@"' - "$RUNTIME" --root "$ROOT" "$@" </dev/null >"$T/out" 2>"$T/err" 3>&-
}

@test "a container runs where memory files cannot be executed" {
	[ -e /proc/sys/vm/memfd_noexec ] || skip "needs vm.memfd_noexec (Linux 6.3)"
	new_bundle
	script 'echo from inside'
	no_memfd run --bundle "$BUNDLE" c || failed "exit status $?: $(cat "$T/err")"
	assert_equal "from inside" "$(cat "$T/out")"
}

@test "the stub is in the container's own state then" {
	[ -e /proc/sys/vm/memfd_noexec ] || skip "needs vm.memfd_noexec (Linux 6.3)"
	new_bundle
	args sleep 1000
	no_memfd create --bundle "$BUNDLE" c || failed "exit status $?: $(cat "$T/err")"
	assert_equal 500 "$(stat -c %a "$ROOT/c/stub")"
	rt_ok delete --force c
}
