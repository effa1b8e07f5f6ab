# Containers of an unprivileged user: the result of every operation with and without a
# cgroup, in a pid namespace that is private, joined or the host's. The table in expect
# states each cell.
# bats file_tags=berth
load helpers

prepare() {
	rootless_user
}

# The error of an operation that needs a cgroup.
NEEDS_CGROUP='no cgroup .*systemd-run --user --scope -p Delegate=yes'
# The warning of an operation that reaches only init.
INIT_ALONE="only the container's init was signalled: .*cannot be found: no cgroup .*systemd-run --user --scope -p Delegate=yes"

# expect CGROUP PIDNS OPERATION: print "all" if the operation reaches all processes,
# "init" if only init, with a warning; "works", or the error that refuses it.
expect() {
	case "$1 $2 $3" in
	none\ *\ ps | none\ *\ pause | none\ *\ update | none\ *\ events) echo "$NEEDS_CGROUP" ;;
	*\ exec) echo works ;;
	none\ private\ *) echo all ;;
	none\ *) echo init ;;
	delegated\ *\ update) can_limit pids && echo works || echo 'controller "pids" is not available in the cgroup' ;;
	delegated\ *\ ps | delegated\ *\ pause | delegated\ *\ events) echo works ;;
	delegated\ *) echo all ;;
	esac
}

# can_limit CONTROLLER: cgroup v2 has the controller here.
can_limit() {
	grep -qsw "$1" /sys/fs/cgroup/cgroup.controllers /sys/fs/cgroup/unified/cgroup.controllers
}

OPERATIONS='kill-KILL kill-all-KILL kill-all-TERM delete ps pause update events exec'

# pid_namespace private|joined|host: set the pid namespace of the bundle.
pid_namespace() {
	case $1 in
	private) return ;;
	joined)
		rootless_bundle "$T/pod"
		config --bundle "$T/pod" '.process.args = ["sleep", "1000"]'
		runtime_ok run --detach --bundle "$T/pod" pod
		config '.linux.namespaces |= map(if .type == "pid" or .type == "user" then .path = "/proc/" + $pid + "/ns/" + .type else . end)
			| del(.linux.uidMappings, .linux.gidMappings)' --arg pid "$(init_pid pod)"
		;;
	host) config 'del(.linux.namespaces[] | select(.type == "pid"))' ;;
	esac
	# Only a pid namespace of the container's own allows mounting a procfs.
	config '.mounts |= map(select(.type != "proc")) | del(.linux.maskedPaths, .linux.readonlyPaths)'
}

# row CGROUP PIDNS: try all operations.
row() {
	local operation want
	rootless_bundle
	[ "$1" = none ] || delegate_cgroup
	pid_namespace "$2"
	script 'member() { trap "echo $1 got TERM" TERM; echo $1 ready; while :; do sleep 0.05; done; }; member child & member init'
	for operation in $OPERATIONS; do
		want=$(expect "$1" "$2" "$operation")
		"$RUNTIME" --root "$ROOT" run --detach --bundle "$BUNDLE" c </dev/null >"$T/c.out" 2>"$T/c.err" 3>&- || failed "run: $(<"$T/c.err")"
		wait_for 10 both_say ready
		init=$(init_pid c)
		child=$(pgrep -o -P "$init" -x sh)
		cell "$operation" "$want" || failed "cgroup $1, pid namespace $2: $operation: want $want" "stdout: $out" "stderr: $err"
		"$RUNTIME" --root "$ROOT" delete --force c 2>/dev/null
		kill -KILL "$child" 2>/dev/null || true
		wait_for 5 dead "$child"
	done
	[ "$2" != joined ] || runtime_ok delete --force pod
}

both_say() {
	has_line "$T/c.out" "init $1" && has_line "$T/c.out" "child $1"
}

# cell OPERATION EXPECTATION
cell() {
	local command
	case $1 in
	kill-KILL) command='kill c KILL' ;;
	kill-all-KILL) command='kill --all c KILL' ;;
	kill-all-TERM) command='kill --all c TERM' ;;
	delete) command='delete --force c' ;;
	update) command='update --pids-limit 100 c' ;;
	events) command='events --stats c' ;;
	exec) command='exec c echo executed' ;;
	*) command="$1 c" ;;
	esac
	# shellcheck disable=SC2086 # a list of words
	runtime $command
	case $2 in
	all | init) [ "$status" = 0 ] && warned "$2" && reached "$1" "$2" ;;
	works) [ "$status" = 0 ] && "did_$1" ;;
	*) refused "$2" ;;
	esac
}

warned() {
	if [ "$1" = all ]; then [ -z "$err" ]; else assert_match "level=warning msg=.*$INIT_ALONE" "$err"; fi
}

# reached OPERATION all|init
reached() {
	case $1 in
	kill-all-TERM)
		wait_for 10 has_line "$T/c.out" "init got TERM" || return
		[ "$2" = init ] || wait_for 10 has_line "$T/c.out" "child got TERM"
		;;
	delete) wait_for 10 dead "$init" && child_is "$2" && [ ! -e "$ROOT/c" ] ;;
	*) wait_for 10 dead "$init" && child_is "$2" && assert_equal stopped "$(status_of c)" ;;
	esac
}

child_is() {
	if [ "$1" = all ]; then wait_for 10 dead "$child"; else alive "$child"; fi
}

did_ps() {
	runtime ps --format json c && jq -e --argjson pids "[$init, $child]" '$pids - . == []' <<<"$out" >/dev/null
}

did_pause() {
	assert_equal paused "$(status_of c)" && runtime_ok resume c
}

did_update() {
	assert_equal 100 "$(cat "$(cgroup_dirs "$DELEGATED/c")/pids.max")"
}

did_events() {
	assert_equal '["stats","c"]' "$(jq -c '[.type, .id]' <<<"$out")"
}

did_exec() {
	assert_equal executed "$out"
}

@test "rootless: every operation works without a cgroup, in a private pid namespace" {
	row none private
}

@test "rootless: every operation works without a cgroup, in a joined pid namespace" {
	row none joined
}

@test "rootless: every operation works without a cgroup, in the host's pid namespace" {
	row none host
}

@test "rootless: every operation works in a delegated cgroup, in a private pid namespace" {
	row delegated private
}

@test "rootless: every operation works in a delegated cgroup, in a joined pid namespace" {
	row delegated joined
}

@test "rootless: every operation works in a delegated cgroup, in the host's pid namespace" {
	row delegated host
}
