# Assertions: each prints the values and fails the test.

# failed LINE...: explain a failure.
failed() {
	printf '%s\n' "$@" >&2
	return 1
}

# succeeded WHAT: the last runtime exited with 0.
succeeded() {
	[ "$status" = 0 ] || failed "$1: exit status $status" "stdout: $out" "stderr: $err"
}

# refused REGEX: the last runtime exited with 1 and one line of error that matches.
refused() {
	[ "$status" = 1 ] || failed "want exit status 1, got $status" "stdout: $out" "stderr: $err"
	[ "$(wc -l <"$T/err")" = 1 ] || failed "want one line of error, got: $err"
	assert_match "$1" "$msg"
}

# assert_equal WANT GOT
assert_equal() {
	[ "$1" = "$2" ] || failed "want: $1" "got:  $2"
}

# assert_match REGEX TEXT: the extended regular expression matches a part of the text.
assert_match() {
	[[ $2 =~ $1 ]] || failed "want a match of: $1" "got: $2"
}

# refute_match REGEX TEXT
refute_match() {
	[[ ! $2 =~ $1 ]] || failed "want no match of: $1" "got: $2"
}

# assert_lines WANT GOT: the same lines, in any order.
assert_lines() {
	assert_equal "$(sort <<<"$1")" "$(sort <<<"$2")"
}
