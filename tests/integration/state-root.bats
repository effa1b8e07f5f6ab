# Owner and mode of the state root, and of the containers in it. runc checks neither.
# bats file_tags=berth
load helpers

prepare() {
	new_bundle
	args sleep 1000
}

@test "create refuses a state root of another user" {
	mkdir -m 700 "$ROOT"
	chown 12345 "$ROOT"
	runtime create --bundle "$BUNDLE" c
	refused 'belongs to user 12345'
	[ -z "$(ls "$ROOT")" ]
}

@test "create refuses a state root that everybody may write to, unless it is sticky" {
	mkdir "$ROOT"
	chmod 777 "$ROOT"
	runtime create --bundle "$BUNDLE" c
	refused 'written to by everybody'
	[ -z "$(ls "$ROOT")" ]
	chmod 1777 "$ROOT"
	runtime_ok create --bundle "$BUNDLE" c
	runtime_ok delete c
}

@test "only list accepts the container of another user" {
	start_detached c
	chown 12345 "$ROOT/c"
	runtime_ok list -q
	assert_equal c "$out"
	local operation
	for operation in "delete --force" "kill" "exec c true" start pause resume ps update events state; do
		# shellcheck disable=SC2086 # words
		case $operation in
		exec*) runtime $operation ;;
		*) runtime $operation c ;;
		esac
		[ "$status" != 0 ] || failed "$operation"
		assert_match 'belongs to another user, 12345' "$msg"
	done
	for operation in kill "delete --force"; do
		# shellcheck disable=SC2086 # words
		runtime $operation --regex '.*'
		assert_match 'belongs to another user, 12345' "$msg"
	done
	alive "$("$RUNTIME" --root "$ROOT" list -f json | jq .[0].pid)"
	chown 0 "$ROOT/c"
}

@test "delete does not run the hooks of a state that another user planted" {
	config '.hooks.poststop = [{path: "/bin/touch", args: ["touch", $file]}]' --arg file "$T/touched"
	start_detached c
	runtime_ok kill c KILL
	wait_for 5 has_status c stopped
	chown -R 12345 "$ROOT/c"
	runtime delete --force c
	assert_match 'belongs to another user' "$msg"
	mv "$ROOT/c/state.json" "$T"
	runtime delete --force c # of a directory without a state
	assert_match 'belongs to another user' "$msg"
	[ ! -e "$T/touched" ]
	[ -e "$ROOT/c/config.json" ]
	mv "$T/state.json" "$ROOT/c"
	chown -R 0 "$ROOT/c"
}

# bats test_tags=berth
@test "the error of a container that is not in the default state root names that directory" {
	echo '[{"destination": "/x"}]' >"$T/list"
	local arguments
	while read -ra arguments; do
		status=0
		"$RUNTIME" "${arguments[@]}" </dev/null >"$T/out" 2>"$T/err" 3>&- || status=$?
		read_output
		refused 'container does not exist \(in /run/berth; .*--root\)'
	done <<-END
		state nobody-has-this-id
		delete nobody-has-this-id
		start nobody-has-this-id
		mounts remove nobody-has-this-id $T/list
	END
	runtime state "nobody-has-this-id"
	refute_match '/run/berth' "$msg"
}
