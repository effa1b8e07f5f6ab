# The exit status and the text of every failing command, for each scenario in
# messages.golden. To write that file anew: make integration TESTS=messages.bats with
# MESSAGES=FILE in the environment.
# bats file_tags=berth,v2
load helpers

GOLDEN=$BATS_TEST_DIRNAME/messages.golden

prepare() {
	new_bundle
	args sleep 1000
}

# said SCENARIO: the last command failed, with the text in the file.
said() {
	local text="$status ${msg//$T/T}"
	text=${text//$CGROUP/CGROUP}
	text=${text//"$(basename "$RUNTIME")"/berth}
	[ "$status" != 0 ] || failed "$1: no failure"
	if [ -n "${MESSAGES:-}" ]; then
		printf '%s\n\t%s\n' "$1" "$text" >>"$MESSAGES"
		return
	fi
	assert_equal "$(grep -A 1 -xF -- "$1" "$GOLDEN")" "$(printf '%s\n\t%s' "$1" "$text")"
}

# fails SCENARIO ARG...: the runtime fails with that text, and leaves no new container.
fails() {
	local before after
	before=$(ls "$ROOT" 2>/dev/null || true)
	runtime "${@:2}"
	said "$1"
	after=$(ls "$ROOT" 2>/dev/null || true)
	assert_equal "$before" "$after"
}

# create_fails SCENARIO: create of the bundle fails with that text.
create_fails() {
	fails "$1" create --bundle "$BUNDLE" c
}

# broken SCENARIO FILTER [JQ-ARGS...]: create fails with that text after jq has changed
# config.json.
broken() {
	cp "$BUNDLE/config.json" "$T/whole.json"
	config "${@:2}"
	create_fails "$1"
	mv "$T/whole.json" "$BUNDLE/config.json"
}

# denied SCENARIO CALLS HOW: create fails with that text when system calls are denied.
denied() {
	status=0
	"$PROBE" deny "$3" "$2" "$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" c >"$T/out" 2>"$T/err" </dev/null 3>&- || status=$?
	read_output
	said "$1"
	no_state_left
}

# user_fails SCENARIO ARG...: like fails, for a runtime without privileges.
user_fails() {
	status=0
	as_user "$USER_DIR/bin/runtime" "${@:2}" >"$T/out" 2>"$T/err" </dev/null 3>&- || status=$?
	read_output
	said "$1"
}

@test "errors of the command line have their recorded texts" {
	fails 'unknown command' nonsense
	fails 'unknown global flag' --nonsense list
	fails 'unknown flag' create --nonsense c
	fails 'a flag without its value' create --bundle
	fails 'too few arguments' create
	fails 'too many arguments' state a b
	fails 'exec without an id' exec
	fails 'not a number' create --preserve-fds x c
	fails 'not a time' events --interval 5 c
	fails 'a time of nothing' events --interval 0s c
	fails 'unknown log format' --log-format xml list
	fails 'unknown value of --rootless' --rootless perhaps list
	fails 'unknown format of list' list --format xml
	fails 'unknown format of ps' ps --format xml c
	fails 'unknown shell' completion tcsh
	fails 'no regular expression' kill --regex '(' KILL
	fails 'a log in no directory' --log "$T/nowhere/log" list
}

@test "errors of the state root have their recorded texts" {
	status=0
	"$RUNTIME" --root / list >"$T/out" 2>"$T/err" || status=$?
	read_output
	said 'the state root is /'
	touch "$T/file"
	mkdir -m 700 "$T/others"
	chown 12345 "$T/others"
	mkdir -m 777 "$T/everybodys"
	chmod 777 "$T/everybodys"
	local name
	for name in file others everybodys; do
		status=0
		"$RUNTIME" --root "$T/$name" create --bundle "$BUNDLE" c >"$T/out" 2>"$T/err" || status=$?
		read_output
		said "the state root is $name"
	done
	status=0
	"$RUNTIME" state nobody-has-this-id >"$T/out" 2>"$T/err" || status=$?
	read_output
	said 'a container that does not exist in the default state root'
	fails 'a container whose state root does not exist' state c
	fails 'delete a container whose state root does not exist' delete c
	fails 'list a state root that does not exist' list
}

@test "errors of the ID have their recorded texts" {
	fails 'no id' create --bundle "$BUNDLE" ''
	fails 'an id with a slash' create --bundle "$BUNDLE" a/b
	fails 'an id that is too long' create --bundle "$BUNDLE" "$(printf 'x%.0s' {1..300})"
	runtime_ok create --bundle "$BUNDLE" c
	fails 'an id that is taken' create --bundle "$BUNDLE" c
	echo '[]' >"$T/list"
	local command
	for command in start state kill delete pause resume ps events update 'exec x true'; do
		# shellcheck disable=SC2086 # words
		case $command in
		exec*) fails 'exec in a container that does not exist' $command ;;
		*) fails "$command a container that does not exist" $command x ;;
		esac
	done
	fails 'mounts add to a container that does not exist' mounts add x "$T/list"
}

@test "errors of the bundle have their recorded texts" {
	fails 'no bundle' create --bundle "$T/nowhere" c
	mkdir "$T/empty"
	fails 'no config.json' create --bundle "$T/empty" c
	fails 'no file that --config names' create --bundle "$BUNDLE" --config other.json c
	local json
	for json in '' null '[]' '{"process": {' 'process: x' '{"process": {"args": "sh"}}' '{"root": {"path": 1}}'; do
		echo "$json" >"$T/empty/config.json"
		fails "config.json is: $json" create --bundle "$T/empty" c
	done
	broken 'no process' 'del(.process)'
	broken 'no root' 'del(.root)'
	broken 'no root file system' '.root.path = "nowhere"'
	broken 'the root file system is a file' '.root.path = "config.json"'
	broken 'another version' '.ociVersion = "2.0.0"'
}

@test "errors of the program have their recorded texts" {
	broken 'no arguments' '.process.args = []'
	broken 'a program that does not exist' '.process.args = ["nonsense"]'
	broken 'a path of a program that does not exist' '.process.args = ["/nonsense"]'
	broken 'a program that is a directory' '.process.args = ["/bin"]'
	broken 'a program that is not executable' '.process.args = ["/etc/passwd"]'
	broken 'no working directory' '.process.cwd = ""'
	broken 'a relative working directory' '.process.cwd = "tmp"'
	broken 'a working directory that does not exist' '.process.cwd = "/etc/passwd"'
	broken 'an environment without =' '.process.env = ["x"]'
	broken 'an unknown limit' '.process.rlimits = [{type: "RLIMIT_X", soft: 1, hard: 1}]'
	broken 'a user id that is not mapped' '.linux.namespaces += [{type: "user"}] | .process.user.uid = 5
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1}] | .linux.gidMappings = .linux.uidMappings'
	printf '#!/nonsense\n' >"$BUNDLE/rootfs/bin/script"
	echo nonsense >"$BUNDLE/rootfs/bin/text"
	chmod 755 "$BUNDLE"/rootfs/bin/{script,text}
	local program
	for program in script text; do
		args "/bin/$program"
		fails "run a program that is a $program" run --bundle "$BUNDLE" c
		runtime_ok create --bundle "$BUNDLE" c
		fails "start a program that is a $program" start c
		runtime_ok delete c
	done
}

@test "errors of namespaces and mounts have their recorded texts" {
	config '.linux.namespaces |= map(select(.type != "cgroup"))' # only on v2
	broken 'an unknown namespace' '.linux.namespaces += [{type: "foo"}]'
	broken 'a namespace twice' '.linux.namespaces += [{type: "pid"}]'
	broken 'the path of a namespace that does not exist' '.linux.namespaces |= map(if .type == "network" then .path = "/nowhere" else . end)'
	broken 'a hostname without a namespace' '.linux.namespaces |= map(select(.type != "uts"))'
	broken 'a sysctl that is not namespaced' '.linux.sysctl = {"vm.swappiness": "1"}'
	broken 'an unknown file system' '.mounts += [{destination: "/x", type: "nonsense", source: "x"}]'
	broken 'a bind mount of nothing' '.mounts += [{destination: "/x", type: "bind", source: "/nowhere", options: ["rbind"]}]'
	broken 'a bind mount of a directory on a file' '.mounts += [{destination: "/etc/passwd", type: "bind", source: "/tmp", options: ["rbind"]}]'
	broken 'an unknown option of a bind mount' '.mounts += [{destination: "/x", type: "bind", source: "/tmp", options: ["rbind", "nonsense"]}]'
	broken 'an unknown option of a tmpfs' '.mounts += [{destination: "/x", type: "tmpfs", options: ["nonsense"]}]'
	broken 'a mount without a destination' '.mounts += [{type: "tmpfs"}]'
	broken 'an unknown propagation' '.linux.rootfsPropagation = "nonsense"'
	broken 'an unknown device type' '.linux.devices = [{type: "x", path: "/dev/x"}]'
}

@test "errors of terminals, files and sockets have their recorded texts" {
	fails 'no directory of the pid file' create --bundle "$BUNDLE" --pid-file "$T/nowhere/pid" c
	mkfifo "$T/fifo"
	fails 'the pid file is a FIFO' create --bundle "$BUNDLE" --pid-file "$T/fifo" c
	fails 'nobody at the pidfd socket' create --bundle "$BUNDLE" --pidfd-socket "$T/nobody" c
	fails 'a console socket without a terminal' create --bundle "$BUNDLE" --console-socket "$T/nobody" c
	config '.process.terminal = true'
	fails 'a terminal without a console socket' create --bundle "$BUNDLE" c
	fails 'nobody at the console socket' create --bundle "$BUNDLE" --console-socket "$T/nobody" c
	fails 'run with a console socket' run --bundle "$BUNDLE" --console-socket "$T/nobody" c
	status=0
	setsid --wait "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" c </dev/null >"$T/out" 2>"$T/err" || status=$?
	read_output
	said 'run without a terminal of its own'
	touch "$T/config.json"
	fails 'spec where there is one' spec --bundle "$T"
	fails 'spec in no directory' spec --bundle "$T/nowhere"
}

@test "errors of the container's status have their recorded texts" {
	runtime_ok create --bundle "$BUNDLE" c
	fails 'resume a created container' resume c
	runtime_ok start c
	fails 'start a running container' start c
	fails 'delete a running container' delete c
	fails 'resume a running container' resume c
	runtime_ok pause c
	fails 'start a paused container' start c
	fails 'delete a paused container' delete c
	fails 'pause a paused container' pause c
	fails 'exec in a paused container' exec c true
	runtime_ok resume c
	runtime_ok kill c KILL
	wait_for 5 has_status c stopped
	local command
	for command in start kill pause resume events ps 'update --pids-limit 5'; do
		# shellcheck disable=SC2086 # words
		runtime $command c
		[ "$status" = 0 ] || said "${command%% *} a stopped container"
	done
	fails 'exec in a stopped container' exec c true
}

@test "errors of exec, kill and update have their recorded texts" {
	start_detached c
	fails 'an unknown signal' kill c NONSENSE
	fails 'a signal out of range' kill c 1000
	fails 'exec of nothing' exec c
	fails 'exec of a program that does not exist' exec c nonsense
	fails 'exec in a working directory that does not exist' exec --cwd /nowhere c true
	fails 'exec as a user by name' exec --user bob c true
	fails 'exec with a group by name' exec --user 0:staff c true
	fails 'exec with an additional group out of range' exec --additional-gids -1 c true
	fails 'exec with a bad environment' exec --env x c true
	fails 'exec of a process file that does not exist' exec --process "$T/nowhere" c
	echo '{' >"$T/process"
	fails 'exec of a process file that is cut off' exec --process "$T/process" c
	fails 'exec with a terminal and no console socket' exec -d -t c true
	fails 'update to a size that is none' update --memory much c
	fails 'update from a file that does not exist' update --resources "$T/nowhere" c
	fails 'mounts from a file that does not exist' mounts add c "$T/nowhere"
	fails 'an unknown command of mounts' mounts nonsense c "$T/process"
}

@test "errors of hooks have their recorded texts" {
	broken 'a hook that does not exist' '.hooks.createRuntime = [{path: "/nowhere"}]'
	broken 'a hook that fails' '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "echo because >&2; exit 3"]}]'
	broken 'a hook with a relative path' '.hooks.createRuntime = [{path: "x"}]'
	broken 'a hook that takes too long' '.hooks.createRuntime = [{path: "/bin/sleep", args: ["sleep", "100"], timeout: 1}]'
}

@test "errors of denied system calls have their recorded texts" {
	denied 'openat2 is not there' openat2 lack
	denied 'clone3 is denied' clone3 fail
	denied 'clone3 is not there' clone3 lack
	denied 'close_range is denied' close_range fail
	denied 'open_tree is denied' open_tree fail
	denied 'move_mount is denied' move_mount fail
	status=0
	setarch --uname-2.6 "$PROBE" deny lack openat2,mount_setattr,clone3,open_tree "$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" c \
		>"$T/out" 2>"$T/err" </dev/null || status=$?
	read_output
	said 'the kernel is too old'
}

@test "errors of limits and lists have their recorded texts" {
	broken 'a negative memory limit' '.linux.resources.memory.limit = -5'
	broken 'more groups than the kernel takes' '.process.user.additionalGids = [range(100000)]'
	denied 'no device can be made' mknodat fail
}

@test "create names every required system call that is denied" {
	local call how
	for call in openat2 mount_setattr close_range open_tree move_mount fsopen fsconfig fsmount faccessat2; do
		for how in lack fail; do
			status=0
			"$PROBE" deny "$how" "$call" "$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" c >"$T/out" 2>"$T/err" </dev/null 3>&- || status=$?
			read_output
			refused "\\($call is denied, probably by the seccomp filter of a sandbox around the runtime, which must allow it\\)"
			refute_match 'not found in' "$msg"
		done
	done
}

@test "errors of an unprivileged user have their recorded texts" {
	rootless_user
	rootless_bundle "$T/b"
	BUNDLE=$T/b
	args sleep 1000
	fails 'no user namespace for an unprivileged user' create --bundle "$BUNDLE" --config without.json c
	config 'del(.linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= map(select(.type != "user"))'
	create_fails 'an unprivileged user without a user namespace'
	mkdir -m 700 "$T/roots"
	user_fails 'a state root that the user may not make' --root "$T/roots/berth" create --bundle "$BUNDLE" c
	user_fails 'a state root that the user may not read' --root "$T/roots" list
	user_fails 'a bundle that the user may not read' create --bundle "$T/roots" c
}

@test "errors of root without CAP_SYS_ADMIN have their recorded texts" {
	create_without -sys_admin
	msg=${msg%%; limit cgroup: *} # the devices, on v1 only
	said 'root without CAP_SYS_ADMIN'
}

@test "errors of root without capabilities that a container needs have their recorded texts" {
	create_without -kill,-net_bind_service
	said 'root without CAP_KILL and CAP_NET_BIND_SERVICE'
	create_without -setpcap
	said 'root without CAP_SETPCAP'
	config '.process.oomScoreAdj = -500'
	create_without -sys_resource
	said 'root without CAP_SYS_RESOURCE, and a low OOM score'
}

# create_without CAPABILITIES: create as root without these, which have the prefix "-".
create_without() {
	status=0
	setpriv --bounding-set="$1" --inh-caps="$1" "$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" c \
		>"$T/out" 2>"$T/err" </dev/null 3>&- || status=$?
	read_output
}

@test "errors of IDs that are not granted have their recorded texts" {
	rootless_user
	rootless_bundle "$T/b"
	BUNDLE=$T/b
	args sleep 1000
	grant_range
	config '.linux.uidMappings[1].size = 65537'
	create_fails 'more user ids than are granted'
	: >"$USER_DIR/etc/subuid"
	create_fails 'no user ids are granted'
}

@test "every recorded text has a test" {
	local scenario
	while read -r scenario; do
		case $scenario in
		'config.json is: '*) scenario='config.json is: ' ;;
		'run a program that is a '* | 'start a program that is a '*) scenario=${scenario%% *} ;;
		*' a container that does not exist' | *' a stopped container' | 'the state root is '*) continue ;;
		esac
		grep -qF -- "$scenario" "$BATS_TEST_FILENAME" || failed "no test of: $scenario"
	done < <(grep -v $'^\t' "$GOLDEN")
}
