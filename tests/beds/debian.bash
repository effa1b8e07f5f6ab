# shellcheck shell=bash
# Root directories of Debian; sourced with cache.bash.

# debian SUITE VARIANT ROOT PACKAGE...: make a root directory from the mirror that apt
# uses here.
debian() {
	local suite=$1 variant=$2 root=$3
	shift 3
	need apt-get mmdebstrap unshare
	# A private namespace hides its mounts: tests that start meanwhile compare all
	# mounts. A mirror may be older than a week, after which testing's lists expire.
	unshare --mount --propagation private mmdebstrap --quiet --mode=root --variant="$variant" --format=directory \
		--aptopt='Acquire::Check-Valid-Until "false"' --include="$(IFS=, && echo "$*")" \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"$suite" "$root" "deb $(mirror) $suite main" >&2
	rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/archives/*
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

# configure_bed ROOT ETC: configure a root directory with systemd_packages as a bed; ETC
# is a directory of files for /etc.
configure_bed() {
	local root=$1 unit
	cp -r "$2/." "$root/etc/"
	echo bed >"$root/etc/hostname"
	printf '127.0.0.1 localhost bed\n::1 localhost\n' >"$root/etc/hosts"
	echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
	touch "$root/etc/.updated" "$root/var/.updated" # nothing to do for a first boot
	# With ranges in /etc/subuid and /etc/subgid.
	chroot "$root" useradd --create-home --shell /bin/bash --uid 1000 tester
	for unit in "${systemd_masked[@]}"; do
		ln -sf /dev/null "$root/etc/systemd/system/$unit"
	done
}
