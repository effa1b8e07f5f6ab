# The files that --pid-file may replace.
load helpers

prepare() {
	new_bundle
	args sleep 1000
	mkdir "$T/f"
	mknod "$T/f/device" c 1 7
	mkfifo "$T/f/fifo"
	mkdir "$T/f/directory"
	ln -s device "$T/f/link"
	kinds=$(stat -c '%n %F' "$T"/f/*)
}

# kept: the files are unchanged, and no container is left.
kept() {
	assert_equal "$kinds" "$(stat -c '%n %F' "$T"/f/*)"
	assert_equal "" "$(find "$T/f" -name '.*')"
}

# bats test_tags=berth
@test "create and run refuse a pid file that is a device, a FIFO or a directory" {
	local file
	for file in "$T"/f/*; do
		runtime create --bundle "$BUNDLE" --pid-file "$file" c
		refused "write pid file: \"$file\" exists and is not a regular file"
		runtime run -d --bundle "$BUNDLE" --pid-file "$file" c
		refused "write pid file: \"$file\" exists and is not a regular file"
	done
	kept
	no_state_left
}

# bats test_tags=berth
@test "exec refuses a pid file that is a device, a FIFO or a directory" {
	local file
	runtime_ok run -d --bundle "$BUNDLE" c
	for file in "$T"/f/*; do
		runtime exec -d --pid-file "$file" c sleep 1000
		exec_refused "write pid file: \"$file\" exists and is not a regular file"
	done
	kept
}

# bats test_tags=berth
@test "create keeps a FIFO with the name of the temporary pid file" {
	mkfifo "$T/f/.pid"
	runtime create --bundle "$BUNDLE" --pid-file "$T/f/pid" c
	refused 'write pid file: open .*/\.pid: file exists'
	test -p "$T/f/.pid"
	rm "$T/f/.pid"
}

@test "create replaces a pid file that is a symbolic link" {
	echo precious >"$T/precious"
	ln -s precious "$T/pid"
	runtime_ok create --bundle "$BUNDLE" --pid-file "$T/pid" c
	assert_equal "$(init_pid c)" "$(cat "$T/pid")"
	assert_equal precious "$(cat "$T/precious")"
	test ! -L "$T/pid"
}

# bats test_tags=berth
@test "--log, --pidfd-socket and --console-socket do not replace the given file" {
	local file
	for file in "$T/f/device" "$T/f/link"; do
		runtime --log "$file" run --bundle "$BUNDLE" --pidfd-socket "$file" c
		assert_equal 1 "$status"
		assert_match 'connect to pidfd socket .*connection refused' "$err"
		runtime run -d --bundle "$BUNDLE" --pidfd-socket "$file" c
		refused 'connect to pidfd socket .*connection refused'
	done
	config '.process.terminal = true'
	runtime create --bundle "$BUNDLE" --console-socket "$T/f/device" c
	refused 'connect to console socket .*connection refused'
	kept
}
