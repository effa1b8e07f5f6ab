# shellcheck shell=bash
# Root directories of Debian; sourced with cache.bash.

# debian [--arch ARCH] SUITE VARIANT ROOT PACKAGE...: make a root directory from the
# mirror that apt uses here.
debian() {
	# A private namespace hides its mounts: tests that start meanwhile compare all
	# mounts.
	local run=(unshare --mount --propagation private) foreign=()
	if [ "$1" = --arch ]; then
		run=(emulating "$2")
		foreign=(--arch="$2" --skip=check/qemu)
		shift 2
	fi
	local suite=$1 variant=$2 root=$3
	shift 3
	need apt-get mmdebstrap unshare
	# A mirror may be older than a week, after which testing's lists expire.
	"${run[@]}" mmdebstrap --quiet --mode=root "${foreign[@]}" --variant="$variant" --format=directory \
		--aptopt='Acquire::Check-Valid-Until "false"' --include="$(IFS=, && echo "$*")" \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"$suite" "$root" "deb $(mirror) $suite main" >&2
	rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/archives/*
}

# emulating ARCH COMMAND...: run a command in a user namespace in which qemu-user runs the
# programs of another architecture. Each has its own binfmt_misc since Linux 6.7, so that
# of the host stays as it is.
emulating() {
	local format
	format=/usr/lib/binfmt.d/qemu-$(machine "$1").conf
	[ -f "$format" ] || lacking "qemu-user-static is not installed (hack/deps guest-arm64)"
	need newuidmap newgidmap unshare
	shift
	# newuidmap reads which IDs root may map, from a file that only this namespace sees.
	# shellcheck disable=SC2016 # for the inner shells
	unshare --mount --propagation private bash -euc '
		mount -t tmpfs none /mnt
		echo root:0:65536 >/mnt/subids
		for file in /etc/subuid /etc/subgid; do
			mount --bind /mnt/subids "$file"
		done
		exec unshare --user --map-users=0,0,65536 --map-groups=0,0,65536 --setuid 0 --setgid 0 \
			--mount --pid --fork --kill-child --mount-proc bash -euc "
			mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
			cat \"\$0\" >/proc/sys/fs/binfmt_misc/register
			exec \"\$@\"" "$@"' bash "$format" "$@"
}

# machine ARCH: the name that uname(2) has for an architecture of Debian's.
machine() {
	case $1 in
	amd64) echo x86_64 ;;
	arm64) echo aarch64 ;;
	*) lacking "there is no guest for $1, only for amd64 and arm64" ;;
	esac
}

# The packages of a root directory that becomes a bed with systemd.
# shellcheck disable=SC2034 # used by the scripts that source this
systemd_packages=(
	systemd systemd-sysv libpam-systemd dbus dbus-user-session # the point of it
	apparmor iproute2 kmod mount procps uidmap util-linux
	bats busybox-static conmon crun jq runc strace # what the tests use
)

# Units that slow each start, or wait for missing hardware.
systemd_masked=(
	apparmor.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer
	e2scrub_all.timer e2scrub_reap.service fstrim.timer getty@.service
	modprobe@.service serial-getty@.service systemd-binfmt.service
	systemd-journal-flush.service systemd-networkd.service systemd-pstore.service
	systemd-timesyncd.service systemd-tmpfiles-clean.timer
)

# configure_bed [--arch ARCH] ROOT ETC: configure a root directory with systemd_packages as
# a bed; ETC is a directory of files for /etc.
configure_bed() {
	local run=()
	if [ "$1" = --arch ]; then
		run=(emulating "$2")
		shift 2
	fi
	local root=$1 unit
	cp -r "$2/." "$root/etc/"
	echo bed >"$root/etc/hostname"
	printf '127.0.0.1 localhost bed\n::1 localhost\n' >"$root/etc/hosts"
	echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
	touch "$root/etc/.updated" "$root/var/.updated" # nothing to do for a first boot
	# With ranges in /etc/subuid and /etc/subgid.
	"${run[@]}" chroot "$root" useradd --create-home --shell /bin/bash --uid 1000 tester
	for unit in "${systemd_masked[@]}"; do
		ln -sf /dev/null "$root/etc/systemd/system/$unit"
	done
}
