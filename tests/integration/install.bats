# make install and make uninstall.
# bats file_tags=berth
load helpers

prepare() {
	CHECKOUT=$BATS_TEST_DIRNAME/../..
	TARGET=$T/target
	mkdir "$TARGET"
}

# hack_install ARG...: hack/install, with the runtime that this suite tests.
hack_install() {
	env -u PREFIX -u SBINDIR DESTDIR="$TARGET" BERTH="$RUNTIME" "$CHECKOUT/hack/install" "$@"
}

# files_of DIR: its files, one a line.
files_of() {
	(cd "$1" && find . ! -type d | sort)
}

@test "install puts the program, its pages and completions below DESTDIR, and nothing else" {
	hack_install
	cmp "$RUNTIME" "$TARGET/usr/local/sbin/berth"
	assert_equal 755 "$(stat -c %a "$TARGET/usr/local/sbin/berth")"
	local expected
	expected=$(
		echo ./usr/local/sbin/berth
		[ ! -x "$CHECKOUT/bin/containerd-shim-berth-v2" ] || shim_files
		(cd "$CHECKOUT/docs/man" && printf './usr/local/share/man/man8/%s\n' *.8)
		echo ./usr/local/share/bash-completion/completions/berth
		echo ./usr/local/share/zsh/site-functions/_berth
		echo ./usr/local/share/fish/vendor_completions.d/berth.fish
		echo ./usr/local/share/doc/berth/LICENSE
	)
	assert_equal "$(sort <<<"$expected")" "$(files_of "$TARGET")"
}

# shim_files: the files of the shim.
shim_files() {
	printf '%s\n' ./usr/local/sbin/containerd-shim-berth-v2 ./usr/local/share/man/man8/containerd-shim-berth-v2.8
}

@test "the shim is installed with its page, and alone if asked" {
	printf '#!/bin/sh\n' >"$T/shim"
	SHIM=$T/shim hack_install --shim
	assert_equal "$(shim_files)" "$(files_of "$TARGET")"
	local page=$TARGET/usr/local/share/man/man8/containerd-shim-berth-v2.8
	assert_equal "" "$(mandoc -T lint -W warning "$page")"
	assert_match "berth $("$CHECKOUT/hack/version")" "$(mandoc -T ascii "$page")"
	hack_install --uninstall
	assert_equal "" "$(files_of "$TARGET")"
}

@test "install follows PREFIX and SBINDIR" {
	PREFIX=/usr SBINDIR=/sbin DESTDIR=$TARGET BERTH=$RUNTIME "$CHECKOUT/hack/install"
	[ -x "$TARGET/sbin/berth" ]
	[ -f "$TARGET/usr/share/man/man8/berth.8" ]
	[ ! -e "$TARGET/usr/local" ]
	PREFIX=/usr SBINDIR=/sbin DESTDIR=$TARGET "$CHECKOUT/hack/install" --uninstall
	assert_equal "" "$(files_of "$TARGET")"
}

@test "install without a program says what to do" {
	run env DESTDIR="$TARGET" BERTH="$T/none" "$CHECKOUT/hack/install"
	assert_equal 1 "$status"
	assert_match 'run make first' "$output"
	assert_equal "" "$(files_of "$TARGET")"
}

@test "uninstall leaves nothing of berth, and the files of others" {
	mkdir -p "$TARGET/usr/local/share/man/man8"
	touch "$TARGET/usr/local/share/man/man8/runc.8"
	hack_install
	hack_install --uninstall
	assert_equal ./usr/local/share/man/man8/runc.8 "$(files_of "$TARGET")"
	assert_equal "" "$(find "$TARGET" -name '*berth*')"
	hack_install
	touch "$TARGET/usr/local/share/doc/berth/NOTES"
	hack_install --uninstall
	assert_equal $'./usr/local/share/doc/berth/NOTES\n./usr/local/share/man/man8/runc.8' "$(files_of "$TARGET")"
}

@test "every command has a man page without a warning, with the version" {
	hack_install
	local command page
	for command in $("$RUNTIME" --help | sed -n '/^COMMANDS/,/^GLOBAL/s/^   \([a-z]*\),\{0,1\} .*/\1/p'); do
		[ "$command" = help ] || [ -f "$TARGET/usr/local/share/man/man8/berth-$command.8" ] || failed "no page for $command"
	done
	for page in "$TARGET"/usr/local/share/man/man8/*.8; do
		assert_equal "" "$(mandoc -T lint -W warning "$page")"
		assert_match "berth $("$CHECKOUT/hack/version")" "$(mandoc -T ascii "$page")"
	done
}

@test "the installed completions work" {
	hack_install
	local share=$TARGET/usr/local/share
	# shellcheck disable=SC2016 # expanded in there
	run -0 env PATH="$TARGET/usr/local/sbin:$PATH" HOME="$T" XDG_DATA_DIRS="$share:/usr/share" bash -c '
		source /usr/share/bash-completion/bash_completion
		_completion_loader berth
		complete -p berth'
	assert_match berth_bash_autocomplete "$output"
	run -0 env PATH="$TARGET/usr/local/sbin:$PATH" HOME="$T" fish --no-config -c "source $share/fish/vendor_completions.d/berth.fish; complete -C 'berth sta'"
	assert_match state "$output"
	# shellcheck disable=SC2016 # expanded in there
	run -0 env HOME="$T" zsh -f -c 'fpath=("$1" $fpath); autoload -Uz compinit; compinit -u -D; echo "${_comps[berth]}"' zsh "$share/zsh/site-functions"
	assert_equal _berth "$output"
}
