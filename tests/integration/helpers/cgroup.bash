# Cgroups of the host, of either version.

# cgroup_roots: the mount point of every hierarchy.
cgroup_roots() {
	local point rest
	while read -r _ _ _ _ point rest; do
		[[ $rest != *' - cgroup '* && $rest != *' - cgroup2 '* ]] || echo "$point"
	done </proc/self/mountinfo
}

# cgroup_dirs PATTERN...: the directories of cgroups, in all hierarchies.
cgroup_dirs() {
	local root pattern
	for root in $(cgroup_roots); do
		for pattern; do
			compgen -G "$root$pattern" || true
		done
	done
}

# no_cgroup_left: the cgroups $CGROUP and $CGROUP-SOMETHING no longer exist. Otherwise
# remove them and fail.
no_cgroup_left() {
	local dirs dir
	dirs=$(cgroup_dirs "$CGROUP" "$CGROUP-*")
	[ -n "$dirs" ] || return 0
	failed "left of the cgroup:" "$dirs" || true
	for dir in $dirs; do
		remove_cgroup "$dir"
	done
	return 1
}

# thaw_cgroup: thaw what a test has left frozen: on v1 it could not even be killed.
thaw_cgroup() {
	local dir file
	for dir in $(cgroup_dirs "$CGROUP" "$CGROUP-*"); do
		# shellcheck disable=SC2044 # the names are our own
		for file in $(find "$dir" -name freezer.state -o -name cgroup.freeze); do
			if [[ $file == */freezer.state ]]; then echo THAWED >"$file"; else echo 0 >"$file"; fi || true
		done
	done
}

# remove_cgroup DIRECTORY: kill its processes, and remove it and the cgroups below it.
remove_cgroup() {
	local procs pid
	# shellcheck disable=SC2044 # the names are our own
	for procs in $(find "$1" -depth -name cgroup.procs); do
		while read -r pid; do kill -KILL "$pid" 2>/dev/null; done <"$procs"
		wait_for 2 rmdir "${procs%/*}" 2>/dev/null
	done
}

# real_time_above MICROSECONDS: allow real-time processes that much of each second in
# the parent of the container's cgroup. False unless the host has v1 and RT_GROUP_SCHED,
# where the default of a cgroup is 0.
real_time_above() {
	local dir=/sys/fs/cgroup/cpu
	[ -e "$dir/cpu.rt_runtime_us" ] || return 1
	mkdir -p "$dir$CGROUP_PARENT"
	echo "$1" >"$dir$CGROUP_PARENT/cpu.rt_runtime_us" || failed "real time: $1"
}

# in_view v1|v2|hybrid COMMAND...: run it where the host looks like that, in its own
# mount namespace.
in_view() {
	local view=$1
	shift
	# shellcheck disable=SC2016 # for the inner shell
	case $view in
	hybrid) "$@" ;;
	v2)
		unshare --mount --propagation private sh -c '
			umount -R -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"' sh "$@"
		;;
	v1)
		unshare --mount --propagation private sh -c '
			umount -l /sys/fs/cgroup/unified && exec "$@"' sh "$@"
		;;
	esac
}
