# Checkpoints.

# counter: a program that counts in /tmp/n, a tmpfs, and on standard output.
counter() {
	script 'n=0; while :; do n=$((n + 1)); echo $n >/tmp/n; echo $n; sleep 0.05; done'
	config '.mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "size=1m"]}]'
}

# count ID: the counter's present number.
count() {
	"$RUNTIME" --root "$ROOT" exec "$1" cat /tmp/n
}

# counts ID [MORE-THAN]: the counter counts on, for wait_for.
counts() {
	local n
	n=$(count "$1") && [[ -n $n && $n -gt ${2:-0} ]]
}

# run_piped ID: run the container of $BUNDLE detached; its output goes through a pipe to
# $T/output.
run_piped() {
	piped run --bundle "$BUNDLE" --detach "$1"
	wait_for 10 executes "$1"
}

# executes ID: init has executed the shell; runc returns earlier.
executes() {
	[ "$(cat "/proc/$(init_pid "$1")/comm")" = sh ]
}

# restore_piped ID [FLAG...]: the same, from the image $T/image.
restore_piped() {
	piped restore --bundle "$BUNDLE" --image-path "$T/image" --detach "${@:2}" "$1"
}

# piped ARG...: run the runtime, with GLOBAL_FLAGS, with its output in a pipe that "cat"
# copies to $T/output.
piped() {
	rm -f "$T/err"
	status=0
	"$RUNTIME" --root "$ROOT" --log "$T/err" "${GLOBAL_FLAGS[@]}" "$@" </dev/null > >(exec cat >>"$T/output" 3>&- 4>&-) 2>&1 3>&- || status=$?
	[ "$status" = 0 ] || grep -v "^[0-9]*$" "$T/output" >&2
	: >"$T/out"
	read_output
	succeeded "runtime $*"
}

# no_gap: the output has each number once, in order.
no_gap() {
	local text
	text=$(cat "$T/output")
	assert_equal "$(seq "$(wc -l <<<"$text")")" "$text"
}

# save ID [FLAG...]: checkpoint to $T/image. A failure shows CRIU's errors.
save() {
	runtime checkpoint --image-path "$T/image" --work-path "$T/work" "${@:2}" "$1"
	[ "$status" = 0 ] || grep -h 'Error\|Warn' "$T/work/dump.log" >&2 || true
	succeeded "checkpoint $*"
}

# gone ID: the container does not exist, and its processes and cgroup are gone.
gone() {
	runtime state "$1"
	assert_equal 1 "$status"
	assert_match 'container does not exist' "$msg"
}
