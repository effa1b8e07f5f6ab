# The default config.json that "spec" writes.
load helpers

# written FILTER: a part of the config.json written to the current directory.
written() {
	jq -cS "$1" config.json
}

default_capabilities='["CAP_AUDIT_WRITE","CAP_KILL","CAP_NET_BIND_SERVICE"]'

@test "spec writes config.json to the current directory, indented with tabs" {
	runtime_ok spec
	assert_equal "" "$out$err"
	assert_equal '644' "$(stat -c %a config.json)"
	assert_equal $'\t"ociVersion": "1.' "$(sed -n 2p config.json | cut -c 1-18)"
	# The last byte is the closing brace: no newline after it.
	assert_equal '}' "$(tail -c 1 config.json)"
	assert_equal "$(jq --tab . config.json)" "$(cat config.json)"
}

@test "spec obeys the umask" {
	umask 077
	runtime_ok spec
	assert_equal 600 "$(stat -c %a config.json)"
}

@test "spec --bundle writes to another directory" {
	mkdir b
	runtime_ok spec --bundle b
	[ -f b/config.json ]
	[ ! -e config.json ]
	rm b/config.json
	runtime_ok spec -b "$T/b"
	[ -f b/config.json ]
}

@test "spec refuses a directory that does not exist" {
	runtime spec --bundle "$T/nowhere"
	refused 'nowhere.*no such file or directory'
}

@test "spec does not overwrite an existing file" {
	echo mine >config.json
	runtime spec
	refused '[Ff]ile config.json exists[.:] [Rr]emove it first'
	assert_equal mine "$(cat config.json)"
}

# runc leaves an empty file, which its next try takes for one of the user.
# bats test_tags=berth
@test "spec leaves no file when the disk is full" {
	mkdir full
	mount -t tmpfs -o size=4k none full
	head -c 4096 /dev/zero >full/all
	runtime spec --bundle full
	refused 'write full/config.json: no space left on device'
	[ ! -e full/config.json ]
	umount full
}

@test "spec takes no arguments" {
	runtime spec extra
	assert_equal 1 "$status"
	assert_match '"spec" requires exactly 0 argument\(s\)' "$msg"
	[ ! -e config.json ]
}

@test "spec writes the default process" {
	runtime_ok spec
	assert_equal true "$(written .process.terminal)"
	assert_equal '{"gid":0,"uid":0}' "$(written .process.user)"
	assert_equal '["sh"]' "$(written .process.args)"
	assert_equal '["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","TERM=xterm"]' "$(written .process.env)"
	assert_equal '"/"' "$(written .process.cwd)"
	assert_equal true "$(written .process.noNewPrivileges)"
	assert_equal '[{"hard":1024,"soft":1024,"type":"RLIMIT_NOFILE"}]' "$(written .process.rlimits)"
	for set in bounding effective permitted; do
		assert_equal "$default_capabilities" "$(written .process.capabilities.$set)"
	done
	assert_equal null "$(written .process.capabilities.inheritable)"
}

@test "spec grants no ambient capabilities" {
	runtime_ok spec
	assert_equal null "$(written .process.capabilities.ambient)"
}

@test "spec writes the default root and mounts" {
	runtime_ok spec
	assert_equal '{"path":"rootfs","readonly":true}' "$(written .root)"
	assert_equal "$(cat <<-'END'
		["/proc","proc","proc",null]
		["/dev","tmpfs","tmpfs",["nosuid","strictatime","mode=755","size=65536k"]]
		["/dev/pts","devpts","devpts",["nosuid","noexec","newinstance","ptmxmode=0666","mode=0620","gid=5"]]
		["/dev/shm","tmpfs","shm",["nosuid","noexec","nodev","mode=1777","size=65536k"]]
		["/dev/mqueue","mqueue","mqueue",["nosuid","noexec","nodev"]]
		["/sys","sysfs","sysfs",["nosuid","noexec","nodev","ro"]]
		["/sys/fs/cgroup","cgroup","cgroup",["nosuid","noexec","nodev","relatime","ro"]]
	END
	)" "$(written '.mounts[] | [.destination, .type, .source, .options]')"
}

@test "spec writes the default linux section" {
	runtime_ok spec
	assert_equal '{"devices":[{"access":"rwm","allow":false}]}' "$(written .linux.resources)"
	assert_equal '["/proc/acpi","/proc/asound","/proc/kcore","/proc/keys","/proc/latency_stats","/proc/timer_list","/proc/timer_stats","/proc/sched_debug","/sys/firmware","/proc/scsi"]' "$(written .linux.maskedPaths)"
	assert_equal '["/proc/bus","/proc/fs","/proc/irq","/proc/sys","/proc/sysrq-trigger"]' "$(written .linux.readonlyPaths)"
}

@test "spec lists a cgroup namespace only on a host with cgroup v2 alone" {
	if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
		in_view hybrid "$RUNTIME" spec
		assert_equal '["pid","network","ipc","uts","mount"]' "$(written '[.linux.namespaces[].type]')"
		rm config.json
	fi
	in_view v2 "$RUNTIME" spec
	assert_equal '["pid","network","ipc","uts","mount","cgroup"]' "$(written '[.linux.namespaces[].type]')"
}

@test "spec --rootless changes the fields that an unprivileged caller cannot use" {
	runtime_ok spec --rootless
	assert_match '^\["pid","ipc","uts","mount"(,"cgroup")?,"user"(,"cgroup")?\]$' "$(written '[.linux.namespaces[].type]')"
	assert_equal '[{"containerID":0,"hostID":0,"size":1}]' "$(written .linux.uidMappings)"
	assert_equal '[{"containerID":0,"hostID":0,"size":1}]' "$(written .linux.gidMappings)"
	assert_equal null "$(written .linux.resources)"
	assert_equal '["none","/sys",["rbind","nosuid","noexec","nodev","ro"]]' \
		"$(written '.mounts[] | select(.destination == "/sys") | [.type, .source, .options]')"
	assert_equal '[]' "$(written '[.mounts[].options // [] | .[] | select(startswith("uid=") or startswith("gid="))]')"
}
