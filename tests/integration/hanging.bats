# File servers that do not answer, pipes and sockets without a reader. No command of the
# runtime may hang because of them, least of all "delete --force".
# bats file_tags=v2
load helpers

prepare() {
	new_bundle
	args sleep 1000
}

teardown_file() {
	# Mounts that a failed test has left.
	awk -v own="$BATS_RUN_TMPDIR/" '$3 == "fuse" && index($2, own) == 1 { print $2 }' /proc/mounts | xargs -r umount -l || true
}

# silent: $T/silent is a file system that answers only for its root.
silent() {
	[ -c /dev/fuse ] || skip "no /dev/fuse here"
	mkdir "$T/silent"
	background "$PROBE" silent "$T/silent" >"$T/fuse"
	server=$background_pid
	wait_for 5 has_line "$T/fuse" mounted
}

# talk: end the server, and the processes that wait for it.
talk() {
	kill -KILL "$server"
	umount -l "$T/silent"
}

# runtime_within SECONDS COMMAND...: run the runtime, and fail if it takes longer.
runtime_within() {
	local limit
	limit=$(patient "$1")
	shift
	status=0
	timeout --signal KILL "$limit" "$RUNTIME" --root "$ROOT" "$@" </dev/null >"$T/out" 2>"$T/err" 3>&- || status=$?
	read_output
	[ "$status" != 137 ] || failed "$* hangs"
}

# hangs PID: a thread of the process waits for $T/silent, which has read its request:
# earlier, it could still be killed.
hangs() {
	local task
	for task in /proc/"$1"/task/*; do
		! has_line "$T/fuse" "unanswered ${task##*/}" || return 0
	done
	return 1
}

# has_init ID: the state names a process.
has_init() {
	[ "$(jq -r .pid "$ROOT/$1/state.json" 2>/dev/null || echo 0)" -gt 0 ]
}

init_hangs() {
	hangs "$(jq -r .pid "$ROOT/$1/state.json")"
}

# no_leftover_cgroup: remove the cgroup that a hanging process has kept.
remove_cgroup() {
	local dir
	for dir in $(cgroup_dirs "$CGROUP"); do
		wait_for 5 rmdir_if_there "$dir"
	done
}

rmdir_if_there() {
	[ ! -d "$1" ] || rmdir "$1" 2>/dev/null
}

# bats test_tags=berth
@test "delete --force ends a create that waits for a mount source" {
	local option create
	silent
	for option in bind,copy-symlink bind; do
		config '.mounts += [{destination: "/there", type: "bind", source: $source, options: ($options | split(","))}]' \
			--arg source "$T/silent/name" --arg options "$option"
		background "$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" c
		create=$background_pid
		wait_for 5 has_init c
		wait_for 5 init_hangs c
		# The runtime itself does not wait for the server.
		! hangs "$create"
		runtime_within 1 delete --force c
		succeeded "delete --force of a create that hangs"
		assert_match 'which were killed, are in a call that the kernel does not end' "$err"
		no_state_left
		kill -KILL "$create"
		talk
		remove_cgroup
		[ "$option" = bind ] || { rmdir "$T/silent" && silent; }
	done
}

# bats test_tags=berth
@test "delete --force deletes a container with a process that hangs in a file system" {
	silent
	config '.mounts += [{destination: "/silent", type: "bind", source: $source, options: ["bind"]}]' --arg source "$T/silent"
	script 'cat /silent/name & exec sleep 1000'
	start_detached c
	local pid
	pid=$(init_pid c)
	wait_for 5 pgrep -P "$pid" -x cat >/dev/null
	wait_for 5 hangs "$(pgrep -P "$pid" -x cat)"
	runtime_within 1 delete --force c
	succeeded "delete --force of a process that hangs"
	assert_match 'which were killed, are in a call that the kernel does not end' "$err"
	no_state_left
	talk
	remove_cgroup
}

# As CRIU after an interrupted restore: an exiting init waits for its zombies, and those for
# their tracer.
# bats test_tags=berth
@test "delete --force kills a tracer in the container's cgroup that does not reap" {
	[[ -x $(command -v strace) ]] || skip "no strace"
	script 'sleep 1000 & exec sleep 1001'
	start_detached c
	local pid dir tracer
	pid=$(init_pid c)
	wait_for 5 pgrep -P "$pid" -x sleep
	background strace --output /dev/null --attach "$(pgrep -P "$pid" -x sleep)"
	tracer=$background_pid
	wait_for 5 traced "$(pgrep -P "$pid" -x sleep)"
	for dir in $(cgroup_dirs "$CGROUP"); do
		echo "$tracer" >"$dir/cgroup.procs"
	done
	kill -STOP "$tracer"
	runtime_within 5 delete --force c
	succeeded "delete --force"
	no_cgroup_left
}

traced() {
	grep -qE '^TracerPid:	[1-9]' "/proc/$1/status"
}

# bats test_tags=berth
@test "delete --force does not wait for a hook" {
	local create
	config '.hooks.createRuntime = [{path: "/bin/sleep", args: ["sleep", "1000"]}]'
	background "$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" c
	create=$background_pid
	wait_for 5 pgrep -P "$create" -x sleep >/dev/null
	runtime_within 1 delete --force c
	succeeded "delete --force during a hook"
	no_state_left
	no_cgroup_left
	# When the hook ends, create must not change a new container with the same ID.
	config 'del(.hooks)'
	runtime_ok create --bundle "$BUNDLE" c
	pkill -P "$create" -x sleep
	status=0
	wait "$create" || status=$?
	assert_equal 1 "$status"
	assert_equal created "$(status_of c)"
	runtime_ok start c
}

@test "create reports a console socket with a full backlog" {
	config '.process.terminal = true'
	background "$PROBE" backlog "$T/tty.sock"
	wait_for 5 test -S "$T/tty.sock"
	runtime_within 1 create --bundle "$BUNDLE" --console-socket "$T/tty.sock" c
	refused 'resource temporarily unavailable'
	no_state_left
}

# bats test_tags=berth
@test "create reports a pidfd socket with a full backlog" {
	background "$PROBE" backlog "$T/pidfd.sock"
	wait_for 5 test -S "$T/pidfd.sock"
	runtime_within 1 create --bundle "$BUNDLE" --pidfd-socket "$T/pidfd.sock" c
	refused 'resource temporarily unavailable \(its backlog is full: does the server accept connections\?\)$'
	no_state_left
}

# runc waits for a reader.
# bats test_tags=berth
@test "--log reports a pipe without a reader, and loses records in a full pipe" {
	mkfifo "$T/log"
	runtime_within 1 --log "$T/log" list
	refused '--log ".*/log": no such device or address \(a pipe that nobody reads, or a socket\)$'
	exec {unread}<>"$T/log"
	head -c 70000 /dev/zero | timeout 1 tee "$T/log" >/dev/null || true # fills it
	runtime_within 1 --log "$T/log" --debug create --bundle "$BUNDLE" c
	succeeded "create with a log that nobody reads"
	exec {unread}>&-
}

# bats test_tags=berth
@test "no command hangs or uses up memory in another user's state root" {
	local file id operation
	mkdir -p "$ROOT"/{fifo,zero,link,dir,huge}
	mkfifo "$ROOT/fifo/state.json" "$ROOT/pipe"
	ln -s /dev/zero "$ROOT/zero/state.json"
	ln -s /etc "$ROOT/etc"
	ln -s "$T/secret" "$ROOT/link/state.json"
	mkdir "$ROOT/dir/state.json"
	truncate -s 1T "$ROOT/huge/state.json"
	chown -hR 12345 "$ROOT"
	runtime_within 1 list
	succeeded list
	for id in fifo zero link dir huge pipe etc; do
		for operation in state "delete --force" "kill" pause; do
			# shellcheck disable=SC2086 # words
			runtime_within 1 $operation "$id"
			assert_equal 1 "$status"
		done
	done
	# The runtime checks the owner of a state before it looks into the cgroup.
	mkdir "$ROOT/c" "$T/cgroup"
	mkfifo "$T/cgroup/freezer.state" "$T/cgroup/cgroup.events"
	jq -n --arg dir "$T/cgroup" --argjson pid "$$" --argjson start "$(awk '{ print $22 }' /proc/$$/stat)" \
		'{version: 1, id: "c", pid: $pid, startTime: $start, complete: true, cgroups: {"": $dir, freezer: $dir}}' >"$ROOT/c/state.json"
	chown -R 12345 "$ROOT/c"
	runtime_within 1 list -q
	assert_equal c "$out"
	rm -r "$ROOT"
}

# bats test_tags=berth,kernel,guest,host
@test "delete --force does not wait for the reaping of zombies" {
	# PID 1 of this pid namespace does not reap. Init and the process of exec become its
	# children. Init cannot end as long as the other is a zombie.
	# shellcheck disable=SC2016 # for the inner shell
	background unshare --fork --pid --mount-proc --kill-child sh -c '
		("$0" --root "$1" run -d --bundle "$2" c && "$0" --root "$1" exec -d c sleep 1000
		timeout --signal KILL "$3" "$0" --root "$1" delete --force c
		echo "status $?") </dev/null >"$4" 2>&1 &
		exec sleep 1000' "$RUNTIME" "$ROOT" "$BUNDLE" "$(patient 1)" "$T/deleted"
	wait_for 10 grep -q status "$T/deleted"
	assert_equal "status 0" "$(<"$T/deleted")"
	no_state_left
	no_cgroup_left
}
