# pause and resume.
# bats file_tags=v2,kernel
load helpers

prepare() {
	new_bundle
}

# start_counting: start a container with two processes that count.
start_counting() {
	script 'count() { n=0; while :; do n=$((n + 1)); echo $n >/tmp/$1; sleep 0.01; done; }; mkdir -p /tmp; count a & count b'
	config '.mounts += [{destination: "/tmp", type: "bind", source: $dir, options: ["bind", "rw"]}]' --arg dir "$T/counts"
	mkdir "$T/counts"
	start_detached c
	wait_for 10 counting
}

# counting: both processes count on.
counting() {
	local a b
	a=$(cat "$T/counts/a") b=$(cat "$T/counts/b")
	wait_for 10 changed a "$a" && wait_for 10 changed b "$b"
}

changed() {
	local now
	now=$(cat "$T/counts/$1")
	[[ -n $now && $now != "$2" ]]
}

# not_counting: neither counts on within a while.
not_counting() {
	local before i
	before=$(cat "$T"/counts/*)
	for i in 1 2 3 4 5; do "$RUNTIME" --root "$ROOT" state c >/dev/null; done
	[ "$before" = "$(cat "$T"/counts/*)" ]
}

# freezer: the directory of the container's freezer cgroup, of v1 if it exists.
freezer() {
	local dir
	for dir in $(cgroup_dirs "$CGROUP"); do
		[ ! -e "$dir/freezer.state" ] || break
	done
	echo "$dir"
}

# frozen: the kernel reports that the processes are frozen.
frozen() {
	local dir
	dir=$(freezer)
	grep -qsx FROZEN "$dir/freezer.state" || grep -qsx 'frozen 1' "$dir/cgroup.events"
}

@test "pause freezes all processes, resume thaws them" {
	start_counting
	runtime_ok pause c
	assert_equal "" "$out$err"
	frozen
	not_counting
	runtime_ok state c
	assert_equal paused "$(jq -r .status <<<"$out")"
	assert_equal "$(init_pid c)" "$(jq -r .pid <<<"$out")"
	runtime_ok list
	assert_match '^c +[0-9]+ +paused ' "$(tail -n 1 <<<"$out")"
	runtime_ok resume c
	assert_equal "" "$out$err"
	counting
	assert_equal running "$(status_of c)"
}

@test "start works for a created container that was paused and resumed" {
	args touch /tmp/started
	config '.mounts += [{destination: "/tmp", type: "bind", source: $dir, options: ["bind", "rw"]}]' --arg dir "$T"
	runtime_ok create --bundle "$BUNDLE" c
	runtime_ok pause c
	assert_equal paused "$(status_of c)"
	runtime start c
	refused 'cannot start a container in the paused state'
	runtime_ok resume c
	assert_equal created "$(status_of c)"
	runtime_ok start c
	wait_for 5 has_status c stopped
	[ -e "$T/started" ]
}

@test "pause refuses a container that is not created or running" {
	args sleep 1000
	start_detached c
	runtime_ok pause c
	runtime pause c
	refused 'container (not running|is already paused)$'
	runtime_ok resume c
	runtime_ok kill c KILL
	wait_for 5 has_status c stopped
	runtime pause c
	refused 'container not running$'
	runtime pause nobody
	refused 'container does not exist$'
}

@test "resume refuses a container that is not paused" {
	args sleep 1000
	start_detached c
	runtime resume c
	refused 'container not paused$'
	runtime_ok kill c KILL
	wait_for 5 has_status c stopped
	runtime resume c
	refused 'container not paused$'
	runtime resume nobody
	refused 'container does not exist$'
}

@test "pause and resume accept one ID and nothing else" {
	runtime pause
	[ "$status" = 1 ]
	assert_match '"pause" requires exactly 1 argument' "$msg"
	runtime resume c d
	[ "$status" = 1 ]
	assert_match '"resume" requires exactly 1 argument' "$msg"
}

@test "kill KILL ends a paused container" {
	start_counting
	runtime_ok pause c
	runtime_ok kill c KILL
	wait_for 5 has_status c stopped
	runtime_ok delete c
}

@test "another signal reaches a paused container when it is resumed" {
	script "trap 'echo got it; exit' TERM; echo ready; while :; do sleep 0.05; done"
	"$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/c.out" 2>&1 3>&-
	wait_for 5 has_line "$T/c.out" ready
	runtime_ok pause c
	runtime_ok kill c TERM
	assert_equal paused "$(status_of c)"
	assert_equal ready "$(cat "$T/c.out")"
	runtime_ok resume c
	wait_for 5 has_line "$T/c.out" "got it"
	wait_for 5 has_status c stopped
}

@test "delete refuses a paused container, delete --force removes it" {
	start_counting
	runtime_ok pause c
	runtime delete c
	refused 'cannot delete container c that is not stopped: paused'
	assert_equal paused "$(status_of c)"
	runtime_ok delete --force c
	no_cgroup_left
}

@test "resume thaws a container that another program has frozen" {
	start_counting
	local dir
	dir=$(freezer)
	if [ -e "$dir/freezer.state" ]; then echo FROZEN >"$dir/freezer.state"; else echo 1 >"$dir/cgroup.freeze"; fi
	wait_for 10 frozen
	assert_equal paused "$(status_of c)"
	runtime_ok resume c
	counting
}

@test "pause and resume work on v2" {
	args sleep 1000
	in_view v2 "$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/out" 2>&1 3>&-
	in_view v2 "$RUNTIME" --root "$ROOT" pause c
	grep -q '^frozen 1' "$(cgroup_dirs "$CGROUP")/cgroup.events"
	assert_equal paused "$(in_view v2 "$RUNTIME" --root "$ROOT" state c | jq -r .status)"
	in_view v2 "$RUNTIME" --root "$ROOT" resume c
	grep -q '^frozen 0' "$(cgroup_dirs "$CGROUP")/cgroup.events"
	assert_equal running "$(in_view v2 "$RUNTIME" --root "$ROOT" state c | jq -r .status)"
	in_view v2 "$RUNTIME" --root "$ROOT" pause c
	in_view v2 "$RUNTIME" --root "$ROOT" kill c KILL
	wait_for 5 has_status c stopped
	in_view v2 "$RUNTIME" --root "$ROOT" delete c
}
