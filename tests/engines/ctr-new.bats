# Checkpoint and restore by containerd's client ctr, with CRIU.
# bats file_tags=new-containerd
load helpers

# The restored container has the root file system of the checkpoint: a second start would
# add a line to /tmp/starts.
# shellcheck disable=SC2016 # for the container's shell
counter='trap "exit 4" TERM; echo start >>/tmp/starts; n=0; while :; do n=$((n + 1)); echo $n >/tmp/n; sleep 0.05; done'

setup_file() {
	criu check >/dev/null 2>&1 || skip "CRIU does not work with this kernel"
}

count() {
	ctr task exec --exec-id "e$RANDOM$RANDOM" "$NAME" cat /tmp/n
}

# counts [MORE-THAN]: the counter counts on, for wait_for.
counts() {
	local n
	n=$(count) && [[ -n $n && $n -gt ${1:-0} ]]
}

# removed: kill and remove the container.
removed() {
	engine_ok task rm -f "$NAME"
	engine_ok containers rm "$NAME"
}

@test "a restored container continues where checkpoint saved it" {
	ctr_start -- sh -c "$counter"
	wait_for 10 counts
	local saved
	saved=$(count)
	engine_ok containers checkpoint --rw --image --task "$NAME" "saved-$NAME"
	task_is RUNNING
	wait_for 10 counts "$(count)"
	removed
	engine_ok containers restore --rw --live "$NAME" "saved-$NAME"
	task_is RUNNING
	wait_for 10 counts "$((saved + 1))"
	ctr_exec -- cat /tmp/starts
	assert_equal start "$out"
	engine_ok task pause "$NAME"
	engine_ok task resume "$NAME"
	engine_ok containers checkpoint --task "$NAME" "again-$NAME"
	engine_ok task kill "$NAME"
	wait_for 10 task_is STOPPED
	engine task rm "$NAME"
	assert_match 'exit code 4' "$err"
	engine_ok images rm "saved-$NAME" "again-$NAME"
}

@test "restore connects a terminal, and returns the exit status" {
	# shellcheck disable=SC2016 # for the container's shell
	on_terminal ctr run -d --tty "${with_berth[@]}" "$IMAGE" "$NAME" sh -c ': >/tmp/runs; read line; tty; echo got $line; exit 3'
	wait_for 10 runs
	engine_ok containers checkpoint --rw --image --task "$NAME" "saved-$NAME"
	removed
	echo typed >"$T/in"
	STDIN=$T/in on_terminal ctr containers restore --rw --live "$NAME" "saved-$NAME"
	assert_equal 3 "$status"
	assert_match '/dev/pts/0' "$out"
	assert_match 'got typed' "$out"
	engine_ok images rm "saved-$NAME"
}

runs() {
	ctr_exec -- test -e /tmp/runs
	[ "$status" = 0 ]
}

@test "task checkpoint --exit ends the container" {
	if [ -n "$SHIM" ] && [[ $(containerd --version) == *' 1.'* ]]; then
		skip "ctr 1.x has the options of a checkpoint only for the type io.containerd.runc.v2"
	fi
	ctr_start -- sh -c "$counter"
	wait_for 10 counts
	engine_ok task checkpoint --exit "$NAME"
	assert_match "^containerd.io/checkpoint/$NAME:" "$out"
	wait_for 10 task_is STOPPED
	dead "$pid"
	engine_ok images rm "$out"
	engine task rm "$NAME"
	assert_match 'exit code 137' "$err"
}
