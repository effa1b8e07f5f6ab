# process.apparmorProfile, process.selinuxLabel and linux.mountLabel. Each test needs a
# host without the security module, or one with it.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
}

without_apparmor() {
	[[ $(cat /sys/module/apparmor/parameters/enabled 2>&1) != Y* ]] || skip "AppArmor is enabled here"
}

without_selinux() {
	[[ ! -e /sys/fs/selinux/enforce ]] || skip "SELinux is enabled here"
}

# with_profile: load two AppArmor profiles, which allow everything except writing to
# files below /forbidden.
with_profile() {
	[[ $(cat /sys/module/apparmor/parameters/enabled 2>&1) == Y* ]] || skip "AppArmor is not enabled here"
	[[ -x $(command -v apparmor_parser) ]] || skip "no apparmor_parser"
	local name
	for name in "$PROFILE" "$PROFILE-other"; do
		cat <<-EOF
			profile $name flags=(attach_disconnected,mediate_deleted) {
			  file, network, capability, mount, umount, pivot_root, ptrace, signal, unix,
			  deny /forbidden/** w,
			}
		EOF
	done >"$T/profile"
	apparmor_parser --replace --skip-cache "$T/profile"
	mkdir "$BUNDLE/rootfs/forbidden"
	config '.root.readonly = false'
}

PROFILE=berth-test

# bats test_tags=guest
@test "the program runs under its AppArmor profile" {
	with_profile
	config ".process.apparmorProfile = \"$PROFILE\""
	run_script 'cat /proc/self/attr/apparmor/current; echo >/forbidden/x && echo written; echo >/allowed && echo written'
	assert_equal "$PROFILE (enforce)"$'\nwritten' "$out"
	assert_match "Permission denied" "$err"
}

# bats test_tags=guest
@test "an AppArmor profile applies with no_new_privs, in a user namespace, and to another user" {
	with_profile
	config ".process.apparmorProfile = \"$PROFILE\" | .process.noNewPrivileges = true | .process.user = {uid: 7, gid: 7}"
	run_script 'cat /proc/self/attr/apparmor/current'
	assert_equal "$PROFILE (enforce)" "$out"
	config '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] | .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$BUNDLE/rootfs"
	run_script 'cat /proc/self/attr/apparmor/current'
	assert_equal "$PROFILE (enforce)" "$out"
}

# bats test_tags=guest
@test "a startContainer hook runs under the program's AppArmor profile" {
	with_profile
	config ".process.apparmorProfile = \"$PROFILE\"
		| .hooks.startContainer = [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"cat /proc/self/attr/apparmor/current >/label\"]}]"
	run_script 'cat /label'
	assert_equal "$PROFILE (enforce)" "$out"
}

# bats test_tags=guest
@test "a restored container has its AppArmor profile again, or another" {
	with_profile
	config ".process.apparmorProfile = \"$PROFILE\""
	counter
	run_piped c
	save c
	restore_piped c
	assert_equal "$PROFILE (enforce)" "$(cat "/proc/$(init_pid c)/attr/apparmor/current")"
	rm -r "$T/image"
	save c
	restore_piped c --lsm-profile "apparmor:$PROFILE-other"
	assert_equal "$PROFILE-other (enforce)" "$(cat "/proc/$(init_pid c)/attr/apparmor/current")"
	wait_for 20 counts c "$(count c)"
}

# bats test_tags=guest,berth
@test "restore refuses an image without the AppArmor profile of config.json" {
	with_profile
	counter
	run_piped c
	save c
	config ".process.apparmorProfile = \"$PROFILE\""
	runtime restore --detach --bundle "$BUNDLE" --image-path "$T/image" --work-path "$T/work" c
	assert_equal 1 "$status"
	assert_match 'process.apparmorProfile: it has the AppArmor profile .unconfined., not .berth-test' "$msg"
	gone c
}

# bats test_tags=guest
@test "exec runs under the container's AppArmor profile, or under another" {
	with_profile
	config ".process.apparmorProfile = \"$PROFILE\""
	args sleep 1000
	start_detached c
	runtime_ok exec c cat /proc/self/attr/apparmor/current
	assert_equal "$PROFILE (enforce)" "$out"
	runtime_ok exec --apparmor "$PROFILE-other" c cat /proc/self/attr/apparmor/current
	assert_equal "$PROFILE-other (enforce)" "$out"
	jq -n --arg profile "$PROFILE-other" '{args: ["cat", "/proc/self/attr/apparmor/current"], cwd: "/", env: ["PATH=/bin"],
		apparmorProfile: $profile}' >"$T/process.json"
	runtime_ok exec --process "$T/process.json" c
	assert_equal "$PROFILE-other (enforce)" "$out"
	runtime exec --apparmor berth-not-there c true
	assert_equal 255 "$status"
	assert_match 'process\.apparmorProfile.*berth-not-there.*not loaded' "$msg"
}

# bats test_tags=guest
@test "create names an AppArmor profile that is not loaded" {
	with_profile
	args true
	config '.process.apparmorProfile = "berth-not-there"'
	runtime create --bundle "$BUNDLE" c
	refused 'process\.apparmorProfile.*berth-not-there.*not loaded'
	refute_match 'no such file or directory' "$err"
}

# bats test_tags=guest
@test "create accepts unconfined as AppArmor profile" {
	with_profile
	config '.process.apparmorProfile = "unconfined"'
	run_script 'cat /proc/self/attr/apparmor/current'
	assert_equal unconfined "$out"
}

# bats test_tags=berth
@test "create refuses an AppArmor profile on a host without AppArmor" {
	without_apparmor
	args true
	config '.process.apparmorProfile = "docker-default"'
	runtime create --bundle "$BUNDLE" c
	refused 'process\.apparmorProfile: "docker-default": AppArmor is not enabled'
	config 'del(.process.apparmorProfile)'
	args sleep 1000
	start_detached c
	runtime exec --apparmor docker-default c true
	assert_equal 255 "$status"
	assert_match 'process\.apparmorProfile: "docker-default": AppArmor is not enabled' "$msg"
}

# bats test_tags=berth
@test "create accepts unconfined on a host without AppArmor" {
	without_apparmor
	config '.process.apparmorProfile = "unconfined"'
	run_script 'echo ran'
	assert_equal ran "$out"
}

@test "create refuses an SELinux label on a host without SELinux" {
	without_selinux
	args true
	config '.process.selinuxLabel = "system_u:system_r:container_t:s0:c1,c2"'
	runtime create --bundle "$BUNDLE" c
	refused 'selinux label is specified in config, but selinux is disabled or not supported'
	config 'del(.process.selinuxLabel)'
	args sleep 1000
	start_detached c
	runtime exec --process-label system_u:system_r:container_t:s0:c1,c2 c true
	[ "$status" != 0 ]
	assert_match 'selinux is disabled or not supported' "$msg"
}

@test "create refuses an SELinux label of mounts on a host without SELinux" {
	without_selinux
	args true
	config '.linux.mountLabel = "system_u:object_r:container_file_t:s0:c1,c2"'
	runtime create --bundle "$BUNDLE" c
	refused 'container_file_t:s0:c1,c2'
}

# with_selinux: skip without a policy that has a domain for containers.
with_selinux() {
	label=system_u:system_r:container_t:s0:c1,c2
	files=system_u:object_r:container_file_t:s0:c1,c2
	printf %s "$label" >/sys/fs/selinux/context
	cp "$PROBE" "$BUNDLE/rootfs/bin/probe"
}

# bats test_tags=guest-selinux
@test "the program and its keys have its SELinux label" {
	with_selinux
	config ".process.selinuxLabel = \"$label\""
	args sleep 1000
	start_detached c
	assert_equal "$label" "$(tr -d '\0' <"/proc/$(init_pid c)/attr/current")"
	# create makes the session keyring for the container, with its label.
	runtime_ok exec c sh -c 'cat /proc/self/attr/current; echo; probe keylabel'
	assert_equal "$label"$'\n'"$label" "$(tr -d '\0' <"$T/out")"
	runtime_ok exec --process-label "${label/c1,c2/c3}" c cat /proc/self/attr/current
	assert_equal "${label/c1,c2/c3}" "$(tr -d '\0' <"$T/out")"
}

# bats test_tags=guest-selinux
@test "mounts of the program have its SELinux label" {
	with_selinux
	config ".linux.mountLabel = \"$files\""
	args sleep 100
	runtime_ok create --bundle "$BUNDLE" c
	local dir root
	root=/proc/$(init_pid c)/root
	for dir in /dev /dev/null /dev/shm /dev/pts /dev/mqueue; do
		assert_equal "$files" "$(stat -c %C "$root$dir")"
	done
	refute_match container_file_t "$(stat -c %C "$root/proc" "$root/sys")"
}

# criu_with_selinux: CRIU was built with SELinux, which Debian's was not.
criu_with_selinux() {
	ldd "$(command -v criu)" | grep -q libselinux
}

# bats test_tags=guest-selinux
@test "mounts of a restored container have their SELinux label again, or another" {
	with_selinux
	config ".linux.mountLabel = \"$files\""
	counter
	run_piped c
	save c
	restore_piped c
	assert_equal "$files" "$(stat -c %C "/proc/$(init_pid c)/root/tmp")"
	rm -r "$T/image"
	save c
	restore_piped c --lsm-mount-context "${files/c1,c2/c3}"
	assert_equal "${files/c1,c2/c3}" "$(stat -c %C "/proc/$(init_pid c)/root/tmp")"
	wait_for 20 counts c "$(count c)"
}

# bats test_tags=guest-selinux,berth
@test "a restored container has its SELinux label again, or is refused" {
	with_selinux
	config ".process.selinuxLabel = \"$label\""
	counter
	run_piped c
	save c
	if criu_with_selinux; then
		restore_piped c
		assert_equal "$label" "$(tr -d '\0' <"/proc/$(init_pid c)/attr/current")"
	else
		runtime restore --detach --bundle "$BUNDLE" --image-path "$T/image" --work-path "$T/work" c
		assert_equal 1 "$status"
		assert_match 'process.selinuxLabel: it has the SELinux label .*kernel_t.* not .*container_t.*CRIU' "$msg"
		gone c
	fi
}

# bats test_tags=guest-selinux
@test "create names an SELinux label that the policy does not have" {
	with_selinux
	args true
	config '.process.selinuxLabel = "system_u:object_r:no_such_t:s0"'
	runtime create --bundle "$BUNDLE" c
	refused 'process\.selinuxLabel: .*no_such_t:s0.* is not a label of the loaded policy'
	config 'del(.process.selinuxLabel) | .linux.mountLabel = "system_u:object_r:no_such_t:s0"'
	runtime create --bundle "$BUNDLE" c
	refused 'linux\.mountLabel: .*no_such_t:s0.* is not a label of the loaded policy'
}
