# shellcheck shell=bash
# Root directories of Debian; sourced with cache.bash.

# debian SUITE VARIANT ROOT PACKAGE...: make a root directory from the mirror that apt uses
# here.
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

# separate_apt ARCH SUITE DIR: set apt_options to those of an apt-get that knows only this
# architecture of this suite, has nothing installed, and keeps its files in DIR; fetch
# its lists.
separate_apt() {
	local arch=$1 suite=$2 dir=$3
	need apt-get
	mkdir -p "$dir"/{state/lists/partial,cache/archives/partial}
	: >"$dir/state/status"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) $suite main" >"$dir/sources.list"
	apt_options=(-qq -o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o APT::Sandbox::User=root
		-o "Dir::State=$dir/state" -o "Dir::State::status=$dir/state/status" -o "Dir::Cache=$dir/cache"
		-o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=- -o 'Acquire::Check-Valid-Until=false')
	apt-get "${apt_options[@]}" update
}

# foreign_tree ARCH SUITE NATIVE ROOT: copy the root directory NATIVE, with the files of its
# packages from another architecture. The configuration by the packages' scripts is the
# same for both, and emulating them would take minutes.
foreign_tree() {
	local arch=$1 suite=$2 native=$3 root=$4 here packages path
	here=$(dpkg --print-architecture)
	need dpkg-deb dpkg-query tar
	packages=$(dpkg-query --admindir="$native/var/lib/dpkg" -W -f '${Package} ${Architecture}\n' | awk -v "here=$here" '$2 == here { print $1 }')
	separate_apt "$arch" "$suite" "$root.apt"
	# shellcheck disable=SC2086 # a list
	apt-get "${apt_options[@]}" --yes --download-only --no-install-recommends install $packages >&2
	cp -a "$native" "$root"
	for path in "$root.apt"/cache/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$path" | tar -xf - -C "$root" --keep-directory-symlink \
			--exclude=./etc --exclude=./var --exclude='./usr/share/*'
	done
	rm -rf "$root.apt" "$root/etc/ld.so.cache" "$root/usr/lib/$(machine "$here")-linux-gnu"
	# Owners and modes that packages' scripts have changed.
	while read -r _ _ _ path; do
		chown --reference="$native$path" "$root$path"
		chmod --reference="$native$path" "$root$path"
	done <"$native/var/lib/dpkg/statoverride"
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

# configure_bed ROOT ETC: configure a root directory with systemd_packages as a bed; ETC is
# a directory of files for /etc.
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
