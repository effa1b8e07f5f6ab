# The root file system of the tests.

# make_rootfs DIR: the smallest tree that has a shell.
make_rootfs() {
	local busybox
	busybox=$(command -v busybox) || return
	mkdir -p "$1"/{bin,etc,tmp,root,home/user} || return
	chmod 1777 "$1/tmp"
	cp "$busybox" "$1/bin/busybox" || return
	# Hard links: every test copies all 270, and inodes are slow to make.
	"$1/bin/busybox" --install "$1/bin" || return
	cat >"$1/etc/passwd" <<-END
		root:x:0:0:root:/root:/bin/sh
		user:x:1000:1000:user:/home/user:/bin/sh
	END
	printf 'root:x:0:\nuser:x:1000:\n' >"$1/etc/group"
}
