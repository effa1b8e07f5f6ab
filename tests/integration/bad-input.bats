# Bad input: one line of error with the field or the path, exit status 1, and no state,
# cgroup, process or mount is left.
load helpers

prepare() {
	new_bundle
	args sleep 1000
}

# both_refuse REGEX: create and run both refuse the bundle, with an error that matches.
both_refuse() {
	local command
	for command in create run; do
		runtime "$command" --bundle "$BUNDLE" c
		refused "$1"
		assert_equal "" "$out"
		nothing_left
	done
}

nothing_left() {
	no_state_left
	no_cgroup_left
	no_process_left
	no_mount_left
}

@test "create and run refuse a missing bundle directory" {
	rm -r "$BUNDLE"
	both_refuse "$BUNDLE: no such file or directory"
}

@test "create and run refuse a bundle without config.json" {
	rm "$BUNDLE/config.json"
	both_refuse 'JSON specification file config.json not found'
}

@test "create and run refuse an empty config.json" {
	: >"$BUNDLE/config.json"
	both_refuse '(EOF|config\.json)'
}

@test "create and run refuse a truncated config.json" {
	local size
	size=$(stat -c %s "$BUNDLE/config.json")
	truncate -s $((size / 2)) "$BUNDLE/config.json"
	both_refuse 'unexpected (EOF|end of JSON input)'
}

@test "create and run refuse a config.json that is not JSON" {
	echo 'hello' >"$BUNDLE/config.json"
	both_refuse '(invalid character|config\.json)'
}

@test "create and run refuse a config.json of 50 MB of [" {
	head -c 50000000 /dev/zero | tr '\0' '[' >"$BUNDLE/config.json"
	both_refuse 'config\.json'
}

@test "create and run refuse a config.json that is null" {
	echo null >"$BUNDLE/config.json"
	both_refuse 'config.*null'
}

@test "create and run refuse a config.json that is a list" {
	echo '[]' >"$BUNDLE/config.json"
	both_refuse 'array'
}

@test "create and run refuse a config.json that cannot be read" {
	rm "$BUNDLE/config.json"
	mkdir "$BUNDLE/config.json"
	both_refuse 'config\.json: is a directory'
}

@test "create and run refuse a field of the wrong type" {
	config '.process.args = "sh"'
	both_refuse 'process\.args'
}

@test "create and run refuse a number out of range" {
	config '.process.user.uid = -1'
	both_refuse 'process\.user\.uid'
	config '.process.user.uid = 4294967296'
	both_refuse 'process\.user\.uid'
}

@test "create and run refuse another major version" {
	config '.ociVersion = "2.0.0"'
	both_refuse 'ociVersion.*"?2\.0\.0"?'
}

@test "create and run refuse an invalid version" {
	config '.ociVersion = "latest"'
	both_refuse 'ociVersion.*"?latest"?'
}

@test "create and run refuse a config.json without root" {
	config 'del(.root)'
	both_refuse 'root.*(must be specified|missing)'
}

@test "create and run refuse a bundle without a root file system" {
	mv "$BUNDLE/rootfs" "$T/away"
	both_refuse "$BUNDLE/rootfs.*no such file or directory"
}

@test "create and run refuse a root file system that is a file" {
	mv "$BUNDLE/rootfs" "$T/away"
	echo >"$BUNDLE/rootfs"
	both_refuse "$BUNDLE/rootfs.*not a directory"
}

@test "create and run refuse a config.json without process" {
	config 'del(.process)'
	both_refuse 'process.*(must not be empty|missing)'
}

@test "create and run refuse a process without a working directory" {
	config 'del(.process.cwd)'
	both_refuse '(process\.cwd|Cwd property must not be empty)'
}

@test "create and run refuse a relative working directory" {
	config '.process.cwd = "tmp"'
	both_refuse '(process\.cwd.*"tmp"|Cwd must be an absolute path)'
}

@test "create and run refuse a process without arguments" {
	config 'del(.process.args)'
	both_refuse '(process\.args|args must not be empty)'
	config '.process.args = []'
	both_refuse '(process\.args|args must not be empty)'
}

@test "create and run refuse an environment entry without =" {
	config '.process.env = ["PATH=/bin", "BROKEN"]'
	both_refuse 'process\.env\[1\]'
}

@test "create and run refuse an environment entry without a name" {
	config '.process.env = ["PATH=/bin", "=x"]'
	both_refuse 'process\.env\[1\]'
}

@test "create and run refuse an unknown resource limit" {
	config '.process.rlimits = [{type: "RLIMIT_CORE", soft: 1, hard: 1}, {type: "RLIMIT_NOPE", soft: 1, hard: 1}]'
	both_refuse '(process\.rlimits\[1\]\.type.*|rlimit.*)RLIMIT_NOPE'
}

@test "create and run refuse a soft limit above the hard limit" {
	config '.process.rlimits = [{type: "RLIMIT_CORE", soft: 2, hard: 1}]'
	both_refuse 'process\.rlimits\[0\]'
}

@test "create and run refuse an unknown namespace type" {
	config '.linux.namespaces += [{type: "foo"}]'
	both_refuse '(linux\.namespaces\[[56]\]\.type.*|namespace .*)foo'
}

@test "create and run refuse a duplicate namespace" {
	config '.linux.namespaces += [{type: "pid"}]'
	both_refuse '(linux\.namespaces\[[56]\].*|duplicated ns.*)pid'
}

@test "create and run refuse a namespace path that does not exist" {
	config '(.linux.namespaces[] | select(.type == "network")).path = "/nope/net"'
	both_refuse '/nope/net.*no such file or directory'
}

@test "create and run refuse a namespace path that is not a namespace" {
	config '(.linux.namespaces[] | select(.type == "network")).path = "/etc/passwd"'
	both_refuse '/etc/passwd'
}

@test "create and run refuse a hostname without its own UTS namespace" {
	config 'del(.linux.namespaces[] | select(.type == "uts"))'
	both_refuse 'hostname.*(uts|UTS)'
}

@test "create and run refuse masked paths without a mount namespace" {
	config 'del(.linux.namespaces[] | select(.type == "mount"))'
	both_refuse '(linux\.namespaces.*mount|maskedPaths|unable to restrict)'
}

@test "create and run refuse a mount without a destination" {
	config '.mounts[2].destination = ""'
	both_refuse 'mounts\[2\]\.destination'
}

@test "create and run refuse an unknown mount option" {
	config '.mounts[1].options[1] = "rbnd"'
	both_refuse 'mounts\[1\].*rbnd'
}

@test "create and run refuse an unknown mount option of a bind mount" {
	config '.mounts += [{destination: "/mnt", type: "none", source: "/etc", options: ["bind", "nosiud"]}]'
	both_refuse 'mounts\[7\]\.options\[1\].*"nosiud"'
}

@test "create and run refuse an unknown file system" {
	config '.mounts += [{destination: "/mnt", type: "nopefs", source: "nope"}]'
	both_refuse 'nopefs.*no such device'
}

@test "create and run refuse a bind source that does not exist" {
	config '.mounts += [{destination: "/mnt", type: "none", source: "/nope/source", options: ["bind"]}]'
	both_refuse '/nope/source.*no such file or directory'
}

@test "create and run refuse a bind mount of a directory on a file" {
	echo >"$BUNDLE/rootfs/file"
	config '.mounts += [{destination: "/file", type: "none", source: "/etc", options: ["bind"]}]'
	both_refuse '/file.*(not a directory|invalid argument)'
}

@test "create and run refuse an unknown device type" {
	config '.linux.devices = [{path: "/dev/x", type: "z", major: 1, minor: 3}]'
	both_refuse '("?z"?|linux\.devices\[0\])'
}

@test "create and run refuse an unknown root propagation" {
	config '.linux.rootfsPropagation = "sideways"'
	both_refuse 'rootfsPropagation.*"?sideways|sideways'
}

@test "create refuses an ID that leads out of the state root" {
	local id
	for id in ../c a/b .. . ''; do
		runtime create --bundle "$BUNDLE" "$id"
		refused 'invalid container ID format|container id cannot be empty'
		nothing_left
	done
	[ ! -e "$T/c" ]
}

@test "create refuses an existing ID and leaves no trace of the second container" {
	runtime_ok create --bundle "$BUNDLE" c
	local before
	before=$(find "$ROOT" | sort)
	runtime create --bundle "$BUNDLE" c
	refused 'container with given ID already exists'
	assert_equal "$before" "$(find "$ROOT" | sort)"
	assert_equal "$(init_pid c)" "$(orphans)"
}

@test "create refuses an ID longer than a file name may be" {
	runtime create --bundle "$BUNDLE" "$(printf 'x%.0s' {1..300})"
	refused 'file name too long'
	nothing_left
}

@test "create and run refuse a cgroup path that is a file of the cgroup" {
	config '.linux.cgroupsPath = "/cgroup.procs"'
	both_refuse 'not a directory'
}

@test "create refuses a state root that is a file" {
	echo >"$ROOT"
	runtime create --bundle "$BUNDLE" c
	refused 'not a directory|file exists'
	rm "$ROOT"
	nothing_left
}

@test "create and run refuse intelRdt without a resctrl file system" {
	! grep -q ' - resctrl ' /proc/self/mountinfo || skip "there is one"
	config '.linux.intelRdt = {closID: "x"}'
	both_refuse 'make resctrl group: linux\.intelRdt: no resctrl file system is mounted.*\(.*mount -t resctrl resctrl /sys/fs/resctrl\)'
}
