# shellcheck shell=bash disable=SC2154 # the variables are those of hack/release/build
# Packages for Debian, RPM distributions and Alpine, by nfpm. The shim has a package of its
# own, as only hosts with containerd need it.

package_names="berth containerd-shim-berth"

# install_files ARCH [SHIM]: hack/install of the binary of an architecture, with the
# completions that the one of this machine prints; with the shim, if it is named.
install_files() {
	BERTH=$work/bin/$1/berth RUNNABLE=$work/bin/$(go env GOHOSTARCH)/berth SHIM=${2:-/nonexistent} hack/install
}

# install_shim ARCH ROOT: the files of the shim's package.
install_shim() {
	DESTDIR=$2 PREFIX=/usr SHIM=$(shim_of "$1") hack/install --shim
	install -D -m 644 LICENSE "$2/usr/share/doc/containerd-shim-berth/LICENSE"
}

# licenses NAMES [APACHE]: the licenses of Go and of the modules in the programs of packages.
# APACHE replaces the text of that license.
licenses() {
	local list module dir file
	list=$(for name in $1; do modules "$name"; done | sort -u)
	echo "The programs contain the Go standard library and these modules, under their licenses."
	printf '\n%s\n\n' "--- Go ($(go env GOVERSION))"
	cat "$(go env GOROOT)/LICENSE"
	while read -r module dir; do
		for file in "$dir"/LICENSE* "$dir"/COPYING* "$dir"/NOTICE*; do
			[ -f "$file" ] || continue
			printf '\n%s\n\n' "--- $module, ${file##*/}"
			if [ -n "${2:-}" ] && grep -q 'Apache License' "$file" && grep -q 'Version 2.0, January 2004' "$file"; then
				echo "$2"
			else
				cat "$file"
			fi
		done
	done <<<"$list"
}

# modules NAME: the modules of others in the program of a package, and their directories.
modules() {
	local module=. tags package=./cmd/runtime
	tags=$(hack/build --tags)
	if [ "$1" = containerd-shim-berth ]; then
		module=shim tags=$(hack/build --tags shim) package=./cmd/containerd-shim-berth-v2
	fi
	(cd "$module" && go list -deps -tags "$tags" \
		-f '{{with .Module}}{{if not (or .Main .Replace)}}{{.Path}}@{{.Version}} {{.Dir}}{{end}}{{end}}' "$package")
}

# stage FORMAT ARCH NAME: make the files of a package, and print their directory.
stage() {
	local format=$1 arch=$2 name=$3 root=$work/stage/$1-$2-$3 doc zsh=/usr/share/zsh/site-functions
	doc=$root/usr/share/doc/$name
	if [ "$name" = berth ]; then
		[ "$format" != deb ] || zsh=/usr/share/zsh/vendor-completions
		DESTDIR=$root PREFIX=/usr ZSHDIR=$zsh install_files "$arch"
	else
		install_shim "$arch" "$root"
	fi
	gzip -9n "$root"/usr/share/man/man8/*.8
	case $format in
	deb)
		rm "$doc/LICENSE"
		debian_copyright "$name" >"$doc/copyright"
		debian_changelog "$name" | gzip -9n >"$doc/changelog.Debian.gz"
		mkdir -p "$root/usr/share/lintian/overrides"
		sed "s/^berth:/$name:/" hack/release/lintian-overrides >"$root/usr/share/lintian/overrides/$name"
		;;
	*)
		mkdir -p "$root/usr/share/licenses/$name"
		mv "$doc/LICENSE" "$root/usr/share/licenses/$name/LICENSE"
		licenses "$name" >"$root/usr/share/licenses/$name/THIRD-PARTY"
		rmdir "$doc"
		;;
	esac
	echo "$root"
}

debian_copyright() {
	cat <<-'END'
		Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
		Upstream-Name: berth
		Source: https://github.com/berth-oci/berth

		Files: *
		Copyright: The berth authors
		License: Apache-2.0
		 On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.
		Comment:
	END
	licenses "$1" "See /usr/share/common-licenses/Apache-2.0." | sed 's/^[[:space:]]*$/./; s/^/ /'
}

debian_changelog() {
	cat <<-END
		$1 ($version-1) unstable; urgency=medium

		  * Release $version: see CHANGELOG.md in the source.

		 -- $maintainer  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
	END
}

maintainer="berth maintainers <berth-oci@users.noreply.github.com>"

# about NAME FORMAT: what only this package has in its configuration. Berth is installed next
# to other runtimes, and replaces none. A description for apk has one line.
about() {
	local summary text field
	if [ "$1" = berth ]; then
		summary="OCI container runtime with the commands of runc"
		text="
		  Container engines such as Docker, containerd, Podman and CRI-O create
		  containers with it. It is installed next to other runtimes: configure an
		  engine to use /usr/sbin/berth."
		field="suggests: [uidmap]"
		printf 'provides:\n  - oci-runtime\n'
	else
		summary="containerd shim that makes containers as berth does"
		text="
		  containerd starts it instead of its shim for runc, and it starts no
		  runtime binary: configure a runtime with the type io.containerd.berth.v2."
		field="suggests: [criu]"
		printf 'deb:\n  fields:\n    Enhances: containerd\n'
	fi
	[ "$2" != apk ] || text=
	printf 'description: |-\n  %s%s\n' "$summary" "$text"
	printf 'rpm:\n  summary: %s\n  group: System Environment/Base\n  buildhost: localhost\n  packager: %s\n' "$summary" "$maintainer"
	printf 'overrides:\n  deb:\n    %s\n' "$field"
}

# version_lines FORMAT: the version, 0.2.0-rc.1 or 0.1.0+12.gCOMMIT. nfpm converts it for deb and
# rpm; for apk it makes versions that apk refuses, so this does: 0.2.0_rc1, 0.1.0_p12.
version_lines() {
	case $1 in
	apk) printf 'version: "%s"\nversion_schema: none\n' "$(sed -E 's/-rc\.([0-9]+)/_rc\1/; s/\+([0-9]+)\..*/_p\1/' <<<"$version")" ;;
	*) printf 'version: "%s"\nversion_schema: semver\n' "$version" ;;
	esac
}

# nfpm_config FORMAT ROOT ARCH NAME
nfpm_config() {
	version_lines "$1"
	cat <<-END
		name: $4
		arch: $3
		platform: linux
		release: "1"
		section: admin
		priority: optional
		maintainer: $maintainer
		homepage: https://github.com/berth-oci/berth
		license: Apache-2.0
		mtime: $(timestamp)
	END
	about "$4" "$1" | tr -d '\t'
	echo "contents:"
	contents "$2" "$4"
}

timestamp() { date -u -d "@$SOURCE_DATE_EPOCH" +%FT%TZ; }

# contents ROOT NAME: the files below a directory, and the directories that only this package
# has. Not as a tree, for which nfpm takes the times of directories from here.
contents() {
	local path kind mode
	while read -r path; do
		kind='file'
		[ ! -d "$1$path" ] || kind=dir
		mode=0$(stat -c %a "$1$path")
		[ "$kind" = dir ] || echo "  - src: $1$path"
		[ "$kind" = file ] || echo "  - type: dir"
		printf '    dst: %s\n    file_info: {mode: %s, mtime: %s}\n' "$path" "$mode" "$(timestamp)"
	done < <(find "$1" -mindepth 1 \( -type f -o -type d -path "*/usr/share/*/$2" \) -printf '/%P\n' | sort)
}

# packages ARCH: make all packages of an architecture.
packages() {
	local format name root
	for name in $package_names; do
		for format in deb rpm apk; do
			root=$(stage "$format" "$1" "$name")
			nfpm_config "$format" "$root" "$1" "$name" >"$work/nfpm.yaml"
			"$(tool nfpm)" package --config "$work/nfpm.yaml" --packager "$format" --target "$dist" >/dev/null
		done
	done
}
