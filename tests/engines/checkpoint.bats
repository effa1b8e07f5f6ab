# Checkpoint and restore by CRIU, of the engines that have them.
load helpers

# counting OPTION...: start a container that counts on standard output.
counting() {
	detached 'n=0; echo ready; while :; do n=$((n + 1)); echo $n; sleep 0.05; done' "$@"
	wait_for 10 beyond 3
}

# counted: the last number of the container.
counted() {
	"$ENGINE" logs "$NAME" 2>/dev/null | grep -x '[0-9]*' | tail -n 1
}

# beyond NUMBER: the container has counted beyond the number.
beyond() {
	local n
	n=$(counted)
	[ "${n:-0}" -gt "$1" ]
}

# no_gap FROM: the log has each number from there once, in order.
no_gap() {
	local numbers
	numbers=$("$ENGINE" logs "$NAME" 2>/dev/null | grep -x '[0-9]*')
	assert_equal "$(seq "$1" "$(tail -n 1 <<<"$numbers")")" "$numbers"
}

# bats test_tags=new-podman
@test "podman checkpoint stops a container, and restore continues it" {
	local limit=()
	! has_controller memory || limit=(--memory 64m)
	counting "${limit[@]}"
	engine_ok container checkpoint "$NAME"
	assert_equal 'exited true' "$(inspected '{{.State.Status}} {{.State.Checkpointed}}')"
	no_runtime_state
	local last
	last=$(counted)
	engine_ok container restore "$NAME"
	wait_for 10 beyond "$last"
	no_gap 1
	assert_equal 'running true' "$(inspected '{{.State.Status}} {{.State.Restored}}')"
	engine_ok exec "$NAME" sh -c 'tr "\0" " " </proc/1/cmdline'
	assert_match '^sh -c n=0' "$out"
	if has_controller memory; then
		knob_is 67108864 67108864 memory memory.limit_in_bytes memory.max
	fi
	engine_ok stop -t 0 "$NAME"
	inspect_is '{{.State.ExitCode}}' 137
}

# bats test_tags=new-podman
@test "podman checkpoint --leave-running lets a container run" {
	counting
	local pid last
	pid=$(inspected '{{.State.Pid}}')
	engine_ok container checkpoint --leave-running "$NAME"
	assert_equal "running $pid" "$(inspected '{{.State.Status}} {{.State.Pid}}')"
	last=$(counted)
	wait_for 10 beyond "$last"
	no_gap 1
}

# bats test_tags=new-podman
@test "podman checkpoint --export saves a container, and restore --import makes it" {
	counting
	engine_ok exec "$NAME" sh -c 'echo changed >/srv/file; rm /srv/text; ln -s file /srv/link'
	local last first=$NAME
	engine_ok container checkpoint --export "$T/checkpoint.tar.gz" "$NAME"
	last=$(counted)
	engine_ok rm "$NAME"
	engine_ok container restore --import "$T/checkpoint.tar.gz"
	wait_for 10 beyond "$last"
	no_gap 1 # the archive has the log
	engine_ok exec "$NAME" sh -c 'cat /srv/link; [ ! -e /srv/text ] && hostname'
	assert_equal $'changed\n'"$(inspected '{{.Config.Hostname}}')" "$out"

	# A second container of the same image.
	NAME=$first-other
	engine_ok container restore --import "$T/checkpoint.tar.gz" --name "$NAME"
	wait_for 10 beyond "$last"
	no_gap 1
	assert_equal true "$(podman inspect --format '{{.State.Running}}' "$first")"
	refute_match "$(podman inspect --format '{{.Id}}' "$first")" "$(inspected '{{.Id}}')"
}

# bats test_tags=new-podman
@test "podman checkpoint --export --leave-running saves a running container" {
	counting
	engine_ok container checkpoint --export "$T/checkpoint.tar" --compress none --leave-running "$NAME"
	local last
	last=$(counted)
	wait_for 10 beyond "$last"
	NAME=$NAME-other
	engine_ok container restore --import "$T/checkpoint.tar" --name "$NAME"
	wait_for 10 beyond "$last"
}

# bats test_tags=new-podman
@test "podman checkpoint --pre-checkpoint fails on a kernel that does not track memory" {
	counting
	local last
	last=$(counted)
	engine container checkpoint --pre-checkpoint "$NAME"
	if [ "$status" = 0 ]; then
		assert_equal running "$(inspected '{{.State.Status}}')"
		engine_ok container checkpoint --with-previous "$NAME"
		last=$(counted)
		engine_ok container restore "$NAME"
	else
		assert_match 'criu failed: type PRE_DUMP|(CRIU|criu) is missing features' "$err"
	fi
	assert_equal running "$(inspected '{{.State.Status}}')"
	wait_for 10 beyond "$((last + 3))"
	no_gap 1
}

# dump_log TEXT: CRIU's log of the container's checkpoint has the text.
dump_log() {
	grep -qF "$1" "/var/lib/containers/storage/overlay-containers/$(inspected '{{.Id}}')/userdata/dump.log"
}

# bats test_tags=new-podman
@test "podman checkpoint --tcp-established keeps connections" {
	# Each number goes through the connection and back.
	# shellcheck disable=SC2016 # for the container's shell
	detached 'mkfifo /there; nc -l -p 1234 -e cat &
		while ! netstat -ltn | grep -q :1234; do sleep 0.05; done
		nc 127.0.0.1 1234 </there & exec 5>/there
		n=0; echo ready; while :; do n=$((n + 1)); echo $n >&5; sleep 0.05; done'
	wait_for 10 beyond 3
	engine container checkpoint "$NAME"
	[ "$status" != 0 ]
	dump_log 'Connected TCP socket'
	local last
	last=$(counted)
	wait_for 10 beyond "$last"
	engine container checkpoint --tcp-established "$NAME"
	# Of TCP, since Linux 6.16.
	! dump_log "Can't get 1:16 opt" || skip "this CRIU cannot dump sockets on this kernel"
	succeeded "checkpoint --tcp-established"
	last=$(counted)
	engine_ok container restore --tcp-established "$NAME"
	wait_for 10 beyond "$last"
	no_gap 1
}

# bats test_tags=new-podman
@test "podman checkpoint --file-locks keeps locks" {
	# shellcheck disable=SC2016 # for the container's shell
	detached 'exec /probe lock /tmp/lock /bin/sh -c "echo ready; n=0; while :; do n=\$((n + 1)); echo \$n; sleep 0.05; done"' -v "$PROBE:/probe:ro"
	engine container checkpoint "$NAME"
	[ "$status" != 0 ]
	dump_log 'Some file locks are hold'
	local last
	last=$(counted)
	wait_for 10 beyond "$last"
	engine_ok container checkpoint --file-locks "$NAME"
	last=$(counted)
	engine_ok container restore --file-locks "$NAME"
	wait_for 10 beyond "$last"
	engine exec "$NAME" /probe lock /tmp/lock /bin/true
	assert_equal 1 "$status"
	assert_match 'resource temporarily unavailable' "$err"
}

# bats test_tags=new-docker
@test "docker checkpoint create stops a container, and start --checkpoint continues it" {
	needs_root "CRIU needs root"
	counting
	engine_ok checkpoint create "$NAME" first
	wait_for 10 inspect_is '{{.State.Running}}' false
	engine_ok checkpoint ls "$NAME"
	assert_match first "$out"
	local last
	last=$(counted)
	engine_ok start --checkpoint first "$NAME"
	wait_for 10 beyond "$last"
	no_gap 1
	assert_equal true "$(inspected '{{.State.Running}}')"
	engine_ok exec "$NAME" sh -c 'tr "\0" " " </proc/1/cmdline'
	assert_match '^sh -c n=0' "$out"
	engine_ok checkpoint rm "$NAME" first
}

# bats test_tags=new-docker
@test "docker checkpoint create --leave-running lets a container run" {
	needs_root "CRIU needs root"
	counting
	engine_ok checkpoint create --leave-running --checkpoint-dir "$T" "$NAME" first
	assert_equal true "$(inspected '{{.State.Running}}')"
	local last
	last=$(counted)
	wait_for 10 beyond "$last"
	no_gap 1
	[ -n "$(find "$T" -name pstree.img)" ]
}
