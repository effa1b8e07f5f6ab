# Every test file loads this: the helpers, and setup and teardown.

bats_require_minimum_version 1.8.0
for _file in "${BATS_TEST_DIRNAME:?}"/helpers/*.bash \
	"${BATS_TEST_DIRNAME:?}"/../integration/helpers/{assert,process,userns,wait}.bash; do
	# shellcheck source=/dev/null
	source "$_file"
done
unset _file

# The programs with which the tests talk to engines, unless they have the engine's name.
declare -gA CLIENTS=([containerd]=ctr [kubernetes]=kubectl)

# A test that takes longer hangs, as in tests/integration.
BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-600}

setup() {
	T=$BATS_TEST_TMPDIR
	NAME=test$BATS_TEST_NUMBER # the test's container
	BERTH=/usr/local/sbin/berth # the tested binary
	CLIENT=${CLIENTS[$ENGINE]:-$ENGINE}
	# Bats 1.13 cannot end the timer of a test that fails: the variable is local to a
	# function that has returned then. Its run would end with the timer.
	declare -g BATS_killer_pid=${BATS_killer_pid:-}
	ctr_flags "$NAME"
	cd "$T" || return
	SUITE_PIDS=$(orphans | tr '\n' ' ')
	mounts_by_device >"$T/mounts"
	cgroups >"$T/cgroups"
}

teardown() {
	stop_background
	"remove_all_$ENGINE"
	# Every test must leave nothing of its containers.
	local trace=0
	if ! no_runtime_state_left; then
		# So that the next test starts clean.
		runtime_state -delete
		trace=1
	fi
	no_process_left || trace=1
	no_cgroup_left || trace=1
	no_new_mount || trace=1
	return "$trace"
}

# no_runtime_state_left: the engine has had the runtime delete every container.
no_runtime_state_left() {
	wait_for 2 no_runtime_state || failed "left of the runtime's state:" "$(runtime_state)"
}

no_runtime_state() {
	[ -z "$(runtime_state)" ]
}

# runtime_state ACTION: run find on the runtime's state.
runtime_state() {
	# shellcheck disable=SC2046 # a list of directories, some of which may not be there
	find $("runtime_root_$ENGINE") -mindepth 1 "$@" 2>/dev/null || true
}

cgroups() {
	find /sys/fs/cgroup -mindepth 2 -type d | sort
}

no_cgroup_left() {
	wait_for 2 no_new_cgroup && return
	failed "left of cgroups:" "$(comm -13 "$T/cgroups" <(cgroups))"
}

no_new_cgroup() {
	[ -z "$(comm -13 "$T/cgroups" <(cgroups))" ]
}

# mounts: all but the mount that Podman has while a container is mounted.
mounts() {
	grep -v ' /var/lib/containers/storage/overlay ' /proc/self/mountinfo
}

# mounts_by_device: the number of mounts of each file system: "COUNT DEVICE". Not by
# mount ID: when an engine repeats a mount, as Docker does with its network namespace,
# the ID changes unless it is still free. Nor by path: a rename on the host also renames
# the mount points in the bed.
mounts_by_device() {
	mounts | awk '{ print $3 }' | sort | uniq -c
}

no_new_mount() {
	wait_for 2 no_more_mounts || failed "left of mounts, of which there are more of a device than before:" "$(cat "$T/mounts")" "now:" "$(mounts)"
}

no_more_mounts() {
	mounts_by_device | awk 'NR == FNR { had[$2] = $1; next } $1 > had[$2] { more = 1 } END { exit more }' "$T/mounts" -
}

# engine ARG...: run the engine's client. Sets $status to its exit status, and $out and $err
# to its output; never fails itself. $STDIN is its standard input.
engine() {
	status=0
	"$CLIENT" "$@" <"${STDIN:-/dev/null}" >"$T/out" 2>"$T/err" 3>&- 4>&- || status=$?
	out=$(<"$T/out")
	err=$(<"$T/err")
}

# engine_ok ARG...: the same, and it must succeed.
engine_ok() {
	engine "$@"
	succeeded "$CLIENT $*"
}

# once ARG...: run a container that is removed when it has ended.
once() {
	engine_ok run --rm --name "$NAME" "$@"
}

# detached SHELL-SCRIPT OPTION...: start a container, and wait until its script has
# printed "ready".
detached() {
	local script=$1
	shift
	engine_ok run -d --name "$NAME" "$@" "$IMAGE" sh -c "$script"
	wait_for 10 logged ready
}

# idle OPTION...: start a container that does nothing until SIGTERM.
idle() {
	detached 'trap "exit 0" TERM; echo ready; while :; do sleep 0.1; done' "$@"
}

# logged TEXT: the container has printed the line.
logged() {
	"$ENGINE" logs "$NAME" 2>&1 | grep -qxF -- "$1"
}

# inspected TEMPLATE: a property of the container, by the engine.
inspected() {
	"$ENGINE" inspect --format "$1" "$NAME"
}

inspect_is() {
	[ "$(inspected "$1")" = "$2" ]
}

# on_terminal COMMAND...: run it on a terminal; the output is in $T/terminal.
on_terminal() {
	local command
	printf -v command '%q ' "$@"
	status=0
	script --quiet --return --command "$command" "$T/typescript" <"${STDIN:-/dev/null}" >"$T/terminal" 2>&1 3>&- 4>&- || status=$?
	out=$(tr -d '\r' <"$T/terminal")
}
