# The promises of berth about the process that waits in a created container, which a
# runtime in Go or C that keeps its own process there cannot make.
# bats file_tags=berth,kernel
load helpers

prepare() {
	new_bundle
	args sleep 1000
	"$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" c <"$T/mounts" >"$T/c.out" 2>"$T/c.err" 3>&-
	pid=$(init_pid c)
}

@test "the init of a created container is 64 kB or less" {
	local rss
	rss=$(awk '/^VmRSS:/ { print $2 }' "/proc/$pid/status")
	((rss <= 64)) || failed "VmRSS is $rss kB"
}

@test "the init of a created container does not execute the runtime's binary" {
	local exe
	exe=$(readlink "/proc/$pid/exe")
	refute_match "^$RUNTIME" "$exe"
	# Its executable has a few hundred bytes, and contains nothing of Go.
	(($(stat -Lc %s "/proc/$pid/exe") <= 4096)) || failed "exe has $(stat -Lc %s "/proc/$pid/exe") bytes"
}

@test "the executable of the stub is not writable" {
	if (true >>"/proc/$pid/exe") 2>/dev/null; then failed "it is writable"; fi
	# Nor after its process has ended (CVE-2019-5736).
	assert_equal 'seal shrink grow write' "$("$PROBE" seals "/proc/$pid/exe")"
}

@test "the init of a created container has only the program's capabilities" {
	local own='.process.capabilities[] = ["CAP_KILL"]' admin='.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW"}'
	runtime_ok delete --force c
	init_has() {
		config "$1"
		runtime_ok create --bundle "$BUNDLE" c
		assert_equal "$2" "$(awk '/^Cap(Prm|Eff|Bnd):/ { print $2 }' "/proc/$(init_pid c)/status" | xargs)"
		runtime_ok delete --force c
	}
	init_has "$own | .process.noNewPrivileges = false" '0000000000000020 0000000000000020 0000000000000020'
	init_has '.process.capabilities.effective = []' '0000000000000020 0000000000000000 0000000000000020'
	config "$own"
	# And the capability to install a filter, without no_new_privs.
	init_has "$admin" '0000000000200020 0000000000200020 0000000000000020'
	init_has '.process.noNewPrivileges = true' '0000000000000020 0000000000000020 0000000000000020'
}

@test "the init of a created container has its standard files and two control descriptors" {
	local fds
	assert_equal "$T/mounts" "$(readlink "/proc/$pid/fd/0")"
	assert_equal "$T/c.out" "$(readlink "/proc/$pid/fd/1")"
	assert_equal "$T/c.err" "$(readlink "/proc/$pid/fd/2")"
	fds=$(find "/proc/$pid/fd" -mindepth 1 | wc -l)
	((fds <= 5)) || failed "descriptors:" "$(ls -l "/proc/$pid/fd")"
}

@test "every descriptor that the stub opens has close-on-exec" {
	runtime_ok delete --force c
	# shellcheck disable=SC2016 # for the hook
	config '.hooks.createRuntime = [{path: "/bin/sh", env: ["PATH=" + $path, "OUT=" + $out], args: ["sh", "-c",
		"cd /proc/$(jq .pid)/fdinfo && grep -H ^flags: * >$OUT"]}]' --arg out "$T/seen" --arg path "$PATH"
	runtime_ok create --bundle "$BUNDLE" c
	local seen fd flags most=0
	seen=$(<"$T/seen")
	while IFS=':' read -r fd _ flags; do
		((fd <= 2 || 8#${flags//[[:space:]]/} & 8#2000000)) || failed "descriptor $fd does not:" "$seen"
		most=$((fd > most ? fd : most))
	done <<<"$seen"
	((most > 4)) || failed "no descriptor but those of the program:" "$seen"
}

@test "the init of a created container has one thread" {
	assert_equal 1 "$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)"
}

@test "the init of a created container cannot be traced or dumped" {
	# Files of a process that is not dumpable belong to root, whatever its user.
	config '.process.user = {uid: 1000, gid: 1000} | .linux.cgroupsPath += "-user"'
	"$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" user </dev/null >"$T/c.out" 2>&1 3>&-
	local user_pid
	user_pid=$(init_pid user)
	assert_equal 0:0 "$(stat -c %u:%g "/proc/$user_pid/mem")"
}

# bats test_tags=guest
@test "the init of a created container cannot be traced where fs.suid_dumpable allows it" {
	local before user
	before=$(cat /proc/sys/fs/suid_dumpable)
	echo 1 >/proc/sys/fs/suid_dumpable
	BUNDLE=$T/mapped
	new_bundle
	new_user_namespace
	args sleep 1000
	for user in 0 1000; do
		config ".process.user = {uid: $user, gid: $user} | .linux.cgroupsPath += \"-$user\""
		runtime_ok create --bundle "$BUNDLE" "c$user"
		assert_equal 0:0 "$(stat -c %u:%g "/proc/$(init_pid "c$user")/mem")"
	done
	echo "$before" >/proc/sys/fs/suid_dumpable
}

@test "the init of a created container maps nothing of the host but the stub" {
	# Every mapping is the stub's, the region it shares with the runtime, or
	# the kernel's own.
	local mappings
	mappings=$(awk '{ print $6 }' "/proc/$pid/maps" | grep . | grep -v '^\[')
	refute_match 'libc|ld-linux|berth$' "$mappings"
	refute_match "^$RUNTIME" "$mappings"
	assert_equal 0 "$(wc -c <"/proc/$pid/environ")"
}

@test "the program has no trace of the stub" {
	runtime_ok delete c
	script 'ls -l /proc/self/fd /proc/1/fd; cat /proc/self/maps'
	runtime_ok run --bundle "$BUNDLE" c
	refute_match 'socket|memfd|region' "$out"
}

@test "only root can connect to the stub" {
	local file mode
	assert_equal 700 "$(stat -c %a "$ROOT")"
	assert_equal 711 "$(stat -c %a "$ROOT/c")"
	runtime_ok delete --force c
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW"}'
	runtime_ok create --bundle "$BUNDLE" c
	for file in control region filter; do
		mode=$(stat -c %a "$ROOT/c/$file")
		[[ $mode == ?00 ]] || failed "$file has mode $mode"
	done
}

@test "a created container does not need the runtime's binary" {
	# The kernel maps and holds open nothing of it, so it may be replaced or removed.
	refute_match "$RUNTIME" "$(cat "/proc/$pid/maps")"
	assert_equal "" "$(find "/proc/$pid/fd" -lname "$RUNTIME*")"
	runtime_ok start c
	assert_equal running "$(status_of c)"
}
