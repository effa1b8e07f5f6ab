# CRI-O: it creates containers through conmon, and calls the runtime itself for the rest.

# crio_bundle: let the container of $BUNDLE end with status 7 after SIGTERM, and prepare
# for monitor.
crio_bundle() {
	command -v conmon >/dev/null || skip "there is no conmon"
	script 'trap "exit 7" TERM; while :; do sleep 0.05; done'
	mkdir "$T/exits" "$T/sockets"
	mkfifo "$T/sync" "$T/begin"
	# Open for both directions: neither side waits for the other, however conmon ends.
	exec {sync}<>"$T/sync" {begin}<>"$T/begin"
}

# crio ARG...: the runtime, with the environment of CRI-O.
crio() {
	status=0
	env -i PATH="$PATH" XDG_RUNTIME_DIR=/run CRI_O_EXTERNAL=1 "$RUNTIME" --root "$ROOT" "$@" \
		<"${RUNTIME_STDIN:-/dev/null}" >"$T/out" 2>"$T/err" 3>&- || status=$?
	read_output
}

crio_ok() {
	crio "$@"
	succeeded "$*"
}

# monitor FLAG...: run conmon, which becomes a daemon once it may begin.
monitor() {
	echo >&"$begin"
	env -i PATH="$PATH" XDG_RUNTIME_DIR=/run CRI_O_EXTERNAL=1 _OCI_SYNCPIPE="$sync" _OCI_STARTPIPE="$begin" \
		conmon --bundle "$BUNDLE" --cid c --cuuid c --name k8s_test --log-path "$T/log" --log-level info \
		--runtime "$RUNTIME" --runtime-arg "--root=$ROOT" --socket-dir-path "$T/sockets" "$@" \
		</dev/null >"$T/out" 2>"$T/err" 3>&- 4>&-
}

# answer FILTER: the next report of conmon, a line of JSON.
answer() {
	local line
	read -r -t "$(patient 10)" line <&"$sync" || failed "conmon reports nothing" "$(<"$T/err")"
	jq -cer "$1" <<<"$line" || failed "conmon reports: $line"
}

# created FLAG...: create the container, and monitor it.
created() {
	monitor --container-pidfile "$BUNDLE/pidfile" --conmon-pidfile "$T/conmon.pid" \
		--exit-dir "$T/exits" --persist-dir "$T" "$@"
}

# running FLAG...: create and start it.
running() {
	created "$@"
	answer .pid >"$T/pid"
	crio_ok start c
	wait_for 5 traps_term "$(<"$T/pid")"
}

# exited STATUS: conmon has written the exit status of the container.
exited() {
	wait_for 10 appears "$T/exits/c"
	assert_equal "$1" "$(<"$T/exits/c")"
}

# not_found: the last error has a text by which CRI-O knows that a container has ended.
not_found() {
	assert_equal 1 "$status"
	assert_match 'no such process|container not running|invalid process' "$err"
}

# traps_term PID, ignores_term PID: the shell of the container is ready for SIGTERM.
traps_term() {
	grep -q '^SigCgt:.*[4-7c-f]...$' "/proc/$1/status"
}

ignores_term() {
	grep -q '^SigIgn:.*[4-7c-f]...$' "/proc/$1/status"
}

# process ARG...: write $T/process.json, the container's process with other arguments.
process() {
	jq '.process | .args = $ARGS.positional' "$BUNDLE/config.json" --args -- "$@" >"$T/process.json"
}
