# Time namespaces, as the container sees them. runc 1.1 has none.
# bats file_tags=berth,kernel
load helpers

prepare() {
	new_bundle
	config '.linux.namespaces += [{type: "time"}]'
}

# offsets CLOCK SECS NANOSECS...: as config.json's timeOffsets.
offsets() {
	config '.linux.timeOffsets = ([$ARGS.positional | _nwise(3) | {(.[0]): {secs: (.[1] | tonumber), nanosecs: (.[2] | tonumber)}}] | add)' --args -- "$@"
}

# read_clock [COMMAND...]: read the host's clock before the container's, in seconds;
# /proc/uptime unless a command prints another.
read_clock() {
	[ $# -gt 0 ] || set -- cat /proc/uptime
	before=$("$@" | cut -d . -f 1)
}

# ahead_by SECONDS [COMMAND...]: the clock at the start of $out is that far ahead of the
# host's.
ahead_by() {
	local ahead=$1 earliest=$before inside=${out%%.*}
	read_clock "${@:2}"
	((earliest + ahead <= inside && inside <= before + ahead)) ||
		failed "want $earliest to $before, and $ahead more; got $inside"
}

look='cat /proc/uptime; cat /proc/self/timens_offsets; readlink /proc/self/ns/time; readlink /proc/self/ns/time_for_children; echo me $$'

@test "a time namespace has the offsets of config.json" {
	offsets boottime 3600000 5 monotonic -1 999999999
	read_clock
	run_script "$look"
	ahead_by 3600000
	assert_equal "$(printf 'monotonic -1 999999999\nboottime 3600000 5')" "$(squeezed "$(sed -n 2,3p <<<"$out")")"
	refute_match "$(readlink /proc/self/ns/time | tr '[]' ..)" "$out"
	assert_equal "$(sed -n 4p <<<"$out")" "$(sed -n 5p <<<"$out")"
	assert_match $'\nme 1$' "$out"
}

@test "the monotonic clock of the program has the offset" {
	offsets monotonic 3600000 0
	cp "$PROBE" "$BUNDLE/rootfs/bin/probe"
	args /bin/probe monotonic
	read_clock "$PROBE" monotonic
	runtime_ok run --bundle "$BUNDLE" c
	ahead_by 3600000 "$PROBE" monotonic
}

@test "a time namespace without offsets has the runtime's clocks" {
	read_clock
	run_script "$look"
	ahead_by 0
	refute_match "$(readlink /proc/self/ns/time | tr '[]' ..)" "$out"
}

@test "a time namespace in a user namespace has its offsets" {
	new_user_namespace
	offsets boottime 3600000 0
	read_clock
	run_script "$look; cat /proc/self/uid_map"
	ahead_by 3600000
	assert_match '100000' "$out"
}

@test "create joins a time namespace by path" {
	holder --time --boottime 7200000
	config '(.linux.namespaces[] | select(.type == "time")).path = $path' --arg path "/proc/$holder/ns/time"
	read_clock
	run_script "$look"
	ahead_by 7200000
	assert_match "$(readlink "/proc/$holder/ns/time" | sed 's/[][]/\\&/g')" "$out"
	assert_match $'\nme 1$' "$out"
}

@test "start keeps the process and its time namespace" {
	args sleep 1000
	runtime_ok create --bundle "$BUNDLE" --pid-file "$T/pid" c
	assert_equal "$(cat "$T/pid")" "$(init_pid c)"
	start_ns=$(readlink "/proc/$(init_pid c)/ns/time")
	runtime_ok start c
	assert_equal "$start_ns" "$(readlink "/proc/$(init_pid c)/ns/time")"
	assert_equal "$(cat "$T/pid")" "$(init_pid c)"
}

@test "create refuses an offset that sets a clock before the boot" {
	offsets boottime -360000000 0
	args true
	runtime run --bundle "$BUNDLE" c
	refused 'linux.timeOffsets: .*a clock must be between the boot and'
}
