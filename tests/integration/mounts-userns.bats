# Mounts in user namespaces, with sources that the container's root may not reach, as
# the container sees them.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	new_user_namespace
	# Below a directory that only the host's root may enter.
	mkdir -p "$T/closed/data/below"
	chmod 700 "$T/closed"
	chmod 755 "$T/closed/data"
	echo text >"$T/closed/data/file"
	mkdir "$BUNDLE/rootfs/data"
	touch "$BUNDLE/rootfs/file"
	chown 100000:100000 "$BUNDLE/rootfs/data" "$BUNDLE/rootfs/file"
}

# bound SOURCE DESTINATION OPTION...
bound() {
	local source=$1 destination=$2
	shift 2
	config '.mounts += [{destination: $d, type: "none", source: $s, options: $ARGS.positional}]' --arg s "$source" --arg d "$destination" --args -- "$@"
}

@test "create binds a directory that the container's root may not reach" {
	bound "$T/closed/data" /data bind nosuid
	run_script 'cat /data/file; cat /proc/self/mountinfo'
	assert_match ^text "$out"
	assert_options "$out" /data rw nosuid
}

@test "create binds a file that the container's root may not reach" {
	bound "$T/closed/data/file" /file bind ro
	run_script 'cat /file; cat /proc/self/mountinfo'
	assert_match ^text "$out"
	assert_options "$out" /file ro
}

# bats test_tags=berth
@test "create binds several sources that the container's root may not reach" {
	mount -t tmpfs below "$T/closed/data/below"
	echo below >"$T/closed/data/below/file"
	bound "$T/closed/data" /data rbind
	bound "$T/closed/data/file" /file bind
	bound "$T/closed/data/below" /tmp bind rro
	run_script 'cat /data/below/file /file /tmp/file; cat /proc/self/mountinfo'
	umount "$T/closed/data/below"
	assert_match $'^below\ntext\nbelow\n' "$out"
	assert_options "$out" /tmp ro
}

# bats test_tags=berth
@test "create follows links to a source that the container's root may not reach" {
	ln -s "$T/closed/data" "$T/closed/absolute"
	ln -s ../closed/absolute "$T/closed/relative"
	bound "$T/closed/relative/file" /file bind
	bound "$T/closed/relative" /tmp/link bind src-nofollow dest-nofollow
	config '.root.readonly = false'
	ln -s nowhere "$BUNDLE/rootfs/tmp/link"
	run_script 'cat /file; readlink /tmp/link'
	assert_equal $'text\n../closed/absolute' "$out"
}

# locked COMMAND...: run it where the source is mounted read-only, nosuid and nodev.
locked() {
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount --propagation private sh -c '
		mount -t tmpfs -o mode=755 none "$0" && echo text >"$0/file" && mount -o remount,bind,ro,nosuid,nodev "$0" && exec "$@"' "$T/closed/data" "$@"
}

@test "the container cannot clear the host's flags of a source that it may not reach" {
	all_capabilities
	bound "$T/closed/data" /data bind
	script 'cat /proc/self/mountinfo; cat /data/file; mount -o remount,bind,rw /data 2>/dev/null; echo rw $?; mount -o remount,bind,ro,suid /data 2>/dev/null; echo suid $?; true'
	locked "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c >"$T/out" 2>"$T/err" || failed "$(<"$T/err")"
	out=$(<"$T/out")
	assert_options "$out" /data ro nosuid nodev
	assert_match $'\ntext\nrw [1-9]+\nsuid [1-9]+$' "$out"
}

@test "a file that the container makes in a source that it may not reach belongs to the container's user" {
	chown 101000:101000 "$T/closed/data"
	config '.process.user = {uid: 1000, gid: 1000}'
	bound "$T/closed/data" /data bind
	run_script 'touch /data/new; stat -c %u:%g /data/new'
	assert_equal 1000:1000 "$out"
	assert_equal 101000:101000 "$(stat -c %u:%g "$T/closed/data/new")"
}

# bats test_tags=berth
@test "idmap maps owners to those of the container's user namespace" {
	touch "$T/closed/data/"{0,5,1000}
	chown 5:6 "$T/closed/data/5"
	chown 1000:1001 "$T/closed/data/1000"
	config '.linux.uidMappings as $ids | .mounts += [{destination: "/data", type: "none", source: $s, options: ["bind", "idmap"], uidMappings: $ids, gidMappings: $ids}]' --arg s "$T/closed/data"
	run_script 'cd /data; stat -c "%n %u:%g" 0 5 1000; touch new; stat -c "%u:%g" new'
	assert_equal $'0 0:0\n5 5:6\n1000 1000:1001\n0:0' "$out"
	assert_equal 0:0 "$(stat -c %u:%g "$T/closed/data/new")"
}

# bats test_tags=berth
@test "idmap without mappings uses those of the container's user namespace" {
	touch "$T/closed/data/5"
	chown 5:6 "$T/closed/data/5"
	bound "$T/closed/data" /data bind idmap
	run_script 'stat -c "%u:%g" /data/5'
	assert_equal 5:6 "$out"
}

# bats test_tags=berth
@test "create binds a source that the container's root may reach but not read, and it stays unreadable" {
	chmod 755 "$T/closed"
	chmod 700 "$T/closed/data"
	bound "$T/closed/data" /data bind
	run_script 'ls /data 2>&1 || true'
	assert_match 'Permission denied' "$out"
}

# bats test_tags=berth
@test "create names the locked flag that an option would clear" {
	mount -t tmpfs -o nosuid,nodev,noexec below "$T/closed/data/below"
	mkdir "$T/closed/data/below/deeper"
	bound "$T/closed/data/below" /data bind exec suid dev
	runtime run --bundle "$BUNDLE" c
	local first=$msg
	config '.mounts[-1].options = ["bind", "rexec"]'
	runtime run --bundle "$BUNDLE" c
	local second=$msg
	config '.mounts[-1].options = ["bind"] | .mounts += [{destination: "/data", options: ["bind", "remount", "exec"]}]'
	runtime run --bundle "$BUNDLE" c
	local third=$msg
	config '.mounts |= .[:-1]'
	args sleep 1000
	start_detached c
	jq -n '[{destination: "/new", source: $s, options: ["bind", "dev"]}]' --arg s "$T/closed/data/below" >"$T/mounts.json"
	runtime mounts add c "$T/mounts.json"
	umount "$T/closed/data/below"
	assert_match 'mounts\[[0-9]+\].*EPERM.*it is mounted nosuid,nodev,noexec on the host.*locked.*leave "suid", "dev", "exec" out' "$first"
	assert_match 'it is mounted noexec on the host.*leave "rexec" out' "$second"
	assert_match 'remount.*it is mounted noexec on the host.*leave "exec" out' "$third"
	refused 'it is mounted nodev on the host.*leave .*"dev.*" out'
}
