# Logs and error output, which engines read.
load helpers

time='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z'

@test "without --log the error goes to stderr, as a text record" {
	runtime state c
	refused 'container does not exist'
	assert_match "^time=\"$time\" level=error msg=\"(.*: )?container does not exist\"\$" "$err"
}

@test "without --log the error goes to stderr, as a JSON record" {
	runtime --log-format json state c
	assert_equal 1 "$status"
	assert_match "^\{\"level\":\"error\",\"msg\":\"(.*: )?container does not exist\",\"time\":\"$time\"\}\$" "$err"
	assert_equal 1 "$(wc -l <"$T/err")"
}

@test "with --log the record is written to the file, and the bare message to stderr" {
	runtime --log "$T/log" state c
	assert_equal 1 "$status"
	assert_match "^(.*: )?container does not exist\$" "$err"
	assert_match "^time=\"$time\" level=error msg=\"(.*: )?container does not exist\"\$" "$(cat "$T/log")"
	rm "$T/log"
	runtime --log "$T/log" --log-format json state c
	assert_equal "$(jq -r .msg "$T/log")" "$err"
	assert_match "^\{\"level\":\"error\",\"msg\":\"(.*: )?container does not exist\",\"time\":\"$time\"\}\$" "$(cat "$T/log")"
}

@test "a failure is one record" {
	# podman parses the whole file as one object.
	new_bundle
	args /nope
	runtime --log "$T/log" --log-format json create --bundle "$BUNDLE" c
	assert_equal 1 "$status"
	assert_equal 1 "$(wc -l <"$T/log")"
	assert_equal error "$(jq -r .level "$T/log")"
	assert_match 'exec:? "/nope": (stat /nope: )?no such file or directory$' "$(jq -r .msg "$T/log")"
	assert_equal "$(jq -r .msg "$T/log")" "$err"
}

@test "success writes no record" {
	new_bundle
	args echo hello
	runtime_ok --log "$T/log" --log-format json run --bundle "$BUNDLE" c
	assert_equal hello "$out"
	assert_equal "" "$err"
	assert_equal "" "$(cat "$T/log")"
}

@test "--log appends to the file" {
	echo before >"$T/log"
	runtime --log "$T/log" state one
	runtime --log "$T/log" state two
	assert_equal 3 "$(wc -l <"$T/log")"
	assert_equal before "$(head -n 1 "$T/log")"
}

@test "--log creates the file, readable by all" {
	runtime_ok --log "$T/log" features
	assert_equal 644 "$(stat -c %a "$T/log")"
}

@test "a relative log path is not relative to the bundle" {
	new_bundle
	args /nope
	runtime --log my.log create --bundle "$BUNDLE" c
	[ -s "$T/my.log" ]
	[ ! -e "$BUNDLE/my.log" ]
}

@test "berth reports a log that it cannot open" {
	runtime --log "$T/nowhere/log" features
	assert_equal 1 "$status"
	assert_match "open $T/nowhere/log: no such file or directory" "$err"
}

@test "text records quote and escape special characters" {
	new_bundle
	args 'a"b'
	runtime create --bundle "$BUNDLE" c
	assert_match 'exec:? \\"a\\\\\\"b\\": executable file not found' "$err"
	: >"$BUNDLE/config.json"
	runtime --log-format text create --bundle "$BUNDLE" c
	assert_match '^time="[^"]*" level=error msg=("([^"\\]|\\.)*"|[-A-Za-z0-9._/@^+]+)$' "$err"
}

@test "--debug adds records, and none to stdout" {
	new_bundle
	args true
	runtime_ok --debug --log "$T/log" run --bundle "$BUNDLE" c
	assert_match 'level=debug' "$(cat "$T/log")"
	assert_equal "" "$out"
}

# bats test_tags=berth
@test "--debug logs each system call when it is sent, with its step and symbolic flags" {
	new_bundle
	args true
	runtime_ok --debug --log "$T/log" --log-format json run --bundle "$BUNDLE" c
	# The call and its result are two records; the call comes first.
	jq -r 'select(.step == "open root").msg' "$T/log" >"$T/calls"
	grep -n -m 1 '^#[0-9]* openat(AT_FDCWD, .*, O_PATH|O_DIRECTORY|O_CLOEXEC, 0)$' "$T/calls" >"$T/sent"
	grep -n -m 1 '^#[0-9]* openat = [0-9]*$' "$T/calls" >"$T/returned"
	[ "$(cut -d: -f1 "$T/sent")" -lt "$(cut -d: -f1 "$T/returned")" ]
	jq -r .msg "$T/log" | grep -q 'resolve=RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS'
	jq -r .msg "$T/log" | grep -q '^#[0-9]* prctl(PR_SET_DUMPABLE, '
	assert_equal '[]' "$(jq -sc 'map(select(.level == "debug") | .ms | select(test("^[0-9]+\\.[0-9]{3}$") | not))' "$T/log")"
}

# bats test_tags=berth
@test "--debug does not log calls on paths that could not be opened" {
	new_bundle
	args true
	config '.linux.maskedPaths = ["/proc/nowhere"]'
	runtime_ok --debug --log "$T/log" run --bundle "$BUNDLE" c
	grep -q '/proc/nowhere' "$T/log"
	assert_equal "" "$(grep -E 'EBADF|\(-[0-9]' "$T/log")"
}

@test "--debug --log-format json writes valid JSON records" {
	new_bundle
	args true
	runtime_ok --debug --log "$T/log" --log-format json run --bundle "$BUNDLE" c
	assert_equal '[]' "$(jq -sc '[.[] | ["level", "msg", "time"] - keys] | add' "$T/log")"
	assert_equal '[]' "$(jq -sc 'map(.level) | unique - ["debug", "info", "warning"]' "$T/log")"
	assert_equal true "$(jq -s 'all(.time | test("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(Z|[+-]\\d\\d:\\d\\d)$"))' "$T/log")"
}

@test "the error of an unknown flag goes to stderr" {
	runtime --log "$T/log" create --nope c
	assert_equal 1 "$status"
	assert_match 'flag provided but not defined: -nope' "$err"
}

# documented_keys: the members of log records that berth(8) lists.
documented_keys() {
	sed -n '/^\.SH LOG/,/^\.SH ENV/p' "$BATS_TEST_DIRNAME/../../docs/man/berth.8" |
		sed -n '/^\.TP/{n;s/^\.BR\{0,1\} //;s/[",]//g;p}' | tr ' ' '\n' | sed '/^$/d' | sort
}

# bats test_tags=berth
@test "every member of a JSON record is documented, and is a string" {
	new_bundle
	args true
	runtime_ok --debug --log "$T/log" --log-format json run --bundle "$BUNDLE" c
	runtime --debug --log "$T/log" --log-format json state none
	assert_equal true "$(jq -s 'all(.[]; all(.[]; type == "string"))' "$T/log")"
	assert_equal "" "$(comm -23 <(jq -r 'keys[]' "$T/log" | sort -u) <(documented_keys))"
	assert_equal "" "$(comm -23 <(printf '%s\n' for level ms msg name side step time took) <(jq -r 'keys[]' "$T/log" | sort -u))"
	assert_equal 13 "$(documented_keys | wc -l)"
}
