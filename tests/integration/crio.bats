# The calls of CRI-O.
load helpers

prepare() {
	new_bundle
	crio_bundle
}

# bats test_tags=berth
@test "both outputs of features together are JSON, and have what CRI-O looks for" {
	run -0 "$RUNTIME" features
	assert_equal true "$(jq '(.ociVersionMin != "") and (.ociVersionMax != "")
		and .linux.mountExtensions.idmap.enabled and (.mountOptions | index("rro") != null)' <<<"$output")"
}

# bats test_tags=v2,kernel
@test "a container is created by conmon, started, stopped by a signal's name, and deleted" {
	running
	assert_equal "$(<"$T/pid")" "$(<"$BUNDLE/pidfile")"
	crio_ok state c
	# Fields that CRI-O has in the same struct and sets itself.
	assert_equal '["running",[]]' "$(jq -c '[.status, [keys[] | select(IN("started", "finished", "exitCode", "oomKilled",
		"seccompKilled", "error", "initPid", "initStartTime", "checkpointedTime", "containerMonitorProcess"))]]' <<<"$out")"
	crio_ok kill c TERM
	exited 7
	wait_for 5 has_status c stopped
	crio kill c TERM
	not_found
	crio_ok delete --force c
	crio state c
	assert_equal 1 "$status"
}

# bats test_tags=v2
@test "a container that ignores its signal is killed by number, with all its processes" {
	script 'trap "" TERM; sleep 1000 & while :; do wait; done'
	created
	answer .pid >"$T/pid"
	crio_ok start c
	wait_for 5 ignores_term "$(<"$T/pid")"
	crio_ok kill c SIGTERM
	crio_ok kill c 9
	exited 137
	crio kill c KILL
	not_found
	crio_ok delete --force c
}

@test "conmon passes the message of a failed create on" {
	config '.root.path = "missing"'
	created
	assert_equal -1 "$(answer 'select(.message | test("missing.*no such file")) | .pid')"
	crio_ok delete --force c
}

# bats test_tags=v2
@test "exec through conmon reports the exit status and logs the output, as probes need" {
	running
	process sh -c 'echo probed; echo failed >&2; exit 3'
	monitor --exec --exec-process-spec "$T/process.json" --container-pidfile "$T/exec.pid" --log-path "$T/exec.log" \
		--no-sync-log
	assert_equal 3 "$(answer .exit_code)"
	assert_lines $'stdout F probed\nstderr F failed' "$(cut -d ' ' -f 2- "$T/exec.log")"
	# A probe of a program that is not there fails with a message.
	process missing
	monitor --exec --exec-process-spec "$T/process.json" --container-pidfile "$T/exec.pid" --log-path "$T/exec.log"
	assert_equal -1 "$(answer 'select(.message | test("missing")) | .exit_code')"
}

@test "exec with a terminal, as a shell in a pod, returns the exit status" {
	running
	process sh -c 'test -t 0 && test -t 1 && read line && echo "got $line" && exit 5'
	jq '.terminal = true' "$T/process.json" >"$T/terminal.json"
	status=0
	echo hello | command script --quiet --return --log-out "$T/typescript" --command \
		"$RUNTIME --root $ROOT exec --process $T/terminal.json c" >"$T/out" || status=$?
	assert_equal 5 "$status"
	assert_match 'got hello' "$(<"$T/out")"
}

@test "exec without a terminal, in the foreground, has three streams" {
	running
	process sh -c 'read line; echo "out $line"; echo "err $line" >&2; exit 4'
	RUNTIME_STDIN=$T/in
	echo hello >"$T/in"
	crio exec --process "$T/process.json" c
	assert_equal "4 out hello err hello" "$status $out $err"
}

# bats test_tags=host,guest
@test "update reads new limits from standard input" {
	running
	needs_limit memory cpu-share
	RUNTIME_STDIN=$T/resources.json
	echo '{"cpu": {"shares": 512}, "memory": {"limit": 67108864}}' >"$T/resources.json"
	crio_ok update --resources - c
	assert_limit memory 67108864
	assert_limit cpu-share 512
}

# bats test_tags=v2
@test "a paused container is paused for CRI-O, too, and killed" {
	running
	crio_ok pause c
	assert_equal paused "$(status_of c)"
	crio_ok resume c
	assert_equal running "$(status_of c)"
	crio_ok pause c
	crio_ok delete --force c
	exited 137
}

# bats test_tags=criu
@test "a checkpoint is restored through conmon" {
	running
	crio_ok checkpoint --image-path "$T/checkpoint" --work-path "$T" --leave-running c
	assert_equal running "$(status_of c)"
	crio_ok delete --force c
	exited 137
	rm "$T/exits/c"
	created --restore "$T/checkpoint"
	answer .pid >"$T/pid"
	assert_equal running "$(status_of c)"
	assert_equal "$(init_pid c)" "$(<"$T/pid")"
	crio_ok kill c TERM
	exited 7
}
