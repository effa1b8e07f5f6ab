# User namespaces.

# new_user_namespace [CONTAINER:HOST:SIZE...]: add a user namespace to the bundle with
# these ranges (0:100000:65536 by default) for users and groups. Its root becomes the
# owner of the root file system.
new_user_namespace() {
	[ $# -gt 0 ] || set -- 0:100000:65536
	config '($ARGS.positional | map(split(":") | map(tonumber) | {containerID: .[0], hostID: .[1], size: .[2]})) as $ids
		| .linux.namespaces += [{type: "user"}] | .linux.uidMappings = $ids | .linux.gidMappings = $ids' --args -- "$@"
	local range
	for range in "$@"; do
		[[ $range != 0:* ]] || chown -R "$(cut -d : -f 2 <<<"$range"):$(cut -d : -f 2 <<<"$range")" "$BUNDLE/rootfs"
	done
	# Some runtimes walk to the bundle as the container's root.
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/{,test,file,suite}* "$T" 2>/dev/null || true
}

# all_capabilities: the program has every capability.
all_capabilities() {
	config '.process.capabilities[] = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_MKNOD", "CAP_NET_ADMIN",
		"CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_SYS_RESOURCE"]
		| .process.capabilities |= del(.ambient, .inheritable)'
}

# squeezed TEXT: with single blanks, and without blanks at the ends of lines.
squeezed() {
	sed 's/[[:space:]]\+/ /g; s/^ //; s/ $//' <<<"$1"
}
