# Orphans of a container without a pid namespace, and run --keep.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	config '.linux.namespaces |= map(select(.type != "pid")) | .root.readonly = false'
}

# in_background ARG...: run in the foreground of a background job; the runtime's pid is
# in $background_pid.
in_background() {
	background "$RUNTIME" --root "$ROOT" run "$@" --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err"
}

# An orphan: its parent ends at once. It prints its pid, and ends when the file is
# removed.
# shellcheck disable=SC2016
orphan='(sh -c "while [ ! -e /tmp/end ]; do sleep 0.05; done" & echo $! >/tmp/orphan); while :; do sleep 0.1; done'

# has_parent PID PARENT: for wait_for.
has_parent() {
	[ "$(ps -o ppid= -p "$1" | tr -d ' ')" = "$2" ]
}

gone_altogether() {
	[ ! -e "/proc/$1" ]
}

@test "run reaps orphans of the container" {
	script "$orphan"
	in_background
	local pid
	wait_for 5 appears "$BUNDLE/rootfs/tmp/orphan"
	pid=$(cat "$BUNDLE/rootfs/tmp/orphan")
	wait_for 5 has_parent "$pid" "$background_pid"
	touch "$BUNDLE/rootfs/tmp/end"
	wait_for 5 gone_altogether "$pid"
	assert_equal running "$(status_of c)"
	runtime_ok delete --force c
}

@test "run --no-subreaper leaves orphans to others" {
	script "$orphan"
	in_background --no-subreaper
	local pid
	wait_for 5 appears "$BUNDLE/rootfs/tmp/orphan"
	pid=$(cat "$BUNDLE/rootfs/tmp/orphan")
	wait_for 5 has_parent "$pid" "$REAPER"
	runtime_ok delete --force c
}

@test "run exits with the container's status, whatever other process ends" {
	# shellcheck disable=SC2016
	script 'i=0; while [ $i -lt 50 ]; do (sh -c "exit 9" &); i=$((i + 1)); done; sleep 0.2; exit 7'
	runtime run --bundle "$BUNDLE" c
	assert_equal 7 "$status"
}

@test "run --keep leaves the container of a program that cannot be executed" {
	printf 'nonsense' >"$BUNDLE/rootfs/bin/nonsense"
	chmod +x "$BUNDLE/rootfs/bin/nonsense"
	args nonsense
	runtime run --keep --bundle "$BUNDLE" c
	[ "$status" != 0 ]
	assert_equal stopped "$(status_of c)"
	runtime_ok delete c
}

@test "run --keep runs poststop hooks when the container is deleted" {
	config '.hooks = {poststop: [{path: "/bin/touch", args: ["touch", $file]}]}' --arg file "$T/poststop"
	args true
	runtime_ok run --keep --bundle "$BUNDLE" c
	[ ! -e "$T/poststop" ] || failed "poststop ran before delete"
	runtime_ok delete c
	[ -e "$T/poststop" ]
}

@test "run gets the exit status of a hook while it reaps orphans" {
	config '.hooks = {poststop: [{path: "/bin/sh", args: ["sh", "-c", "exit 4"]}]}'
	script 'i=0; while [ $i -lt 20 ]; do (true &); i=$((i + 1)); done'
	runtime_ok --log "$T/log" run --bundle "$BUNDLE" c
	assert_match 'exit status 4' "$(cat "$T/log")"
}
