# Executing processes in the container c of $BUNDLE.

# ex ARG...: exec in the container c, which the first call starts.
ex() {
	[ -d "$ROOT/c" ] || rt_ok run -d --bundle "$BUNDLE" c
	rt exec "$@"
}

# ex_ok ARG...: the same, and it must succeed.
ex_ok() {
	ex "$@"
	succeeded "exec $*"
}

# exec_refused REGEX: the last ex exited with 255 and one line of error that matches.
exec_refused() {
	assert_equal 255 "$status"
	assert_equal 1 "$(wc -l <"$T/err")"
	assert_match "$1" "$msg"
}
