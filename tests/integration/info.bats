# info: what it says about the host is compared with the host's own files and tools, and
# with what create refuses.
# bats file_tags=berth
load helpers

# fact FILTER: a fact of the JSON output.
fact() {
	jq -r "$1" <<<"$out"
}

info_json() {
	runtime_ok info --format json
	assert_equal "" "$err"
	jq -e 'type == "object"' <<<"$out" >/dev/null
}

# cgroup_version: v1, v2 or hybrid, by the mounts.
cgroup_version() {
	if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
		echo v2
	elif grep -q ' - cgroup2 ' /proc/self/mountinfo; then
		echo hybrid
	else
		echo v1
	fi
}

# root_controllers: the controllers that root's containers can have, one a line.
root_controllers() {
	if [ "$(cgroup_version)" = v2 ]; then
		tr ' ' '\n' </sys/fs/cgroup/cgroup.controllers
	else
		sed -n 's/^[1-9][0-9]*:\([^:=]*\):.*/\1/p' /proc/self/cgroup | tr , '\n'
	fi | sort
}

# lacks NAME: it is in the list of what is missing.
lacks() {
	jq -e --arg name "$1" '.missing | any(.name == $name)' <<<"$out" >/dev/null
}

# offers NAME: it is not in that list.
offers() {
	jq -e --arg name "$1" '.missing | all(.name != $name)' <<<"$out" >/dev/null
}

# bats test_tags=v2
@test "info describes the kernel, the system and the cgroups" {
	info_json
	assert_equal "$(uname -r) $(uname -m)" "$(fact '.kernel | "\(.release) \(.machine)"')"
	# shellcheck source=/dev/null
	assert_equal "$(. /etc/os-release && echo "$PRETTY_NAME")" "$(fact .system)"
	assert_equal "$(cd /proc/self/ns && printf '%s\n' * | grep -v _for_children)" "$(fact '.kernel.namespaces[]')"
	assert_equal "$(cgroup_version)" "$(fact .cgroup.version)"
	assert_equal "$(root_controllers)" "$(fact '.cgroup.controllers | sort[]')"
	assert_equal cgroupfs "$(fact .cgroup.driver)"
	assert_equal "$(ulimit -Sn) $(ulimit -Hn)" "$(fact '.rlimits.nofile | "\(.soft) \(.hard)"')"
	assert_equal "$(cat /proc/sys/kernel/pid_max)" "$(fact '.sysctls."kernel.pid_max"')"
	assert_equal "$("$RUNTIME" --version | sed -n 's/berth version //p')" "$(fact .berth.version)"
}

# bats test_tags=v2,guest,host
@test "create refuses the limits of each controller that info calls missing, and takes the others" {
	info_json
	local found=$out name limits
	new_bundle
	args true
	while read -r name limits; do
		config ".linux.resources = $limits"
		runtime run --bundle "$BUNDLE" "c-$name"
		if jq -e --arg name "cgroup controller $name" '.missing | any(.name == $name)' <<<"$found" >/dev/null; then
			[ "$status" != 0 ] || failed "$name is missing, and create takes $limits"
		else
			[[ "$name $msg" == "rdma "*"no such RDMA device"* ]] || succeeded "create with $limits"
		fi
	done <<-'END'
		memory {"memory":{"limit":100000000}}
		pids {"pids":{"limit":100}}
		cpu {"cpu":{"shares":512}}
		hugetlb {"hugepageLimits":[{"pageSize":"2MB","limit":2097152}]}
		rdma {"rdma":{"mlx5_1":{"hcaHandles":3}}}
	END
}

@test "create refuses each feature that info calls missing" {
	info_json
	local found=$out name change
	while IFS='|' read -r name change; do
		jq -e --arg name "$name" '.missing | any(.name == $name)' <<<"$found" >/dev/null || continue
		BUNDLE=$T/$name
		new_bundle
		args true
		config "$change"
		runtime run --bundle "$BUNDLE" c
		[ "$status" != 0 ] || failed "$name is missing, and create takes $change"
	done <<-'END'
		AppArmor|.process.apparmorProfile = "berth-test"
		SELinux|.process.selinuxLabel = "system_u:system_r:container_t:s0"
		resctrl|.linux.intelRdt = {closID: "berth"}
	END
}

# bats test_tags=systemd,host
@test "info names the driver, and whether systemd makes cgroups" {
	runtime_ok --systemd-cgroup info --format json
	assert_equal systemd "$(fact .cgroup.driver)"
	if [ -d /run/systemd/system ]; then
		assert_equal true "$(fact .cgroup.systemd)"
		offers "systemd with cgroup v2"
	else
		assert_equal false "$(fact .cgroup.systemd)"
		lacks "systemd with cgroup v2"
	fi
}

# bats test_tags=guest
@test "info finds AppArmor and all controllers" {
	info_json
	assert_equal true "$(fact .security.appArmor)"
	offers AppArmor
	offers "capabilities of root"
	assert_equal yes "$(fact .cgroup.devices)"
	assert_match apparmor "$(fact '.security.modules[]')"
}

@test "info of an unprivileged user has the ranges, and what restricts the process" {
	rootless_user
	runtime_ok info --format json
	assert_equal 4242 "$(fact .process.uid)"
	assert_equal "$ROOTLESS_RANGE $ROOTLESS_RANGE" "$(fact '.userNamespaces | "\(.subuids[]) \(.subgids[])"')"
	offers "ranges in /etc/subuid and /etc/subgid"
	assert_equal false "$(fact .process.noNewPrivs)"
	jq -e '.process.lackedCapabilities | index("CAP_SYS_ADMIN")' <<<"$out" >/dev/null
	echo "other:100000:65536" >"$USER_DIR/etc/subuid"
	runtime_ok info --format json
	assert_equal '[]' "$(jq -c .userNamespaces.subuids <<<"$out")"
	lacks "ranges in /etc/subuid and /etc/subgid"
}

@test "info reports no_new_privs, a missing newuidmap, and a user namespace" {
	run -0 --separate-stderr setpriv --no-new-privs "$RUNTIME" info --format json
	assert_equal true "$(jq .process.noNewPrivs <<<"$output")"
	run -0 --separate-stderr env PATH=/nonexistent "$RUNTIME" info --format json
	out=$output
	lacks "newuidmap and newgidmap"
	info_json
	offers "newuidmap and newgidmap"
	assert_equal false "$(fact .process.inUserNamespace)"
	run -0 --separate-stderr unshare --user --map-root-user "$RUNTIME" info --format json
	assert_equal true "$(jq .process.inUserNamespace <<<"$output")"
}

@test "info finds the version of CRIU" {
	mkdir "$T/bin"
	printf '#!/bin/sh\necho "Version: 9.9.1"\necho "GitID: v9.9.1"\n' >"$T/bin/criu"
	chmod +x "$T/bin/criu"
	run -0 --separate-stderr env PATH="$T/bin:$PATH" "$RUNTIME" info --format json
	assert_equal "$T/bin/criu 9.9.1" "$(jq -r '.criu | "\(.path) \(.version)"' <<<"$output")"
	printf '#!/bin/sh\nexit 3\n' >"$T/bin/criu"
	run -0 --separate-stderr env PATH="$T/bin:$PATH" "$RUNTIME" info --format json
	assert_match 'criu --version: exit status 3' "$(jq -r '.unread[]' <<<"$output")"
}

@test "info prints the same facts as text, and no name of the host" {
	runtime_ok info
	assert_match $'\nkernel:\n  release: '"$(uname -r | sed 's/[.+]/\\&/g')"$'\n' "$out"
	local text=$out name
	info_json
	while read -r name; do
		assert_match "$name:" "$text"
	done < <(jq -r '[paths | map(select(type == "string")) | last] | unique[]' <<<"$out" | grep -v -x -e name -e costs -e null)
	# shellcheck disable=SC2016 # expanded in there
	run -0 unshare --uts sh -c 'echo secret-name >/proc/sys/kernel/hostname && exec "$1" info' sh "$RUNTIME"
	refute_match secret-name "$output"
}

@test "info refuses other formats and arguments" {
	runtime info --format yaml
	assert_equal 1 "$status"
	assert_match 'unknown format .*yaml.*: want text or json' "$msg"
	runtime info extra
	assert_equal 1 "$status"
	assert_match '"info" requires exactly 0' "$msg"
}
