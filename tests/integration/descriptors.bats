# Descriptors that are passed on to the program: socket activation
# (sd_listen_fds(3)) and --preserve-fds.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	echo three >"$T/three"
	echo four >"$T/four"
	echo five >"$T/five"
}

# shellcheck disable=SC2016 # for the program
list='for fd in /proc/self/fd/*; do [ -e $fd ] && echo ${fd##*/}; done; for fd in 3 4 5; do cat <&$fd; done 2>/dev/null; env | grep ^LISTEN'

# with_files ARG...: run the runtime with descriptors 3, 4 and 5.
with_files() {
	status=0
	"$RUNTIME" --root "$ROOT" "$@" </dev/null >"$T/out" 2>"$T/err" 3<"$T/three" 4<"$T/four" 5<"$T/five" || status=$?
	read_output
}

# activated FDS [ARG...]: run the runtime with descriptors 3, 4 and 5, and
# LISTEN_FDS=FDS for it.
activated() {
	local fds=$1
	shift
	status=0
	# shellcheck disable=SC2016 # for the inner shell
	LISTEN_FDS=$fds LISTEN_FDNAMES=a:b bash -c 'export LISTEN_PID=$$; exec "$@"' bash \
		"$RUNTIME" --root "$ROOT" "$@" </dev/null >"$T/out" 2>"$T/err" 3<"$T/three" 4<"$T/four" 5<"$T/five" || status=$?
	read_output
}

@test "the program has no descriptor of the caller unless a flag asks for it" {
	script "$list"
	with_files run --bundle "$BUNDLE" c
	assert_equal $'0\n1\n2' "$out"
}

@test "--preserve-fds passes that many descriptors on, and closes the others" {
	script "$list; true"
	with_files run --preserve-fds 2 --bundle "$BUNDLE" c
	succeeded run
	assert_match $'three\nfour$' "$out"
	refute_match 'five|LISTEN' "$out"
}

@test "--preserve-fds works with create and start" {
	script 'cat <&3 >&4'
	touch "$T/to"
	status=0
	"$RUNTIME" --root "$ROOT" create --preserve-fds 2 --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err" 3<"$T/three" 4>"$T/to" || status=$?
	read_output
	succeeded create
	runtime_ok start c
	wait_for 5 has_line "$T/to" three
}

@test "--preserve-fds refuses a closed descriptor" {
	args true
	with_files create --preserve-fds 30 --bundle "$BUNDLE" c
	assert_equal 1 "$status"
	assert_match 'preserve' "$msg"
	[ ! -e "$ROOT/c" ] || failed "a container was made"
}

# bats test_tags=berth
@test "--preserve-fds refuses a negative number" {
	args true
	runtime create --preserve-fds -1 --bundle "$BUNDLE" c
	refused 'preserve -1 descriptors: want 0 or more'
}

# bats test_tags=berth
@test "--preserve-fds refuses a descriptor of the runtime's own" {
	args true
	runtime --log "$T/log" create --preserve-fds 1 --bundle "$BUNDLE" c
	assert_equal 1 "$status"
	assert_match 'preserve 1 descriptors from 3 on: descriptor 3: not open' "$err"
}

@test "the sockets of socket activation are passed on" {
	script "$list"
	activated 2 run --bundle "$BUNDLE" c
	succeeded run
	assert_match $'three\nfour\n' "$out"
	refute_match five "$out"
	assert_lines $'LISTEN_FDS=2\nLISTEN_PID=1' "$(grep LISTEN <<<"$out")"
}

# bats test_tags=berth
@test "the variables of socket activation replace those of config.json" {
	config '.process.env += ["LISTEN_PID=7", "LISTEN_FDS=8"]'
	args cat /proc/self/environ
	activated 2 run --bundle "$BUNDLE" c
	succeeded run
	assert_lines $'LISTEN_FDS=2\nLISTEN_PID=1' "$(tr '\0' '\n' <"$T/out" | grep LISTEN)"
}

@test "preserved descriptors follow those of socket activation" {
	script "$list"
	activated 2 run --preserve-fds 1 --bundle "$BUNDLE" c
	succeeded run
	assert_match $'three\nfour\nfive\n' "$out"
	assert_lines $'LISTEN_FDS=2\nLISTEN_PID=1' "$(grep LISTEN <<<"$out")"
}

@test "LISTEN_FDS for another process is ignored" {
	script "$list; true"
	LISTEN_FDS=2 LISTEN_PID=1 with_files run --bundle "$BUNDLE" c
	succeeded run
	refute_match 'three|four|LISTEN' "$out"
}

# bats test_tags=berth
@test "LISTEN_PID is the program's pid in its own pid namespace" {
	config '.linux.namespaces |= map(select(.type != "pid"))'
	# shellcheck disable=SC2016 # for the program
	script 'echo "$LISTEN_PID = $$"'
	activated 1 run --bundle "$BUNDLE" c
	assert_match '^([0-9]+) = \1$' "$out"
	refute_match '^1 ' "$out"
}

@test "a non-blocking descriptor stays non-blocking" {
	script 'cat /proc/self/fdinfo/3'
	status=0
	"$PROBE" nonblocking "$RUNTIME" --root "$ROOT" run --preserve-fds 1 --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err" || status=$?
	read_output
	succeeded run
	assert_match 'flags:[[:space:]]*0?[0-9]*4[0-9]{3}$' "$(grep flags <<<"$out")"
}

# bats test_tags=berth
@test "hooks on the host have no descriptor of the caller's" {
	# shellcheck disable=SC2016 # for the hook
	config '.hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "ls /proc/self/fd >$OUT"], env: ["OUT=" + $out]}]}' --arg out "$T/seen"
	args true
	with_files run --preserve-fds 2 --bundle "$BUNDLE" c
	succeeded run
	assert_lines $'0\n1\n2\n3' "$(cat "$T/seen")" # 3 is the directory that ls reads
	config '.hooks = {poststop: .hooks.createRuntime}'
	runtime_ok create --bundle "$BUNDLE" c
	rm "$T/seen"
	with_files delete --force c
	assert_lines $'0\n1\n2\n3' "$(cat "$T/seen")"
}

@test "--no-new-keyring leaves the caller's session keyring" {
	[ -e /proc/keys ] || skip "the kernel has no keys"
	config '.linux.maskedPaths = []'
	script 'cat /proc/keys'
	runtime_ok run --bundle "$BUNDLE" c
	assert_match '_ses\.c: ' "$out"
	runtime_ok run --no-new-keyring --bundle "$BUNDLE" d
	refute_match '_ses\.d: ' "$out"
}

# runc has other limits.
# bats test_tags=berth
@test "the error of EMFILE says that there are too few descriptors" {
	local n
	config '.process.rlimits = []'
	args true
	for n in $(seq 12 40); do # the Go runtime does not start with fewer
		status=0
		(ulimit -n "$n" && exec "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c) </dev/null >"$T/out" 2>"$T/err" 3>&- || status=$?
		read_output
		[ "$status" = 0 ] || refused 'too many open files'
		no_state_left
	done
	[ "$status" = 0 ]
}
