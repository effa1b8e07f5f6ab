# Runs once, before the first test: see CONTRIBUTING.md, "Tests with engines".

setup_suite() {
	if [ "${BERTH_SUITE:-}" != 1 ]; then
		echo "run these tests with 'make engines': they need a machine of their own, which tests/engines/bed makes" >&2
		return 1
	fi
	local repository=$BATS_TEST_DIRNAME/../..
	for file in "$BATS_TEST_DIRNAME"/helpers/*.bash "$repository"/tests/integration/helpers/{rootfs,wait}.bash; do
		# shellcheck source=/dev/null
		source "$file"
	done
	export DOCUMENT=$repository/docs/engines.md
	# Debian's programs, before any other of the same name. The tested runtime, berth or
	# another, is at the documented path of berth.
	export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
	cp "$RUNTIME" /usr/local/sbin/berth || return
	make_image "$BATS_RUN_TMPDIR/rootfs" || return
	"start_$ENGINE" || return
	# The files that engines keep as long as they run exist after the first container.
	"first_container_$ENGINE"
}

# make_image DIR: make the root file system of all containers, and a tar of it.
make_image() {
	make_rootfs "$1" || return
	mkdir -p "$1/srv/volume" || return
	chown 1000:1000 "$1/home/user"
	echo 'from the image' >"$1/srv/volume/file"
	echo 'not executable' >"$1/srv/text"
	echo 'extra:x:2000:user' >>"$1/etc/group"
	tar -C "$1" -cf "$1.tar" .
}
