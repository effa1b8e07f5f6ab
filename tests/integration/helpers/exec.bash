# Executing processes in the container c of $BUNDLE.

# exec_in ARG...: exec in the container c, which the first call starts.
exec_in() {
	[ -d "$ROOT/c" ] || runtime_ok run -d --bundle "$BUNDLE" c
	runtime exec "$@"
}

# exec_in_ok ARG...: the same, and it must succeed.
exec_in_ok() {
	exec_in "$@"
	succeeded "exec $*"
}

# exec_refused REGEX: the last exec_in exited with 255 and one line of error that matches.
exec_refused() {
	assert_equal 255 "$status"
	assert_equal 1 "$(wc -l <"$T/err")"
	assert_match "$1" "$msg"
}
