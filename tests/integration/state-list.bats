# state and list: their exact output.
load helpers

prepare() {
	new_bundle
	config '.process.args = ["sleep", "1000"]'
}

# rfc3339: a time as state prints it: UTC, at most nine digits, no trailing zeros.
rfc3339='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{0,8}[1-9])?Z'

created_at() {
	"$RUNTIME" --root "$ROOT" state "$1" | jq -r .created
}

@test "state prints the documented object and no newline" {
	local version pid created
	runtime_ok create --bundle "$BUNDLE" --pid-file "$T/pid" c
	runtime_ok state c
	version=$(jq -r .ociVersion <<<"$out")
	created=$(jq -r .created <<<"$out")
	pid=$(cat "$T/pid")
	assert_match '^1\.[0-9]+\.[0-9]+' "$version"
	assert_match "^$rfc3339\$" "$created"
	assert_equal "$(cat <<-END
		{
		  "ociVersion": "$version",
		  "id": "c",
		  "pid": $pid,
		  "status": "created",
		  "bundle": "$BUNDLE",
		  "rootfs": "$BUNDLE/rootfs",
		  "created": "$created",
		  "owner": ""
		}
	END
	)" "$out"
	assert_equal '}' "$(tail -c 1 "$T/out")"
	assert_equal "" "$err"
}

@test "state prints the runtime's specification version, not that of config.json" {
	config '.ociVersion = "1.0.0"'
	runtime_ok create --bundle "$BUNDLE" c
	runtime_ok state c
	refute_match '^1\.0\.0$' "$(jq -r .ociVersion <<<"$out")"
}

@test "state prints annotations between created and owner" {
	config '.annotations = {"b": "2", "a.b/c": "x=\"y\" <&>"}'
	runtime_ok create --bundle "$BUNDLE" c
	runtime_ok state c
	assert_equal '{"a.b/c":"x=\"y\" <&>","b":"2"}' "$(jq -cS .annotations <<<"$out")"
	assert_equal 'created annotations owner' "$(jq -r 'keys_unsorted[-3:] | join(" ")' <<<"$out")"
}

@test "state prints the time of create" {
	local before after
	before=$(date +%s)
	runtime_ok create --bundle "$BUNDLE" c
	after=$(date +%s)
	local created
	created=$(date -d "$(created_at c)" +%s)
	((before <= created && created <= after)) || failed "$before <= $created <= $after"
}

@test "state follows a container from created to stopped" {
	runtime_ok create --bundle "$BUNDLE" c
	assert_equal created "$(status_of c)"
	runtime_ok start c
	assert_equal running "$(status_of c)"
	alive "$(init_pid c)"
	runtime_ok kill c KILL
	wait_for 5 has_status c stopped
	assert_equal 0 "$(init_pid c)"
}

@test "state reports a created container that died as stopped" {
	runtime_ok create --bundle "$BUNDLE" c
	kill -KILL "$(init_pid c)"
	wait_for 5 has_status c stopped
	assert_equal 0 "$(init_pid c)"
}

@test "state reports a container as stopped when its init is a zombie" {
	# An engine that has not waited yet: the container's parent does not reap.
	runtime_ok run -d --bundle "$BUNDLE" c
	local pid
	pid=$(init_pid c)
	kill -KILL "$pid"
	wait_for 5 has_status c stopped
}

@test "state resolves symlinks on the way to the bundle" {
	ln -s bundle "$T/link"
	runtime_ok create --bundle "$T/link" c
	assert_equal "$BUNDLE" "$("$RUNTIME" --root "$ROOT" state c | jq -r .bundle)"
}

@test "state refuses a container that does not exist" {
	runtime state c
	refused 'container does not exist$'
	assert_equal "" "$out"
	runtime state a/b
	refused 'invalid container ID format'
}

@test "list prints a table" {
	runtime_ok create --bundle "$BUNDLE" --pid-file "$T/pid" c
	runtime_ok list
	local pid bundle
	pid=$(cat "$T/pid")
	# A column is three blanks wider than its widest cell, and never narrower
	# than twelve.
	bundle=$(printf '%-*s' "$((${#BUNDLE} + 3))" "$BUNDLE")
	local created
	created=$(created_at c)
	assert_equal "$(
		printf '%-12s%-12s%-12s%-*s%-*s%s\n' ID PID STATUS "${#bundle}" BUNDLE "$((${#created} + 3))" CREATED OWNER
		printf '%-12s%-12s%-12s%s%s   %s\n' c "$pid" created "$bundle" "$created" root
	)" "$out"
}

@test "list prints the table's header when there are no containers" {
	mkdir "$ROOT"
	runtime_ok list
	assert_equal 'ID          PID         STATUS      BUNDLE      CREATED     OWNER' "$out"
}

@test "list orders by name" {
	local id
	for id in b a c; do
		config '.linux.cgroupsPath = $cgroup' --arg cgroup "$CGROUP-$id"
		runtime_ok create --bundle "$BUNDLE" "$id"
	done
	runtime_ok list --quiet
	assert_equal $'a\nb\nc' "$out"
	runtime_ok list
	assert_equal 'ID a b c' "$(awk '{ print $1 }' <<<"$out" | xargs)"
	runtime_ok list -f json
	assert_equal 'a b c' "$(jq -r '[.[].id] | join(" ")' <<<"$out")"
}

@test "list --format json prints state in one line, with the owner" {
	config '.annotations = {"k": "v"}'
	runtime_ok create --bundle "$BUNDLE" c
	runtime_ok state c
	local state=$out
	runtime_ok list --format json
	assert_equal 1 "$(wc -l <"$T/out")"
	assert_equal "$(jq -c '[.owner = "root"]' <<<"$state")" "$out"
	chown 12345 "$ROOT/c"
	runtime_ok list -f json
	assert_equal '#12345' "$(jq -r '.[0].owner' <<<"$out")"
	chown 0 "$ROOT/c"
}

@test "list --format json prints null when there are no containers" {
	mkdir "$ROOT"
	runtime_ok list --format json
	assert_equal null "$out"
	assert_equal 1 "$(wc -l <"$T/out")"
}

@test "list --quiet prints IDs, whatever the format" {
	runtime_ok create --bundle "$BUNDLE" c
	runtime_ok list -q
	assert_equal c "$out"
	runtime_ok list -q -f json
	assert_equal c "$out"
}

@test "list refuses an unknown format" {
	mkdir "$ROOT"
	runtime list --format yaml
	refused 'invalid format option'
	assert_equal "" "$out"
}

@test "list names a broken entry and goes on" {
	runtime_ok create --bundle "$BUNDLE" c
	mkdir "$ROOT/broken"
	find "$ROOT/c" -name '*state*' -type f -exec cp '{}' "$ROOT/broken" ';'
	truncate -s 10 "$ROOT"/broken/*state*
	runtime_ok list -q
	assert_equal c "$out"
	assert_match 'broken' "$err"
	rm -r "$ROOT/broken"
}

# bats test_tags=berth
@test "list names entries that it may not read in a readable state root" {
	rootless_user
	local ROOT=$USER_DIR/others
	mkdir -p "$ROOT/c"
	chmod 744 "$ROOT"
	runtime_ok list -q
	assert_equal '' "$out"
	assert_match 'c: .*permission denied' "$err"
}

# bats test_tags=berth
@test "state and delete refuse a state that belongs to another container or to no container" {
	runtime_ok create --bundle "$BUNDLE" c
	mkdir "$ROOT/d" "$ROOT/e"
	cp "$ROOT/c/state.json" "$ROOT/d"
	echo '{}' >"$ROOT/e/state.json"
	runtime state d
	refused 'it belongs to container "c"'
	runtime delete --force e
	refused 'it belongs to container ""'
	assert_equal created "$(status_of c)"
	rm -r "$ROOT/d" "$ROOT/e"
}

@test "list refuses a state root that does not exist" {
	runtime list
	refused 'no such file or directory'
}

@test "state and list change nothing" {
	runtime_ok create --bundle "$BUNDLE" c
	local before
	before=$(find "$ROOT" -printf '%p %s %T@ %m\n' | sort)
	runtime_ok state c
	runtime_ok list
	assert_equal "$before" "$(find "$ROOT" -printf '%p %s %T@ %m\n' | sort)"
}
