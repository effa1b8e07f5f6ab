# Shell completion: scripts by "completion SHELL", which ask berth itself.
# bats file_tags=berth
load helpers

# complete_line WORD...: what bash offers behind these words, the last of which
# is begun, a line each.
complete_line() {
	# shellcheck disable=SC2016 # expanded in there
	PATH=${RUNTIME%/*}:$PATH bash -c '
		source /usr/share/bash-completion/bash_completion
		source <(berth completion bash)
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
		__berth_bash_autocomplete
		printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}

@test "bash completes commands and flags" {
	assert_equal $'start\nstate' "$(complete_line berth sta)"
	assert_equal --pid-file "$(complete_line berth create --pid-)"
	assert_equal --log-format "$(complete_line berth --log-f)"
}

@test "bash completes the ids of containers" {
	new_bundle
	config '.linux.namespaces |= map(select(.type != "network"))'
	rt_ok create --bundle "$BUNDLE" web-1
	assert_equal web-1 "$(complete_line berth --root "$ROOT" start web)"
	assert_match web-1 "$(complete_line berth --root "$ROOT" delete --force '')"
	# The id of a new container is not one that is taken.
	assert_equal "" "$(complete_line berth --root "$ROOT" create web)"
	assert_equal "" "$(complete_line berth --root "$T/nothing" start web)"
	rt_ok delete --force web-1
}

@test "there is a script for every shell, and no other" {
	local shell
	for shell in bash zsh fish pwsh; do
		rt_ok completion "$shell"
		assert_match '[Cc]omplet' "$out"
	done
	rt completion tcsh
	refused 'no completion for shell "tcsh": known are bash, zsh, fish, pwsh'
}
