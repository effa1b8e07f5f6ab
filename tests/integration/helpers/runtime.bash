# Running the runtime.

# runtime ARG...: run the runtime on this test's state root. Sets $status to its exit status,
# $out and $err to its output, and $msg to the text of its last error record; never
# fails itself. The output goes to files: a container that stays would hold a pipe open.
# $RUNTIME_STDIN is the runtime's standard input.
runtime() {
	status=0
	"$RUNTIME" --root "$ROOT" "$@" <"${RUNTIME_STDIN:-/dev/null}" >"$T/out" 2>"$T/err" 3>&- || status=$?
	read_output
}

# read_output: read $T/out and $T/err into the variables that runtime sets.
read_output() {
	out=$(<"$T/out")
	err=$(<"$T/err")
	msg=${err##*$'\n'}
	if [[ $msg =~ ^time=[^\ ]+\ level=error\ msg=(.*)$ ]]; then
		msg=${BASH_REMATCH[1]}
	fi
	if [[ $msg == \"*\" ]]; then
		msg=${msg:1:-1}
		msg=${msg//\\\"/\"}
	fi
}

# runtime_ok ARG...: the same, and it must succeed.
runtime_ok() {
	runtime "$@"
	succeeded "runtime $*"
}

# run_script TEXT: run a script in a container of $BUNDLE, in the foreground.
run_script() {
	script "$1"
	runtime_ok run --bundle "$BUNDLE" "c$BATS_TEST_NUMBER"
}

# start_detached ID: create and start a container of $BUNDLE.
start_detached() {
	runtime_ok create --bundle "$BUNDLE" "$1"
	runtime_ok start "$1"
}

# status_of ID, init_pid ID: fields of "state".
status_of() {
	"$RUNTIME" --root "$ROOT" state "$1" | jq -er .status
}

init_pid() {
	"$RUNTIME" --root "$ROOT" state "$1" | jq -er .pid
}

# has_status ID STATUS: for wait_for.
has_status() {
	[ "$(status_of "$1")" = "$2" ]
}

# delete_all: remove the containers that a test has left in its state root.
delete_all() {
	local dir
	for dir in "$ROOT"/*/; do
		[ -d "$dir" ] || continue
		"$RUNTIME" --root "$ROOT" delete --force -- "$(basename "$dir")" || true
	done
}

# no_state_left: the state root has no container.
no_state_left() {
	[ -d "$ROOT" ] || return 0
	local left
	left=$(find "$ROOT" -mindepth 1)
	[ -z "$left" ] || failed "left in the state root:" "$left"
}
