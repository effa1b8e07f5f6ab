# shellcheck shell=bash
# The command for a bed with its own system manager: a directory with the files command,
# user, status and the pipes out and err, which in-bed finds at /run/bed.

# prepare_command DIR USER ARG...: write the command with this environment, for the
# system manager, or for the user's if USER is not empty.
prepare_command() {
	local dir=$1 user=$2 name
	shift 2
	mkfifo "$dir"/{out,err}
	[ -z "$user" ] || : >"$dir/user"
	while read -r name; do
		case $name in
		# The bed sets these itself.
		BASH* | SHELLOPTS | HOME | USER | LOGNAME | PATH | PWD | OLDPWD | SHLVL | XDG_* | DBUS_* | TMPDIR | _) ;;
		*) printf 'export %s=%q\n' "$name" "${!name}" ;;
		esac
	done < <(compgen -e) >"$dir/command"
	{
		printf 'cd %q && exec' "${repository:?}"
		printf ' %q' "$@"
		echo
	} >>"$dir/command"
}

# with_output DIR COMMAND...: run the command, which starts the bed; copy the pipes to
# this process's output. Returns the status of the command.
with_output() {
	local dir=$1 copying status=0
	shift
	cat "$dir/out" &
	copying=$!
	cat "$dir/err" >&2 &
	copying+=" $!"
	# Held open until the bed has ended, whether or not the command was started.
	exec 8<>"$dir/out" 9<>"$dir/err"
	# In the background, so that a trap can end it.
	"$@" &
	running=$!
	wait "$running" || status=$?
	running=
	exec 8>&- 9>&-
	# shellcheck disable=SC2086 # a list of words
	wait $copying
	return "$status"
}

# end_bed: for a trap; does nothing when the bed has ended.
end_bed() {
	[ -n "${running:-}" ] || return 0
	kill -KILL "$running" || true
	wait "$running" 2>/dev/null || true
}

# leave_with DIR: exit with the status of the command.
leave_with() {
	[ -s "$1/status" ] || {
		echo "${0##*/}: the command was not run" >&2
		exit 125
	}
	exit "$(cat "$1/status")"
}
