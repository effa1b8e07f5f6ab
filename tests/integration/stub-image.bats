# Where the kernel does not execute memory files, the stub is a file in the container's
# state directory.
# bats file_tags=berth
load helpers

# no_memfd_sh SCRIPT: run a script, with the start of a runtime command as arguments, in
# a pid namespace where vm.memfd_noexec (Linux 6.3, per pid namespace) forbids executing
# memory files.
no_memfd_sh() {
	export BUNDLE
	unshare --pid --fork --mount --mount-proc sh -c "echo 2 >/proc/sys/vm/memfd_noexec || exit 77
		$1" - "$RUNTIME" --root "$ROOT" </dev/null >"$T/out" 2>"$T/err" 3>&-
}

# no_memfd ARG...: run one command of the runtime there.
no_memfd() {
	no_memfd_sh "\"\$@\" $(printf '%q ' "$@")"
}

@test "a container runs where memory files cannot be executed" {
	[ -e /proc/sys/vm/memfd_noexec ] || skip "needs vm.memfd_noexec (Linux 6.3)"
	new_bundle
	script 'echo from inside'
	no_memfd run --bundle "$BUNDLE" c || failed "exit status $?: $(cat "$T/err")"
	assert_equal "from inside" "$(cat "$T/out")"
}

@test "the stub is an unlinked file in the container where memory files cannot be executed" {
	[ -e /proc/sys/vm/memfd_noexec ] || skip "needs vm.memfd_noexec (Linux 6.3)"
	new_bundle
	args sleep 1000
	# shellcheck disable=SC2016 # for the inner shell
	no_memfd_sh '"$@" create --bundle "$BUNDLE" --pid-file "$BUNDLE/pid" c && readlink /proc/$(cat "$BUNDLE/pid")/exe &&
		stat -L -c %a /proc/$(cat "$BUNDLE/pid")/exe; "$@" delete --force c' || failed "exit status $?: $(cat "$T/err")"
	assert_match "^$ROOT/c/.* \(deleted\)"$'\n500$' "$(cat "$T/out")"
}

@test "exec works where memory files cannot be executed" {
	[ -e /proc/sys/vm/memfd_noexec ] || skip "needs vm.memfd_noexec (Linux 6.3)"
	new_bundle
	args sleep 1000
	# shellcheck disable=SC2016 # for the inner shell
	no_memfd_sh '"$@" run -d --bundle "$BUNDLE" c && "$@" exec c echo once && "$@" exec c echo twice; "$@" delete --force c'
	assert_equal $'once\ntwice' "$(cat "$T/out")"
}
