# Images that restore refuses, or that CRIU cannot read.
# bats file_tags=criu
load helpers

prepare() {
	new_bundle
	counter
}

@test "restore refuses an image with a bind mount that config.json does not have" {
	mkdir "$T/dir"
	config '.mounts += [{destination: "/data", type: "bind", source: $dir, options: ["rbind"]}]' --arg dir "$T/dir"
	run_piped c
	save c
	config 'del(.mounts[] | select(.destination == "/data"))'
	runtime restore -d --bundle "$BUNDLE" --image-path "$T/image" --work-path "$T/work" c
	assert_equal 1 "$status"
	assert_match 'criu failed' "$msg"
	gone c
}

@test "a truncated image is an error, and nothing is left of the container" {
	run_piped c
	save c
	truncate -s -30 "$T/image/core-1.img"
	runtime restore -d --bundle "$BUNDLE" --image-path "$T/image" --work-path "$T/work" c
	assert_equal 1 "$status"
	gone c
	[ -s "$T/image/pstree.img" ]
}

@test "an image that does not exist is an error" {
	runtime restore -d --bundle "$BUNDLE" --image-path "$T/none" c
	assert_equal 1 "$status"
	gone c
	mkdir "$T/image"
	runtime restore -d --bundle "$BUNDLE" --image-path "$T/image" --work-path "$T/work" c
	assert_equal 1 "$status"
	gone c
}

# refuses_image CONFIG ERROR: an image of a container of the present bundle is refused by
# a bundle with the changed configuration.
refuses_image() {
	run_piped c
	save c
	config "$1"
	runtime restore -d --bundle "$BUNDLE" --image-path "$T/image" --work-path "$T/work" c
	assert_equal 1 "$status"
	assert_match "$2" "$msg"
	gone c
}

# bats test_tags=berth
@test "restore refuses an image with more capabilities than config.json" {
	config '.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE"])'
	refuses_image '.process.capabilities |= map_values(. - ["CAP_SYS_PTRACE"])' 'process.capabilities: its Cap... has 0x80000 too much'
}

# bats test_tags=berth
@test "restore refuses an image with a thread that has more capabilities than config.json" {
	cp "$PROBE" "$BUNDLE/rootfs/bin/probe"
	config '.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE", "CAP_SETPCAP"])'
	args probe dropinfirst 19 # CAP_SYS_PTRACE
	piped run --bundle "$BUNDLE" --detach c
	wait_for 10 has_line "$T/output" dropped
	save c
	config '.process.capabilities |= map_values(. - ["CAP_SYS_PTRACE"])'
	runtime restore -d --bundle "$BUNDLE" --image-path "$T/image" --work-path "$T/work" c
	assert_equal 1 "$status"
	assert_match 'process.capabilities: its Cap... has 0x80000 too much' "$msg"
	gone c
}

# bats test_tags=berth
@test "restore refuses an image with a mount namespace that its processes cannot have made" {
	cp "$PROBE" "$BUNDLE/rootfs/bin/probe"
	config '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN", "CAP_SETPCAP"])'
	script 'unshare -m probe without 21 /bin/sh -c "echo alone; exec sleep 1000" & exec probe without 21 /bin/sleep 1000' # CAP_SYS_ADMIN
	piped run --bundle "$BUNDLE" --detach c
	wait_for 10 has_line "$T/output" alone
	save c
	config '.process.capabilities |= map_values(. - ["CAP_SYS_ADMIN"])'
	runtime restore -d --bundle "$BUNDLE" --image-path "$T/image" --work-path "$T/work" c
	assert_equal 1 "$status"
	assert_match 'in another mount namespace than init' "$msg"
	gone c
}

# bats test_tags=berth
@test "restore refuses an image with a user that the program of config.json cannot become" {
	refuses_image '.process.user = {uid: 1000, gid: 0}' 'process.user: its Uid is 0, not 1000'
	rm -r "$T/image"
	config '.process.user = {uid: 0, gid: 0, additionalGids: [5]}'
	refuses_image '.process.user.additionalGids = []' 'process.user: it is in the group 5'
}

# bats test_tags=berth
@test "restore refuses an image with higher limits than config.json" {
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 64, hard: 128}] | .process.oomScoreAdj = 500'
	refuses_image '.process.rlimits[0].hard = 64' 'process.rlimits.0.: its hard limit is 128, not 64'
	rm -r "$T/image"
	config '.process.rlimits = []'
	refuses_image '.process.oomScoreAdj = 600' 'process.oomScoreAdj: it has 500, not 600'
}

# bats test_tags=berth
@test "restore refuses an image with other ID mappings than config.json" {
	new_user_namespace
	mkdir -m 755 "$T/image" # CRIU reads it as the container's root
	refuses_image '.linux.uidMappings[0].hostID = 200000' 'linux.uidMappings: it has 0-65535 is 100000-165535'
}

# The root of a container can have the node of any device.
# bats test_tags=berth
@test "restore opens no device that config.json denies" {
	script 'exec 5</dev/urandom; while :; do echo opened; sleep 0.05; done'
	piped run --bundle "$BUNDLE" --detach c
	wait_for 10 has_line "$T/output" opened
	save c
	config '.linux.resources.devices += [{allow: false, type: "c", major: 1, minor: 9, access: "rw"}]'
	runtime restore -d --bundle "$BUNDLE" --image-path "$T/image" --work-path "$T/work" c
	assert_equal 1 "$status"
	assert_match 'urandom.*Operation not permitted' "$(grep Error "$T/work/restore.log")"
	gone c
}

# bats test_tags=berth
@test "restore refuses an image without the no_new_privs of config.json" {
	config '.process.noNewPrivileges = false'
	refuses_image '.process.noNewPrivileges = true' 'lacks no_new_privs'
}

# bats test_tags=berth
@test "restore refuses an image without the filter of config.json" {
	refuses_image '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW"}' 'linux.seccomp: it lacks the filter'
}

# bats test_tags=berth
@test "restore refuses an image with another filter than config.json" {
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW"}'
	run_piped c
	save c
	mv "$T/image" "$T/other"
	config '.linux.seccomp.syscalls = [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO"}]'
	run_piped c
	save c
	restore_piped c
	rm -r "$T/image"
	save c
	cp "$T/other/seccomp.img" "$T/image"
	runtime restore -d --bundle "$BUNDLE" --image-path "$T/image" --work-path "$T/work" c
	refused 'thread 1 of the image: linux.seccomp: it lacks the filter of config.json'
	gone c
}

# bats test_tags=berth
@test "processes that have more filters than config.json, and threads, are restored" {
	cp "$PROBE" "$BUNDLE/rootfs/bin/probe"
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["sethostname"], action: "SCMP_ACT_ERRNO"}]}
		| .process.capabilities |= map_values(. + ["CAP_SYS_PTRACE", "CAP_SETPCAP"])'
	script 'probe deny fail mknodat probe dropinfirst 19 & exec tail -f /dev/null'
	piped run --bundle "$BUNDLE" --detach c
	wait_for 10 has_line "$T/output" dropped
	save c
	restore_piped c
	assert_equal running "$(status_of c)"
}

# bats test_tags=berth
@test "restore refuses an image in a namespace of the runtime" {
	config 'del(.linux.namespaces[] | select(.type == "uts")) | del(.hostname)'
	refuses_image '.linux.namespaces += [{type: "uts"}]' 'in the uts namespace of the runtime'
}

# bats test_tags=berth
@test "restore refuses an image without the masks and read-only paths of config.json" {
	config '.linux.maskedPaths -= ["/proc/keys"]'
	refuses_image '.linux.maskedPaths += ["/proc/keys"]' 'linux.maskedPaths: ./proc/keys.: it is not masked'
	rm -r "$T/image"
	refuses_image '.linux.readonlyPaths += ["/tmp"]' '/tmp.: it is not read-only'
}

# bats test_tags=berth
@test "restore refuses an image with a mount that config.json does not have" {
	config '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"]) | .root.readonly = false'
	script 'mkdir -p /lower /upper /work /merged; mount -t overlay -o lowerdir=/lower,upperdir=/tmp/upper,workdir=/tmp/work overlay /merged; mount -t ramfs ram /merged; n=0; while :; do sleep 0.05; done'
	run_piped c
	runtime_ok exec c grep -c merged /proc/self/mounts
	runtime checkpoint --image-path "$T/image" --work-path "$T/work" c
	assert_equal 1 "$status" # CRIU does not know ramfs
	assert_match 'criu failed: type DUMP' "$msg"
	runtime_ok delete --force c

	mkdir "$T/dir"
	config '.mounts += [{destination: "/data", type: "bind", source: $dir, options: ["bind"]}]' --arg dir "$T/dir"
	script 'mkdir -p /other; mount --bind /data /other; n=0; while :; do sleep 0.05; done'
	run_piped c
	wait_for 10 has_mount c /other
	save c
	config 'del(.mounts[] | select(.destination == "/data"))'
	runtime restore -d --bundle "$BUNDLE" --image-path "$T/image" --work-path "$T/work" c
	assert_equal 1 "$status"
	gone c
}

has_mount() {
	runtime exec "$1" grep -q " $2 " /proc/self/mounts
	[ "$status" = 0 ]
}
