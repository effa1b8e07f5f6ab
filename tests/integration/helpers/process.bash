# Processes on the host side of a test. The whole suite runs in a pid
# namespace of its own, so what is in /proc is the suite's.

# background COMMAND...: run it beside the test, until the test ends; its pid
# is in $background_pid.
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

# orphans: processes that lost their parent to the suite's reaper: that is
# where containers go, and what a runtime left behind. Those that were there
# before the first test are the suite's own. Without ps(1): it is asked for after
# every test, and in a guest each program that is started takes its time.
orphans() {
	local stat line
	for stat in /proc/[0-9]*/stat; do
		{ read -r line <"$stat"; } 2>/dev/null || continue
		# "PID (NAME) STATE PARENT ...", where the name may hold anything.
		if [[ ${line##*) } == [!ZX]" ${REAPER:?} "* && " ${SUITE_PIDS:-} " != *" ${line%% *} "* ]]; then
			echo "${line%% *}"
		fi
	done
}

# no_process_left: nothing that was started in the test lives. What dies is
# given a moment; what does not is killed.
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

# holder FLAGS...: a process in namespaces of its own; its pid is in $holder.
holder() {
	background unshare "$@" --fork --kill-child sleep 1000
	wait_for 5 pgrep -P "$background_pid" -x sleep >/dev/null
	holder=$(pgrep -P "$background_pid" -x sleep)
}

# may_raise: the tests are run with CAP_SYS_RESOURCE.
may_raise() {
	(((16#$(awk '$1 == "CapEff:" { print $2 }' /proc/self/status) >> 24) & 1)) || skip "no CAP_SYS_RESOURCE here"
}

# unread FIFO: $unread is a descriptor of a pipe that nobody reads any more.
unread() {
	mkfifo "$1"
	exec {unread}<>"$1"
	exec {unread_writer}>"$1" {unread}>&-
	unread=$unread_writer
}
