# Owners of a mount's files mapped to others, as the container and the disk show them.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	config '.root.readonly = false'
	mkdir "$T/source"
	mkdir "$T/source/below"
	local id
	for id in 0 1 5 1000; do
		touch "$T/source/$id"
		chown "$id:$((id + 1))" "$T/source/$id"
	done
}

# mapped UIDS GIDS OPTION...: bind the source on /mnt; a mapping is a list of three
# numbers.
mapped() {
	local uids=$1 gids=$2
	shift 2
	config 'def list: split(" ") | map(tonumber) | [range(0; length; 3) as $i | {containerID: .[$i], hostID: .[$i + 1], size: .[$i + 2]}];
		.mounts += [{destination: "/mnt", type: "none", source: $s, options: $ARGS.positional,
			uidMappings: ($uids | list), gidMappings: ($gids | list)}]' \
		--arg s "$T/source" --arg uids "$uids" --arg gids "$gids" --args -- "$@"
}

# bats test_tags=berth
@test "idmap works in a container without a user namespace" {
	mapped "0 2000 1 1 3000 10" "1 500 1 2 600 10" bind idmap
	run_script 'cd /mnt; for f in 0 1 5 1000; do stat -c "%n %u:%g" $f; done'
	assert_equal $'0 2000:500\n1 3000:600\n5 3004:604\n1000 65534:65534' "$out"
}

# bats test_tags=berth
@test "a file that is made in a mapped mount has the owner that maps to it" {
	mapped "1000 0 1" "1000 0 1" bind idmap
	chown 1000:1000 "$T/source"
	run_script 'touch /mnt/new; stat -c "%u:%g" /mnt/new'
	assert_equal 0:0 "$out"
	assert_equal 1000:1000 "$(stat -c %u:%g "$T/source/new")"
}

# bats test_tags=berth
@test "mappings work without idmap among the options" {
	mapped "0 2000 1" "1 500 1" bind
	run_script 'stat -c "%u:%g" /mnt/0'
	assert_equal 2000:500 "$out"
}

# bats test_tags=berth
@test "idmap maps one mount, ridmap the submounts too" {
	mount -t tmpfs below "$T/source/below"
	chown 0:1 "$T/source/below"
	mapped "0 2000 1" "1 500 1" rbind idmap
	run_script 'stat -c "%u:%g" /mnt/0 /mnt/below'
	assert_equal $'2000:500\n0:1' "$out"
	config 'del(.mounts[7])'
	mapped "0 2000 1" "1 500 1" rbind ridmap
	run_script 'stat -c "%u:%g" /mnt/0 /mnt/below'
	umount "$T/source/below"
	assert_equal $'2000:500\n2000:500' "$out"
}

# bats test_tags=berth
@test "idmap maps a file on the root file system" {
	touch "$T/file"
	chown 7:8 "$T/file"
	config '.mounts += [{destination: "/file", type: "none", source: $s, options: ["bind", "ro", "idmap"],
		uidMappings: [{containerID: 7, hostID: 70, size: 1}], gidMappings: [{containerID: 8, hostID: 80, size: 1}]}]' --arg s "$T/file"
	run_script 'stat -c "%u:%g" /file; grep " /file " /proc/self/mountinfo'
	assert_match '^70:80' "$out"
	assert_options "$out" /file ro
}

# bats test_tags=berth
@test "create accepts crun's form of a mapping" {
	config '.mounts += [{destination: "/mnt", type: "none", source: $s,
		options: ["bind", "idmap=uids=0-2000-1#1-3000-10;gids=1-500-1"]}]' --arg s "$T/source"
	run_script 'stat -c "%u:%g" /mnt/0 /mnt/5'
	assert_equal $'2000:500\n3004:65534' "$out"
}

# bats test_tags=berth
@test "idmap maps a new file system" {
	config '.mounts += [{destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ["idmap", "mode=755"],
		uidMappings: [{containerID: 0, hostID: 70, size: 1}], gidMappings: [{containerID: 0, hostID: 80, size: 1}]}]'
	run_script 'stat -c "%u:%g" /mnt'
	assert_equal 70:80 "$out"
}

# bats test_tags=berth
@test "create names a file system that cannot map owners" {
	config '.mounts += [{destination: "/mnt", type: "none", source: "/proc/sys", options: ["bind", "idmap"],
		uidMappings: [{containerID: 0, hostID: 70, size: 1}], gidMappings: [{containerID: 0, hostID: 80, size: 1}]}]'
	args true
	runtime run --bundle "$BUNDLE" c
	refused 'mounts\[7\]: mount bind "/proc/sys" on "/mnt": idmap: file system proc does not support ID-mapped mounts: mount_setattr: invalid argument$'
}

# bats test_tags=berth
@test "create refuses idmap without mappings" {
	config '.mounts += [{destination: "/mnt", type: "none", source: $s, options: ["bind", "idmap"]}]' --arg s "$T/source"
	args true
	runtime run --bundle "$BUNDLE" c
	refused 'mounts\[7\]\.options: "idmap" needs uidMappings and gidMappings'
}
