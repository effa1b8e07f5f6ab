# System calls that fail.

# failing CALL ERRNO PATH... -- ARG...: run the runtime with a system call that fails
# on these paths.
failing() {
	local call=$1 errno=$2 paths=()
	shift 2
	while [ "$1" != -- ]; do
		paths+=(-P "$1")
		shift
	done
	status=0
	strace -f -o "$T/strace" "${paths[@]}" -e trace="$call" -e inject="$call:error=$errno" \
		"$RUNTIME" --root "$ROOT" "${@:2}" </dev/null >"$T/out" 2>"$T/err" 3>&- || status=$?
	sed -i '/^strace: /d' "$T/err"
	read_output
}
