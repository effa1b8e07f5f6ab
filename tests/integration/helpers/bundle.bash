# Bundles: a root file system and a config.json.

# new_bundle [DIR]: make a bundle with the runtime's own default config, with as few
# changes as the tests need: no terminal, and this test's cgroup.
new_bundle() {
	local dir=${1:-$BUNDLE}
	mkdir -p "$dir"
	cp -a "$ROOTFS_TEMPLATE" "$dir/rootfs"
	"$RUNTIME" spec --bundle "$dir"
	config --bundle "$dir" '.process.terminal = false | .linux.cgroupsPath = $cgroup' --arg cgroup "$CGROUP"
}

# config [--bundle DIR] FILTER [JQ-ARGS...]: change config.json with jq.
config() {
	local dir=$BUNDLE
	if [ "$1" = --bundle ]; then
		dir=$2
		shift 2
	fi
	jq "$@" <"$dir/config.json" >"$dir/config.json.new" || return
	mv "$dir/config.json.new" "$dir/config.json"
}

# args ARG...: set process.args.
args() {
	config '.process.args = $ARGS.positional' --args -- "$@"
}

# script TEXT: let the container run a shell script.
script() {
	args sh -c "$1"
}
