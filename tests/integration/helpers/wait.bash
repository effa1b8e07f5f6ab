# Waiting: always for a condition, and always with a deadline.

# PATIENCE multiplies every deadline of the tests: the tests name the seconds that a
# quiet machine needs at most. A deadline only ends a test that hangs.
PATIENCE=${PATIENCE:-12}

# patient SECONDS: the seconds for a busy machine.
patient() {
	echo $(($1 * PATIENCE))
}

# wait_for SECONDS COMMAND...: repeat the command until it succeeds; fail at the
# deadline.
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

# machine_lock NAME: until the test ends, no other test of any suite on this machine has
# the lock: for resources that the kernel has only once.
machine_lock() {
	local lock
	exec {lock}>"/tmp/berth-test-$1.lock"
	wait_for 20 flock --nonblock "$lock"
}
