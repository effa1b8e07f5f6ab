# The effect of each mount option, as the container's own mountinfo shows it.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	mkdir "$T/source"
}

# mount_at DESTINATION TYPE SOURCE OPTION...: add it to config.json.
mount_at() {
	local destination=$1 type=$2 source=$3
	shift 3
	config '.mounts += [{destination: $d, type: $t, source: $s, options: $ARGS.positional}]' \
		--arg d "$destination" --arg t "$type" --arg s "$source" --args -- "$@"
}

# see: run the container, and leave its mountinfo in $inside.
see() {
	run_script 'cat /proc/self/mountinfo'
	inside=$out
}

# a_source OPTIONS: mount $T/source with these options, and another mount below it.
a_source() {
	mount -t tmpfs source "$T/source"
	mkdir "$T/source/below"
	mount -t tmpfs below "$T/source/below"
	mount -o "remount,bind,$1" "$T/source/below"
	mount -o "remount,bind,$1" "$T/source"
}

# see_source: see, and unmount the source in any case.
see_source() {
	script 'cat /proc/self/mountinfo'
	runtime run --bundle "$BUNDLE" c
	umount -R "$T/source"
	succeeded run
	inside=$out
}

# bats test_tags=berth
@test "create accepts copy and nocopy, which Podman before 5.6 passes on" {
	mount_at /data bind "$T/source" rbind nocopy ro
	mount_at /more bind "$T/source" rbind copy
	see
	assert_options "$inside" /data ro
	assert_options "$inside" /more rw
}

@test "options of the file system reach it" {
	local option
	for option in sync dirsync lazytime; do
		mount_at "/$option" tmpfs tmpfs "$option"
	done
	mount_at /none tmpfs tmpfs silent loud noiversion mand nomand
	see
	for option in sync dirsync lazytime; do
		assert_match "(^|,)$option(,|\$)" "$(mount_data "$inside" "/$option")"
	done
	assert_equal rw,relatime "$(mount_options "$inside" /none)"
}

@test "options of the mount are set" {
	mount_at /strictatime tmpfs tmpfs strictatime
	mount_at /noatime tmpfs tmpfs noatime
	mount_at /relatime tmpfs tmpfs relatime
	mount_at /nodiratime tmpfs tmpfs nodiratime
	mount_at /all tmpfs tmpfs ro nosuid nodev noexec
	mount_at /none tmpfs tmpfs rw suid dev exec async atime diratime norelatime nostrictatime
	see
	assert_equal rw "$(mount_options "$inside" /strictatime)"
	assert_equal rw,noatime "$(mount_options "$inside" /noatime)"
	assert_equal rw,relatime "$(mount_options "$inside" /relatime)"
	assert_equal rw,nodiratime,relatime "$(mount_options "$inside" /nodiratime)"
	assert_equal ro,nosuid,nodev,noexec,relatime "$(mount_options "$inside" /all)"
	assert_equal rw,relatime "$(mount_options "$inside" /none)"
}

@test "of options that exclude each other the last one applies" {
	mount_at /data tmpfs tmpfs sync lazytime async nolazytime
	mount_at /relatime tmpfs tmpfs noatime relatime
	mount_at /atime tmpfs tmpfs noatime atime
	mount_at /strictatime tmpfs tmpfs noatime strictatime
	mount_at /diratime tmpfs tmpfs nodiratime diratime
	mount_at /none tmpfs tmpfs ro nosuid nodev noexec rw suid dev exec defaults
	see
	refute_match 'sync|lazytime' "$(mount_data "$inside" /data)"
	assert_equal rw,relatime "$(mount_options "$inside" /relatime)"
	assert_equal rw,relatime "$(mount_options "$inside" /atime)"
	assert_equal rw "$(mount_options "$inside" /strictatime)"
	assert_equal rw,relatime "$(mount_options "$inside" /diratime)"
	assert_equal rw,relatime "$(mount_options "$inside" /none)"
}

@test "nosymfollow prevents following links" {
	mount_at /no tmpfs tmpfs nosymfollow
	mount_at /yes tmpfs tmpfs nosymfollow symfollow
	run_script 'for d in /no /yes; do echo content >$d/file; ln -s file $d/link; cat $d/link; done; cat /proc/self/mountinfo'
	assert_match '^content' "$out"
	assert_options "$out" /no nosymfollow
	refute_match nosymfollow "$(mount_options "$out" /yes)"
	assert_match "can't open '/no/link'" "$err"
}

@test "a bind mount keeps the options of its source except those that config.json names" {
	a_source ro,nosuid,nodev,noexec
	mount_at /kept none "$T/source" bind
	mount_at /none none "$T/source" bind rw suid dev exec
	mount_at /some none "$T/source" rbind suid
	see_source
	assert_equal ro,nosuid,nodev,noexec,relatime "$(mount_options "$inside" /kept)"
	assert_equal rw,relatime "$(mount_options "$inside" /none)"
	assert_equal ro,nodev,noexec,relatime "$(mount_options "$inside" /some)"
	assert_options "$inside" /some/below nosuid
}

@test "recursive options are set on submounts" {
	local option
	a_source rw
	for option in rro rnosuid rnodev rnoexec rnoatime rnodiratime; do
		mount_at "/$option" none "$T/source" rbind "$option"
	done
	mount_at /rstrictatime none "$T/source" rbind rstrictatime
	see_source
	for option in rro rnosuid rnodev rnoexec rnoatime rnodiratime; do
		assert_options "$inside" "/$option" "${option#r}"
		assert_options "$inside" "/$option/below" "${option#r}"
	done
	assert_equal rw "$(mount_options "$inside" /rstrictatime/below)"
}

@test "recursive options are cleared on submounts" {
	a_source ro,nosuid,nodev,noexec,nodiratime
	mount_at /kept none "$T/source" rbind
	mount_at /taken none "$T/source" rbind rrw rsuid rdev rexec rdiratime
	see_source
	assert_equal ro,nosuid,nodev,noexec,nodiratime,relatime "$(mount_options "$inside" /kept/below)"
	assert_equal rw,relatime "$(mount_options "$inside" /taken)"
	assert_equal rw,relatime "$(mount_options "$inside" /taken/below)"
}

@test "recursive options of access times restore the kernel's default" {
	a_source noatime
	mount_at /ratime none "$T/source" rbind ratime
	mount_at /rrelatime none "$T/source" rbind rrelatime
	mount_at /rnostrictatime none "$T/source" rbind rstrictatime rnostrictatime
	mount_at /rnorelatime none "$T/source" rbind rnoatime rnorelatime
	see_source
	assert_equal rw,relatime "$(mount_options "$inside" /ratime/below)"
	assert_equal rw,relatime "$(mount_options "$inside" /rrelatime/below)"
	assert_equal rw,relatime "$(mount_options "$inside" /rnostrictatime/below)"
	assert_equal rw,noatime "$(mount_options "$inside" /rnorelatime/below)"
}

@test "rnosymfollow and rsymfollow apply to submounts" {
	a_source rw
	mount_at /set none "$T/source" rbind rnosymfollow
	mount_at /taken none "$T/source" rbind rnosymfollow rsymfollow
	see_source
	assert_options "$inside" /set nosymfollow
	assert_options "$inside" /set/below nosymfollow
	refute_match nosymfollow "$(mount_options "$inside" /taken/below)"
}
