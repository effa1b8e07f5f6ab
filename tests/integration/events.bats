# events.
load helpers

prepare() {
	new_bundle
	args sleep 1000
}

# field FILTER: a field of the statistics in $out, by jq.
field() {
	jq -er "$1" <<<"$out"
}

# watch_events FLAG...: run events in the background, with $T/events as its output.
watch_events() {
	background "$RUNTIME" --root "$ROOT" events "$@" c </dev/null >"$T/events" 2>"$T/events.err"
	watcher=$background_pid
}

# events_of TYPE: the number of events so far.
events_of() {
	jq -s --arg type "$1" 'map(select(.type == $type)) | length' "$T/events"
}

has_events() {
	[ "$(events_of "$1")" -ge "$2" ]
}

# bats test_tags=host,guest
@test "events --stats prints the statistics once" {
	config '.linux.resources.memory = {limit: 104857600} | .linux.resources.pids = {limit: 30}'
	script 'head -c 3000000 /dev/zero >/dev/shm/zeros; i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; sleep 1000 & exec sleep 1000'
	start_detached c
	wait_for 10 used_up
	runtime_ok events --stats c
	assert_equal 1 "$(wc -l <"$T/out")"
	assert_equal "stats c" "$(field '.type + " " + .id')"
	[ "$(field .data.cpu.usage.total)" -gt 1000000 ]
	assert_equal "2 30" "$(field '.data.pids | "\(.current) \(.limit)"')"
	assert_equal 104857600 "$(field .data.memory.usage.limit)"
	[ "$(field .data.memory.usage.usage)" -gt 3000000 ]
	[ "$(field .data.memory.usage.usage)" -lt 104857600 ]
	[ "$(field '.data.memory.raw | (.shmem // .total_shmem)')" -ge 3000000 ]
	assert_equal '{} null' "$(field '.data | "\(.intel_rdt) \(.network_interfaces)"')"
}

# used_up: the script has finished its work.
used_up() {
	[ "$(wc -l <"$(cgroup_file cgroup.procs)")" = 2 ] && grep -q sleep "/proc/$(init_pid c)/cmdline"
}

# bats test_tags=host,guest
@test "the statistics have the keys that engines read" {
	config '.linux.resources.memory = {limit: 104857600}'
	start_detached c
	needs_limit memory
	runtime_ok events --stats c
	local key
	for key in cpu cpuset memory pids blkio hugetlb intel_rdt network_interfaces; do
		field ".data | has(\"$key\")" >/dev/null || failed "no $key"
	done
	assert_lines $'cpu_exclusive\nmem_exclusive\nmem_hardwall\nmemory_migrate\nmemory_pressure\nmemory_spread_page\nmemory_spread_slab\nsched_load_balance\nsched_relax_domain_level' \
		"$(field '.data.cpuset | keys[] | select(. != "cpus" and . != "mems")')"
	for key in kernel user; do
		field ".data.cpu.usage | has(\"$key\")" >/dev/null || failed "no $key"
	done
	for key in limit usage failcnt; do
		field ".data.memory.usage | has(\"$key\")" >/dev/null || failed "no $key"
	done
}

# bats test_tags=berth
@test "the statistics have the pressure stall information" {
	[ -e /proc/pressure/cpu ] || skip "the kernel has no PSI"
	start_detached c
	cgroup_file cpu.pressure >/dev/null || skip "no cgroup v2 here"
	runtime_ok events --stats c
	local what
	for what in cpu memory blkio; do
		assert_equal '["avg10","avg300","avg60","total"]' "$(field ".data.$what.psi.some | keys" | jq -c .)"
		field ".data.$what.psi.full.total >= 0" >/dev/null
	done
}

@test "the statistics count throttling" {
	config '.linux.resources.cpu = {quota: 2000, period: 20000}'
	script 'while :; do :; done'
	start_detached c
	needs_limit cpu-quota
	wait_for 20 throttled
	[ "$(field .data.cpu.throttling.periods)" -ge "$(field .data.cpu.throttling.throttledPeriods)" ]
}

throttled() {
	runtime_ok events --stats c
	# The kernel adds the time when throttling ends.
	[ "$(field '.data.cpu.throttling | (.throttledPeriods // 0) > 0 and (.throttledTime // 0) > 1000000')" = true ]
}

@test "events prints statistics at each interval" {
	start_detached c
	watch_events --interval 100ms
	wait_for 10 has_events stats 3
	assert_equal 0 "$(events_of oom)"
	alive "$watcher"
}

@test "events ends when the container stops" {
	start_detached c
	watch_events --interval 1h
	wait_for 10 watching
	runtime_ok kill c KILL
	wait_for 10 dead "$watcher"
	wait "$watcher"
	assert_equal "" "$(cat "$T/events" "$T/events.err")"
}

# watching: events watches the container by now.
watching() {
	find "/proc/$watcher/fd" -lname '*pidfd*' | grep -q .
}

@test "events ends when the container is deleted" {
	start_detached c
	watch_events --interval 50ms
	wait_for 10 has_events stats 1
	runtime_ok kill c KILL
	wait_for 10 has_status c stopped
	runtime_ok delete c
	wait_for 10 dead "$watcher"
	wait "$watcher"
	assert_equal "" "$(cat "$T/events.err")"
}

# eat_memory: a script that waits for a signal, lets a process use more memory than its
# limit, and prints its exit status.
eat_memory='trap : USR1; echo ready; sleep 1000 & wait; tail /dev/zero; echo "tail: $?"; sleep 1000'

# bats test_tags=host,guest
@test "events reports an OOM kill" {
	config '.linux.resources.memory = {limit: 20971520, swap: 20971520}'
	script "$eat_memory"
	"$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/c.out" 2>&1 3>&-
	needs_limit memory
	wait_for 10 has_line "$T/c.out" ready
	watch_events --interval 100ms
	wait_for 10 has_events stats 1
	assert_equal 0 "$(events_of oom)"
	runtime_ok kill c USR1
	wait_for 30 has_events oom 1
	wait_for 10 has_line "$T/c.out" "tail: 137"
	assert_equal '{"type":"oom","id":"c"}' "$(jq -c 'select(.type == "oom")' "$T/events" | head -n 1)"
	assert_equal running "$(status_of c)"
	alive "$watcher"
}

@test "events reports an OOM kill that ends the container" {
	config '.linux.resources.memory = {limit: 20971520, swap: 20971520}'
	script 'trap : USR1; echo ready; sleep 1000 & wait; exec tail /dev/zero'
	"$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/c.out" 2>&1 3>&-
	needs_limit memory
	wait_for 10 has_line "$T/c.out" ready
	watch_events --interval 100ms
	wait_for 10 has_events stats 1
	runtime_ok kill c USR1
	wait_for 30 has_status c stopped
	runtime_ok delete c
	wait_for 10 dead "$watcher"
	assert_equal 1 "$(events_of oom)"
}

@test "events works for a created and for a paused container" {
	runtime_ok create --bundle "$BUNDLE" c
	runtime_ok events --stats c
	[ "$(field .data.pids.current)" -ge 1 ]
	runtime_ok start c
	runtime_ok pause c
	runtime_ok events --stats c
	[ "$(field .data.pids.current)" -ge 1 ]
}

@test "events refuses invalid arguments and stopped containers" {
	args true
	start_detached c
	runtime events --interval 0 c
	[ "$status" = 1 ]
	runtime events --interval=-1s c
	refused 'duration interval must be greater than 0'
	runtime events --interval 5 c
	[ "$status" = 1 ]
	assert_match 'interval' "$msg"
	wait_for 5 has_status c stopped
	runtime events --stats c
	refused 'container with id c is not running'
	runtime events c
	refused 'container with id c is not running'
	runtime events nobody
	refused 'container does not exist$'
}

@test "events prints statistics and OOM kills on v2" {
	in_view v2 "$RUNTIME" --root "$ROOT" run -d --bundle "$BUNDLE" c </dev/null >"$T/out" 2>&1 3>&-
	in_view v2 "$RUNTIME" --root "$ROOT" events --stats c >"$T/stats"
	[ "$(jq -r .data.cpu.usage.user "$T/stats")" -ge 0 ]
	background in_view v2 "$RUNTIME" --root "$ROOT" events --interval 50ms c </dev/null >"$T/events" 2>/dev/null
	wait_for 10 has_events stats 2
	in_view v2 "$RUNTIME" --root "$ROOT" delete --force c
	wait_for 10 dead "$background_pid"
}
