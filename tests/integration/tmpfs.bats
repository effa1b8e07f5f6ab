# What a tmpfs copies from the directory that it covers, and options in unusual forms.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	mkdir -p "$BUNDLE/rootfs/data"
}

# tmpfs DESTINATION OPTION...: add one to config.json.
tmpfs() {
	local destination=$1
	shift
	config '.mounts += [{destination: $d, type: "tmpfs", source: "tmpfs", options: $ARGS.positional}]' \
		--arg d "$destination" --args -- "$@"
}

@test "a tmpfs without a mode has the mode of the directory that it covers" {
	chmod 1751 "$BUNDLE/rootfs/data"
	tmpfs /data nosuid
	run_script 'stat -c %a /data'
	assert_equal 1751 "$out"
}

@test "a tmpfs on a new directory is writable for everybody" {
	tmpfs /made
	tmpfs /made/and/deeper
	run_script 'stat -c %a /made /made/and/deeper'
	assert_equal $'1777\n1777' "$out"
}

# bats test_tags=berth
@test "a tmpfs on a missing directory has the same mode on every run" {
	config '.root.readonly = false'
	tmpfs /made nosuid
	tmpfs /two/levels nosuid
	tmpfs /copied tmpcopyup
	local run
	for run in first second; do
		run_script 'stat -c %a /made /two/levels /copied'
		assert_equal $'1777\n1777\n1777' "$out"
	done
	assert_equal 755 "$(stat -c %a "$BUNDLE/rootfs/two")"
}

# bats test_tags=berth
@test "a tmpfs has the mode of config.json" {
	chmod 1751 "$BUNDLE/rootfs/data"
	tmpfs /data mode=700
	run_script 'stat -c %a /data'
	assert_equal 700 "$out"
}

@test "one string can contain several options" {
	tmpfs /data "size=64k,mode=711" "nosuid"
	run_script 'grep " /data " /proc/self/mountinfo'
	assert_options "$out" /data nosuid
	assert_match 'size=64k' "$(mount_data "$out" /data)"
}

# bats test_tags=berth
@test "create finds mount options among those of the file system" {
	tmpfs /data "size=64k,ro,noexec"
	run_script 'grep " /data " /proc/self/mountinfo'
	assert_options "$out" /data ro noexec
}

@test "create accepts iversion and noiversion" {
	tmpfs /data iversion nosuid noatime size=64k
	tmpfs /b noiversion
	run_script 'grep -e " /data " -e " /b " /proc/self/mountinfo; touch /data/file'
	assert_options "$out" /data rw nosuid noatime
	assert_match 'size=64k' "$(mount_data "$out" /data)"
	assert_equal tmpfs "$(mount_type "$out" /b)"
	assert_equal 1 "$(grep -c " /data " <<<"$out")"
}

# bats test_tags=berth
@test "a mount made with mount(2) keeps its propagation and recursive attributes" {
	tmpfs /data iversion rnodev shared
	run_script 'cat /proc/self/mountinfo'
	assert_options "$out" /data nodev
	assert_match 'shared:' "$(mount_propagation "$out" /data)"
}

@test "tmpcopyup keeps owners, modes and links" {
	local d=$BUNDLE/rootfs/data
	mkdir "$d/dir"
	echo text >"$d/dir/file"
	chmod 1751 "$d/dir"
	chown 12:34 "$d/dir" "$d/dir/file"
	chmod 4755 "$d/dir/file"
	ln -s dir/file "$d/link"
	ln -s /etc/passwd "$d/absolute"
	chown -h 5:6 "$d/link"
	tmpfs /data tmpcopyup
	run_script 'cd /data; for f in ./absolute ./dir ./dir/file ./link; do stat -c "%n %A %u:%g" "$f"; done; cat link; readlink absolute; stat -f -c %T .'
	assert_equal "$(cat <<-'END'
		./absolute lrwxrwxrwx 0:0
		./dir drwxr-x--t 12:34
		./dir/file -rwsr-xr-x 12:34
		./link lrwxrwxrwx 5:6
		text
		/etc/passwd
		tmpfs
	END
	)" "$(grep -v '^$' <<<"$out")"
}

# bats test_tags=berth
@test "tmpcopyup keeps the owner of the directory itself, hard links, types and times" {
	local d=$BUNDLE/rootfs/data
	echo text >"$d/one"
	ln "$d/one" "$d/two"
	chown 12:34 "$d"
	chmod 751 "$d"
	mkfifo -m 640 "$d/fifo"
	touch -d @1000000000 "$d/one"
	tmpfs /data tmpcopyup
	tmpfs /other tmpcopyup uid=7
	mkdir "$BUNDLE/rootfs/other"
	run_script 'stat -c "%a %u:%g" /data; stat -c "%u:%g" /other; stat -c %h /data/one; [ /data/one -ef /data/two ] && echo same; stat -c %A /data/fifo; stat -c %Y /data/one'
	assert_equal $'751 12:34\n7:0\n2\nsame\nprw-r-----\n1000000000' "$out"
}

@test "tmpcopyup does not change the image" {
	local d=$BUNDLE/rootfs/data
	mkdir "$d/dir"
	echo text >"$d/dir/file"
	tmpfs /data tmpcopyup
	run_script 'echo more >>/data/dir/file; rm -r /data/dir; touch /data/new'
	assert_equal text "$(cat "$d/dir/file")"
	assert_equal dir "$(ls "$d")"
}

@test "tmpcopyup copies many files" {
	local d=$BUNDLE/rootfs/data i
	for ((i = 0; i < 300; i++)); do echo "$i" >"$d/file-$i"; done
	mkdir -p "$d/a/b/c/d/e/f"
	head -c 3000000 /dev/urandom >"$d/a/b/c/d/e/f/big"
	tmpfs /data tmpcopyup
	run_script 'cat /data/file-* | md5sum; md5sum </data/a/b/c/d/e/f/big; ls /data | wc -l'
	assert_equal "$(cat "$d"/file-* | md5sum; md5sum <"$d/a/b/c/d/e/f/big"; echo 301)" "$out"
}

# bats test_tags=berth
@test "a read-only tmpfs is filled first" {
	echo text >"$BUNDLE/rootfs/data/file"
	tmpfs /data tmpcopyup ro
	tmpfs /data tmpcopyup ro iversion
	run_script 'grep " /data " /proc/self/mountinfo; cat /data/file; touch /data/new || true'
	assert_equal 'text' "$(tail -n 1 <<<"$out")"
	assert_options "$out" /data ro
	assert_match '^ro,' "$(mount_data "$out" /data)"
	assert_match 'Read-only file system' "$err"
}

# bats test_tags=berth
@test "tmpcopyup names the file that does not fit into the tmpfs" {
	head -c 200000 /dev/zero | tr '\0' x >"$BUNDLE/rootfs/data/big"
	tmpfs /data tmpcopyup size=64k
	args true
	runtime run --bundle "$BUNDLE" c
	refused 'mounts\[7\].*tmpcopyup: copy "/big": .*no space left on device'
}

# bats test_tags=berth
@test "the memory of tmpcopyup is charged to the container" {
	head -c 20000000 /dev/urandom >"$BUNDLE/rootfs/data/big"
	tmpfs /data tmpcopyup
	config '.linux.resources.memory = {limit: 10000000}'
	args true
	runtime run --bundle "$BUNDLE" c
	[ "$status" != 0 ]
}

@test "tmpcopyup follows no link of the image out of the image" {
	mkdir "$T/decoy"
	echo secret >"$T/decoy/file"
	ln -s "$T/decoy" "$BUNDLE/rootfs/link"
	ln -s "$T/decoy" "$BUNDLE/rootfs/data/link"
	tmpfs /data tmpcopyup
	run_script 'cat /data/link/file; stat -c %F /data/link'
	assert_equal 'symbolic link' "$out"
}
