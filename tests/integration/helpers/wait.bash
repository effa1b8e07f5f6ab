# Waiting, always for a condition and never without an end.

# wait_for SECONDS COMMAND...: until the command succeeds; fails when it has
# not by then.
wait_for() {
	local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
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
