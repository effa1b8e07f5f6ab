# Waiting, always for a condition and never without an end.

# PATIENCE multiplies every deadline of the tests: the seconds that they name
# are what a quiet machine needs at most. A deadline only ends what hangs.
PATIENCE=${PATIENCE:-12}

# patient SECONDS: the same, for a busy machine.
patient() {
	echo $(($1 * PATIENCE))
}

# wait_for SECONDS COMMAND...: until the command succeeds; fails when it has
# not by then.
wait_for() {
	local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * PATIENCE * 1000000))
	shift
	until "$@"; do
		if ((${EPOCHREALTIME/[.,]/} > deadline)); then
			return 1
		fi
		sleep 0.02
	done
}

# appears FILE: it exists and is not empty, for wait_for.
appears() {
	[ -s "$1" ]
}

# has_line FILE TEXT: the file has the line, for wait_for.
has_line() {
	grep -qxF -- "$2" "$1" 2>/dev/null
}

# machine_lock NAME: until the test ends, no other test of any suite on this
# machine has the lock: for what the kernel has only one of.
machine_lock() {
	local lock
	exec {lock}>"/tmp/berth-test-$1.lock"
	wait_for 20 flock --nonblock "$lock"
}
