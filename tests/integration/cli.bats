# The command line itself.
load helpers

@test "berth without a command prints help" {
	runtime
	succeeded "no command"
	assert_match 'COMMANDS' "${out^^}"
	assert_equal "" "$err"
}

@test "help is a command and a flag, for every command" {
	local command
	runtime_ok help
	assert_match 'create' "$out"
	for command in create delete features kill list run spec start state; do
		runtime_ok "$command" --help
		assert_match "$command" "$out"
		runtime_ok "$command" -h
		runtime_ok "$command" nobody --help
		assert_match "$command" "$out"
		runtime_ok help "$command"
		assert_match "$command" "$out"
	done
}

@test "a container may be called help" {
	new_bundle
	args sleep 1000
	local id
	for id in help h; do
		runtime_ok create --bundle "$BUNDLE" "$id"
		runtime_ok start "$id"
		runtime_ok exec "$id" sh -c 'echo "$@"' sh -h --help
		assert_equal '-h --help' "$out"
		runtime_ok state "$id"
		assert_equal running "$(jq -r .status <<<"$out")"
		runtime_ok kill "$id" KILL
		wait_for 5 has_status "$id" stopped
		runtime_ok delete "$id"
		no_state_left
	done
}

@test "an unknown command exits with 3" {
	runtime nonsense
	assert_equal 3 "$status"
	assert_match "No help topic for 'nonsense'" "$err"
	runtime help nonsense
	assert_equal 3 "$status"
	assert_match "No help topic for 'nonsense'" "$err"
}

# Podman asks for the help before it uses a runtime.
@test "checkpoint and restore have a help" {
	local command
	for command in checkpoint restore; do
		runtime "$command" --help
		assert_equal 0 "$status"
		assert_match '--image-path' "$out"
	done
}

@test "an unknown flag exits with 1, and the error names it" {
	runtime --nonsense list
	assert_equal 1 "$status"
	assert_match 'flag provided but not defined: -nonsense' "$err"
	runtime list --nonsense
	assert_equal 1 "$status"
	assert_match 'flag provided but not defined: -nonsense' "$err"
}

@test "a flag without its value exits with 1" {
	runtime create --bundle
	assert_equal 1 "$status"
	assert_match 'flag needs an argument: --?bundle' "$err"
}

@test "every command checks the number of its arguments" {
	local command
	for command in create run start state delete; do
		runtime "$command"
		assert_equal 1 "$status"
		assert_match "\"$command\" requires (exactly|a minimum of) 1 argument\(s\)" "$msg"
	done
	runtime kill
	assert_equal 1 "$status"
	assert_match '"kill" requires a minimum of 1 argument\(s\)' "$msg"
	runtime state a b
	assert_equal 1 "$status"
	assert_match '"state" requires exactly 1 argument\(s\)' "$msg"
	runtime list a
	assert_equal 1 "$status"
	assert_match '"list" requires exactly 0 argument\(s\)' "$msg"
}

@test "a long flag may have one dash, and = before its value" {
	new_bundle
	args true
	runtime_ok run -bundle="$BUNDLE" --detach=true c
	runtime_ok list -quiet=true
	assert_equal c "$out"
	runtime_ok delete -force c
}

@test "flags may follow the arguments" {
	new_bundle
	args true
	runtime_ok create c --bundle "$BUNDLE"
	assert_equal created "$(status_of c)"
	runtime_ok delete c --force
	no_state_left
}

@test "two dashes end the flags" {
	new_bundle
	args true
	runtime_ok create --bundle "$BUNDLE" -- -c
	runtime_ok state -- -c
	assert_equal -c "$(jq -r .id <<<"$out")"
	runtime_ok delete --force -- -c
}

@test "berth refuses / as --root" {
	local root
	for root in / '' //; do
		run -1 --separate-stderr "$RUNTIME" --root="$root" list
		# shellcheck disable=SC2154 # set by run
		assert_match 'Option --root argument should not be set to /' "$stderr"
	done
}

@test "--root may be relative" {
	new_bundle
	args true
	"$RUNTIME" --root state create --bundle "$BUNDLE" c >"$T/out" 2>&1 </dev/null
	[ -d "$T/state/c" ]
	runtime_ok delete c
}

@test "berth refuses an unknown log format" {
	runtime --log-format xml list
	assert_equal 1 "$status"
	assert_match 'invalid log-format: xml' "$err"
	runtime_ok --log-format= features
}

@test "berth accepts the other global flags that engines send" {
	runtime_ok --debug --rootless=auto features
	assert_match '"linux"' "$out"
	runtime_ok --rootless false --systemd-cgroup features
	assert_match '"linux"' "$out"
}

@test "berth refuses an unknown value of --rootless" {
	new_bundle
	runtime --rootless perhaps create --bundle "$BUNDLE" c
	assert_equal 1 "$status"
	assert_match 'perhaps' "$err"
}

@test "--version prints version, commit and specification" {
	runtime_ok --version
	local lines
	mapfile -t lines <<<"$out"
	assert_match '^[a-z]+ version [0-9]+\.[0-9]+\.[0-9]+' "${lines[0]}"
	assert_match $'\ncommit: [^ ]+\n' "$out"
	assert_match $'\nspec: 1\.[0-9]+\.[0-9]+' "$out"
	assert_match $'\ngo: go1\.[0-9]+' "$out"
	assert_equal "" "$err"
	local long=$out
	runtime_ok -v
	assert_equal "$long" "$out"
	runtime_ok --version list
	assert_equal "$long" "$out"
}

# bats test_tags=berth
@test "the error of a missing container names the default state root" {
	local command
	for command in state start pause kill delete exec; do
		run --separate-stderr "$RUNTIME" "$command" no-such-container
		[ "$status" != 0 ]
		assert_match 'container does not exist \(in /run/berth; .*--root\)' "$stderr"
	done
}
