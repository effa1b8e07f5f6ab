# Processes on the host side of a test. The whole suite runs in a pid namespace of its
# own, so all processes in /proc belong to it.

# background COMMAND...: run it concurrently, until the test ends; its pid is in
# $background_pid.
background() {
	"$@" 3>&- 4>&- &
	background_pid=$!
	background_pids+=("$background_pid")
}

stop_background() {
	local pid
	for pid in "${background_pids[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	background_pids=()
}

# alive PID: it exists and is not a zombie.
alive() {
	grep -q "^State:[[:space:]]*[^ZX[:space:]]" "/proc/$1/status" 2>/dev/null # read once: it may go meanwhile
}

dead() {
	! alive "$1"
}

# orphans: the processes whose parent is the suite's reaper, except those that existed
# before the first test: containers, and processes that a runtime left. It does not call
# ps(1): it runs after every test, and an emulated guest is slow to start a program.
orphans() {
	local stat line
	for stat in /proc/[0-9]*/stat; do
		{ read -r line <"$stat"; } 2>/dev/null || continue
		# "PID (NAME) STATE PARENT ...", in which the name may contain anything.
		if [[ ${line##*) } == [!ZX]" ${REAPER:?} "* && " ${SUITE_PIDS:-} " != *" ${line%% *} "* ]]; then
			echo "${line%% *}"
		fi
	done
}

# no_process_left: no process of the test is left after a moment. Otherwise kill them
# and fail.
no_process_left() {
	wait_for 1 no_orphans && return
	local pid
	for pid in $(orphans); do
		failed "left running: $(ps -o pid=,args= -p "$pid"), exe $(readlink "/proc/$pid/exe")" || true
		kill -KILL "$pid"
	done
	return 1
}

no_orphans() {
	[ -z "$(orphans)" ]
}

# holder FLAGS...: start a process in new namespaces; its pid is in $holder.
holder() {
	background unshare "$@" --fork --kill-child sleep 1000
	wait_for 5 pgrep -P "$background_pid" -x sleep >/dev/null
	holder=$(pgrep -P "$background_pid" -x sleep)
}

# may_raise: skip without CAP_SYS_RESOURCE.
may_raise() {
	(((16#$(awk '$1 == "CapEff:" { print $2 }' /proc/self/status) >> 24) & 1)) || skip "no CAP_SYS_RESOURCE here"
}

# unread FIFO: make a pipe without a reader; $unread is its descriptor.
unread() {
	mkfifo "$1"
	exec {unread}<>"$1"
	exec {unread_writer}>"$1" {unread}>&-
	unread=$unread_writer
}
