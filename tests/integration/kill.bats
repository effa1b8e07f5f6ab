# kill.
# bats file_tags=v2,kernel
load helpers

prepare() {
	new_bundle
}

# start_trapping SIGNAL...: start a container that prints which of these it gets.
start_trapping() {
	local signal text=
	for signal in "$@"; do
		text+="trap 'echo got $signal' $signal; "
	done
	script "$text echo ready; while :; do sleep 0.05; done"
	"$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/c.out" 2>&1 3>&-
	wait_for 5 has_line "$T/c.out" ready
}

# gets SIGNAL SPELLING: the container gets the signal when kill has this spelling.
gets() {
	: >"$T/c.out"
	runtime_ok kill c "$2"
	assert_equal "" "$out$err"
	wait_for 5 has_line "$T/c.out" "got $1" || failed "kill c $2: $(cat "$T/c.out")"
}

@test "kill sends TERM by default" {
	start_trapping TERM
	: >"$T/c.out"
	runtime_ok kill c
	wait_for 5 has_line "$T/c.out" "got TERM"
}

@test "kill knows signals by name, with and without SIG, in any case, and by number" {
	start_trapping TERM HUP USR1 USR2 WINCH
	gets TERM TERM
	gets TERM SIGTERM
	gets TERM term
	gets TERM SigTerm
	gets TERM 15
	gets HUP 1
	gets HUP SIGHUP
	gets USR1 usr1
	gets USR1 10
	gets USR2 SIGUSR2
	gets WINCH SIGWINCH
}

@test "kill knows the alternative names of signals" {
	start_trapping CHLD IO ABRT
	gets ABRT IOT
	gets IO POLL
	gets CHLD CLD
}

@test "kill knows the real-time signals" {
	start_trapping 34 37 64
	gets 37 SIGRTMIN+3
	gets 37 RTMIN+3
	gets 34 rtmin
	gets 64 SIGRTMAX
	gets 37 SIGRTMAX-27
	gets 37 37
}

@test "kill 0 only checks that init exists" {
	start_trapping TERM
	runtime_ok kill c 0
	alive "$(init_pid c)"
}

@test "kill KILL ends a container" {
	start_trapping TERM
	local pid
	pid=$(init_pid c)
	runtime_ok kill c KILL
	wait_for 5 dead "$pid"
	assert_equal stopped "$(status_of c)"
}

@test "kill signals a created container" {
	args sleep 1000
	runtime_ok create --bundle "$BUNDLE" c
	runtime_ok kill c 9
	wait_for 5 has_status c stopped
}

@test "a signal that ends a program by default ends a created container" {
	local signal
	args sleep 1000
	for signal in TERM INT HUP; do
		runtime_ok create --bundle "$BUNDLE" c
		runtime_ok kill c WINCH
		assert_equal created "$(status_of c)"
		runtime_ok kill c "$signal"
		wait_for 5 has_status c stopped
		runtime start c
		refused 'cannot start a container that has stopped'
		runtime_ok delete c
	done
}

@test "kill --all of such a signal ends a created container" {
	args sleep 1000
	runtime_ok create --bundle "$BUNDLE" c
	runtime_ok kill --all c TERM
	wait_for 5 has_status c stopped
}

@test "kill signals init alone" {
	script 'trap "" TERM; sleep 1000 & trap "echo first" TERM; echo ready; while :; do wait; done'
	"$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/c.out" 2>&1 3>&-
	wait_for 5 has_line "$T/c.out" ready
	local child
	wait_for 5 pgrep -P "$(init_pid c)" -x sleep >/dev/null
	child=$(pgrep -P "$(init_pid c)" -x sleep)
	runtime_ok kill c USR1
	alive "$child"
}

@test "kill KILL kills all processes of a container that shares its pid namespace" {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	script 'sleep 1000 & sleep 1000 & echo ready; exec sleep 1000'
	"$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/c.out" 2>&1 3>&-
	wait_for 5 has_line "$T/c.out" ready
	runtime_ok kill c KILL
	wait_for 5 no_orphans
}

@test "kill refuses an unknown signal name" {
	start_trapping TERM
	local name
	for name in FOO SIGFOO SIG TERMX ' TERM' RTMIN99; do
		runtime kill c "$name"
		refused "unknown signal \"$name\"" || failed "signal: $name"
	done
	alive "$(init_pid c)"
}

@test "kill refuses an invalid signal number" {
	start_trapping TERM
	runtime kill c 1000
	refused 'invalid argument'
	runtime kill -- c -1
	assert_equal 1 "$status"
	alive "$(init_pid c)"
}

@test "kill refuses a stopped container" {
	args true
	start_detached c
	wait_for 5 has_status c stopped
	runtime kill c
	refused 'container not running$'
	runtime kill c 0
	refused 'container not running$'
}

@test "kill --all ignores a stopped container" {
	args true
	start_detached c
	wait_for 5 has_status c stopped
	runtime_ok kill --all c KILL
	assert_equal "" "$out$err"
	runtime_ok kill -a c KILL
}

@test "kill --all signals a running container" {
	start_trapping TERM
	: >"$T/c.out"
	runtime_ok kill --all c TERM
	wait_for 5 has_line "$T/c.out" "got TERM"
}

@test "kill refuses a container that does not exist" {
	runtime kill c
	refused 'container does not exist$'
	runtime kill --all c
	refused 'container does not exist$'
	runtime kill a/b
	refused 'invalid container ID format'
}

@test "kill takes two arguments at most" {
	start_trapping TERM
	runtime kill c TERM more
	assert_equal 1 "$status"
	assert_match '"kill" requires a maximum of 2 argument\(s\)' "$msg"
}

# start_family ID: start a container with three processes that print when they get TERM.
start_family() {
	script 'member() { trap "echo $1 got TERM" TERM; echo $1 ready; while :; do sleep 0.05; done; }; member a & member b & member c'
	"$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" "$1" </dev/null >"$T/c.out" 2>&1 3>&-
	wait_for 5 all_say ready
}

all_say() {
	local name
	for name in a b c; do has_line "$T/c.out" "$name $1" || return 1; done
}

@test "kill --all sends any signal to all processes" {
	start_family c
	runtime_ok kill --all c TERM
	wait_for 5 all_say "got TERM"
	assert_equal running "$(status_of c)"
}

@test "kill --all of a paused container waits until it is resumed" {
	start_family c
	: >"$T/c.out"
	runtime_ok pause c
	runtime_ok kill -a c TERM
	assert_equal paused "$(status_of c)"
	assert_equal "" "$(cat "$T/c.out")"
	runtime_ok resume c
	wait_for 5 all_say "got TERM"
}

# kills_all_on VIEW: kill processes that each start the next and end. A runtime that
# kills one after the other without freezing them misses some.
kills_all_on() {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	# shellcheck disable=SC2016 # for the inner shells
	script 'export hop="sh -c \"\$hop\" &"; i=0; while [ $i -lt 20 ]; do i=$((i + 1)); sh -c "$hop"; done; echo ready; exec sleep 1000'
	in_view "$1" "$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/c.out" 2>&1 3>&-
	wait_for 5 has_line "$T/c.out" ready
	in_view "$1" "$RUNTIME" --root "$ROOT" kill --all c KILL
	wait_for 10 no_orphans
	in_view "$1" "$RUNTIME" --root "$ROOT" delete c
}

# bats test_tags=v1
@test "kill --all KILL kills processes that fork, on v1" {
	kills_all_on v1
}

@test "kill --all KILL kills processes that fork, on v2" {
	kills_all_on v2
}

@test "kill --all KILL kills processes that fork, on v1 and v2" {
	kills_all_on hybrid
}

@test "kill --all KILL kills the processes that init left" {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	script 'sleep 1000 & sleep 1000 &'
	start_detached c
	wait_for 5 has_status c stopped
	assert_equal 2 "$(orphans | wc -l)"
	runtime_ok kill --all c KILL
	wait_for 5 no_orphans
}

# bats test_tags=berth
@test "kill --regex signals every container with a matching ID" {
	args sleep 1000
	local id
	for id in web-1 web-2 db-1; do
		config '.linux.cgroupsPath = $cgroup' --arg cgroup "$CGROUP-$id"
		start_detached "$id"
	done
	runtime_ok kill --regex '^web-' KILL
	wait_for 5 has_status web-1 stopped
	wait_for 5 has_status web-2 stopped
	assert_equal running "$(status_of db-1)"
	runtime_ok kill -r 1 KILL
	wait_for 5 has_status db-1 stopped
	runtime_ok kill --regex 'nothing' KILL
	runtime kill --regex '(' KILL
	refused '--regex: error parsing regexp: .*\('
}

# leave_processes: start a container without a pid namespace of its own, whose init exits
# before two other processes.
leave_processes() {
	config 'del(.linux.namespaces[] | select(.type == "pid"))'
	script 'sleep 1000 & sleep 1000 &'
	start_detached c
	wait_for 5 has_status c stopped
	[ "$(pgrep -c -x sleep)" -ge 2 ]
}

@test "kill KILL kills the processes that an exited init left" {
	leave_processes
	runtime_ok kill c KILL
	assert_equal "" "$out$err"
	wait_for 5 no_orphans
	runtime kill c KILL
	refused 'container not running$'
}

@test "kill TERM refuses a container after its init has exited, and spares the remaining processes" {
	leave_processes
	runtime kill c TERM
	refused 'container not running$'
	[ "$(pgrep -c -x sleep)" -ge 2 ]
}

# freeze_below: freeze a process of the container in a cgroup below the container's, as
# the container itself can; its pid is in $frozen.
freeze_below() {
	local freezer=/sys/fs/cgroup/freezer$CGROUP
	script 'sleep 1000 & echo ready; exec sleep 1000'
	"$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/c.out" 2>&1 3>&-
	wait_for 5 has_line "$T/c.out" ready
	frozen=$(pgrep -o -P "$(init_pid c)")
	mkdir -p "$freezer/sub/sub"
	echo "$frozen" >"$freezer/sub/sub/cgroup.procs"
	echo FROZEN >"$freezer/sub/sub/freezer.state"
	wait_for 5 grep -qx FROZEN "$freezer/sub/sub/freezer.state"
}

# bats test_tags=v1, berth
@test "kill KILL ends a container that has frozen processes of its own, on v1" {
	local namespace
	for namespace in pid none; do
		config 'del(.linux.namespaces[] | select(.type == $type))' --arg type "${namespace/none/pid}"
		[ "$namespace" = none ] || config '.linux.namespaces += [{type: "pid"}]'
		freeze_below
		runtime_ok kill c KILL
		wait_for 5 has_status c stopped
		wait_for 5 dead "$frozen"
		runtime_ok delete c
	done
}

# bats test_tags=v1, berth
@test "delete --force removes a container that has frozen processes of its own, on v1" {
	freeze_below
	runtime_ok delete --force c
	dead "$frozen"
}

@test "signals that end a program end a created container, also without the runtime" {
	local signal
	args sleep 1000
	for signal in TERM INT HUP QUIT; do
		runtime_ok create --bundle "$BUNDLE" c
		kill "-$signal" "$(init_pid c)"
		wait_for 5 has_status c stopped || failed "$signal"
		runtime_ok delete c
	done
}

# bats test_tags=berth
@test "a program starts with the default action of the signals that end a created container" {
	args grep -E '^Sig(Cgt|Ign)' /proc/self/status
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal $'SigIgn:\t0000000000000000\nSigCgt:\t0000000000000000' "$out"
}

# bats test_tags=berth
@test "kill reports that it cannot find out whether the container was started" {
	args sleep 1000
	runtime_ok create --bundle "$BUNDLE" c
	failing newfstatat EIO "$ROOT/c/control" -- kill c TERM
	refused 'control.*: input/output error'
	has_status c created
	runtime_ok kill c TERM
	wait_for 5 has_status c stopped
	runtime_ok delete c
}
