# Shell completion: the scripts of "completion SHELL" call berth itself, and the shells
# complete.
# bats file_tags=berth,tools
load helpers

prepare() {
	PATH=${RUNTIME%/*}:$PATH
	# The user's own configuration changes the completions.
	HOME=$T
}

# in_bash WORD...: the completions of bash after these words, the last of which is
# incomplete, one a line.
in_bash() {
	# shellcheck disable=SC2016 # expanded in there
	bash -c '
		source /usr/share/bash-completion/bash_completion
		source <(berth completion bash)
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
		__berth_bash_autocomplete
		printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}

# in_fish LINE: the completions of fish for it with their descriptions, one a line.
in_fish() {
	# shellcheck disable=SC2016 # expanded in there
	fish --no-config -c 'berth completion fish | source; complete -C "$argv[1]"' "$1"
}

# in_zsh LINE PATTERN: zsh at a terminal completes the line, when Tab is pressed, to
# text that matches.
in_zsh() {
	# shellcheck disable=SC2016 # expanded in there
	timeout "$(patient 20)" zsh -f -c '
		zmodload zsh/zpty
		zpty -b shell zsh -f -i
		zpty -w shell "PS1= TERM=dumb; autoload -Uz compinit; compinit -u -D; source <(berth completion zsh); print rea\"\"dy"
		zpty -r shell printed "*ready*"
		zpty -n -w shell "$1"$'"'\\t'"'
		zpty -r shell printed "$2"' zsh "$1" "$2" || failed "zsh does not complete $1 to $2"
}

@test "bash completes commands and flags" {
	assert_equal $'start\nstate' "$(in_bash berth sta)"
	assert_equal --pid-file "$(in_bash berth create --pid-)"
	assert_equal --log-format "$(in_bash berth --log-f)"
}

@test "fish completes commands and flags" {
	assert_equal $'start\nstate' "$(in_fish 'berth sta' | cut -f 1)"
	assert_match $'^state\tprint the state' "$(in_fish 'berth stat')"
	assert_equal $'--pid-file\twrite the process ID to FILE' "$(in_fish 'berth create --pid-')"
	assert_equal $'--user\trun as UID[:GID]' "$(in_fish 'berth exec --us')"
	assert_equal $'--log-format\tlog in this FORMAT: text or json' "$(in_fish 'berth --log-f')"
}

@test "zsh completes commands and flags" {
	in_zsh 'berth sta' '*start *run*state *print the state*'
	in_zsh 'berth create --pid-' '*create --pid-file *'
	in_zsh 'berth --log-f' '*berth --log-format *'
}

@test "every shell completes the IDs of containers" {
	new_bundle
	config '.linux.namespaces |= map(select(.type != "network"))'
	runtime_ok create --bundle "$BUNDLE" web-1
	assert_equal web-1 "$(in_bash berth --root "$ROOT" start web)"
	assert_match web-1 "$(in_bash berth --root "$ROOT" delete --force '')"
	assert_equal $'web-1\tcreated' "$(in_fish "berth --root $ROOT start web")"
	in_zsh "berth --root $ROOT start we" '*start web-1 *'
	# create gets no completion of an existing ID.
	assert_equal "" "$(in_bash berth --root "$ROOT" create web)"
	assert_equal "" "$(in_bash berth --root "$T/nothing" start web)"
	assert_equal "" "$(in_fish "berth --root $ROOT create web")"
	runtime_ok delete --force web-1
}

@test "completion prints a script for every shell, and refuses others" {
	local shell
	for shell in bash zsh fish pwsh; do
		runtime_ok completion "$shell"
		assert_match '[Cc]omplet' "$out"
	done
	runtime completion tcsh
	refused 'no completion for shell "tcsh": want one of bash, zsh, fish, pwsh'
}
