# shellcheck shell=bash
# .cache/beds of the repository keeps the files that beds are made from, under the hash
# of the recipe. All worktrees of a clone share it.

# cached NAME FUNCTION FILE...: print the path of NAME, after FUNCTION PATH has made it
# if necessary. The files are the recipe.
cached() {
	local name=$1 make=$2 dir path hash
	shift 2
	dir=$(git -c safe.directory='*' rev-parse --path-format=absolute --git-common-dir 2>/dev/null) || dir=$PWD/../../.git
	dir=$(realpath -m "${BEDS_CACHE:-$dir/../.cache/beds}")
	hash=$(find "$@" -type f | LC_ALL=C sort | xargs sha256sum | sha256sum)
	path=$dir/$name-${hash:0:12}
	mkdir -p "$dir"
	# A second caller waits until the first has made it.
	exec 9>"$path.lock"
	flock 9
	if [ ! -d "$path" ]; then
		rm -rf --one-file-system "$path.new"
		echo "making $path" >&2
		"$make" "$path.new"
		mv "$path.new" "$path"
	fi
	echo "$path"
}

# need COMMAND...: all of these are installed.
need() {
	local command
	for command in "$@"; do
		command -v "$command" >/dev/null || lacking "$command is not installed (hack/deps beds)"
	done
}

# lacking TEXT: this host cannot have the bed. 77 is the status that automake and meson
# use for a skipped test.
lacking() {
	echo "${0##*/}: $1" >&2
	exit 77
}

# mirror: the mirror that apt uses here.
mirror() {
	local found
	# shellcheck disable=SC2016 # apt's own
	found=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
		awk '!/security/ && !n++')
	echo "${found:-http://deb.debian.org/debian}"
}
