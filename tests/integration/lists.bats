# Lists of config.json of any length: each works, or create refuses it by its field.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
}

sizes="1 10 1000 10000"

# many N: make N directories and files in the image, alternating, each with content.
many() {
	rm -rf "$BUNDLE/rootfs/many"
	mkdir -p "$BUNDLE/rootfs/many/dir" "$BUNDLE/rootfs/many/file"
	(cd "$BUNDLE/rootfs/many/dir" && seq 1 2 "$1" | xargs mkdir && seq -f %g/secret 1 2 "$1" | xargs touch)
	(cd "$BUNDLE/rootfs/many/file" && seq 2 2 "$1" | xargs -r touch)
}

# with SIZE FILTER [JQ-ARGS...]: restore config.json and change it by a filter with $n.
with() {
	"$RUNTIME" spec --bundle "$T"
	mv "$T/config.json" "$BUNDLE/config.json"
	config '.process.terminal = false | .linux.cgroupsPath = $cgroup' --arg cgroup "$CGROUP"
	config --argjson n "$@"
}

# The paths that many makes, for jq.
paths='[range(1; $n + 1) | "/many/\(if . % 2 == 1 then "dir" else "file" end)/\(.)"]'

@test "create masks any number of maskedPaths" {
	local n
	for n in $sizes; do
		many "$n"
		with "$n" ".linux.maskedPaths += $paths"
		run_script 'find /many -type f | wc -l; find /many -type c | wc -l; find /many -mindepth 2 -type d | wc -l'
		assert_equal "$(printf '0\n%d\n%d' $((n / 2)) $(((n + 1) / 2)))" "$out"
	done
}

@test "create makes any number of readonlyPaths read-only" {
	local n
	for n in $sizes; do
		many "$n"
		with "$n" ".linux.readonlyPaths += $paths | .root.readonly = false"
		run_script 'grep -c " /many/[a-z]*/[0-9]* ro," /proc/self/mountinfo; (: >/many/dir/1/secret) 2>/dev/null || echo ro'
		assert_equal "$n"$'\nro' "$out"
	done
}

@test "create mounts any number of mounts" {
	local n
	for n in $sizes; do
		many "$n"
		with "$n" '.mounts += [range(1; $n + 1) | {destination: "/new/\(. / 100 | floor)/\(.)"} + if . % 2 == 1
			then {type: "tmpfs", source: "tmpfs"} else {type: "bind", source: $source, options: ["bind", "ro"]} end] | .root.readonly = false' \
			--arg source "$BUNDLE/rootfs/many/dir"
		run_script 'grep -c " /new/" /proc/self/mountinfo'
		assert_equal "$n" "$out"
		rm -rf "$BUNDLE/rootfs/new"
	done
}

@test "create makes any number of devices" {
	local n
	for n in $sizes; do
		with "$n" '.linux.devices = [range(1; $n + 1) | {path: "/dev/many/\(.)", type: "c", major: 1, minor: 3}]'
		run_script 'find /dev/many -type c | wc -l'
		assert_equal "$n" "$out"
	done
}

@test "create sets groups up to the kernel's limit" {
	local n
	for n in $sizes 65536; do
		with "$n" '.process.user.additionalGids = [range(1; $n + 1)]'
		run_script 'sed -n s/^Groups://p /proc/self/status | wc -w'
		assert_equal "$n" "$out"
	done
}

# bats test_tags=berth
@test "create refuses more groups than the kernel accepts" {
	with 100000 '.process.user.additionalGids = [range(1; $n + 1)]'
	args true
	runtime run --bundle "$BUNDLE" c
	refused 'process.user.additionalGids: 100000 groups: the kernel accepts at most 65536'
}

@test "the environment can have any number of variables" {
	local n
	for n in $sizes; do
		with "$n" '.process.env += [range(1; $n + 1) | "A\(.)=b"]'
		run_script 'env | grep -c ^A'
		assert_equal "$n" "$out"
	done
}

@test "a program can have any number of arguments" {
	local n
	for n in $sizes; do
		with "$n" '.process.args = ["sh", "-c", "echo $#", "sh", range(1; $n + 1) | tostring]'
		runtime_ok run --bundle "$BUNDLE" c
		assert_equal "$n" "$out"
	done
}

# bats test_tags=berth
@test "run refuses arguments and variables that exceed the kernel's limit" {
	with 200000 '.process.env += [range(1; $n + 1) | "A\(.)=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"]'
	args true
	runtime run --bundle "$BUNDLE" c
	refused 'process\.env: exec .*: argument list too long: process.args has .* the kernel accepts a quarter'
	with 200000 '.process.args = ["true", (range(1; $n + 1) | "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\(.)")]'
	runtime run --bundle "$BUNDLE" c
	refused 'process\.args: exec .*: argument list too long'
	with 200000 '.process.args = ["true", "x" * $n]'
	runtime run --bundle "$BUNDLE" c
	refused 'process\.args\[1\]: exec .*: argument list too long: it has 200000 bytes; the kernel accepts at most 131071'
}

@test "PATH can have any number of directories" {
	local n
	for n in $sizes; do
		with "$n" '.process.env = ["PATH=" + ([range(1; $n + 1) | "/no/\(.)"] + ["/bin"] | join(":"))] | .process.args = ["echo", "found"]'
		runtime_ok run --bundle "$BUNDLE" c
		assert_equal found "$out"
	done
}

@test "create accepts repeated capabilities" {
	local n
	for n in $sizes; do
		with "$n" '.process.capabilities |= map_values([range(1; $n + 1) | "CAP_KILL"])'
		run_script 'sed -n s/^CapBnd:.//p /proc/self/status'
		assert_equal 0000000000000020 "$out"
	done
}

@test "create sets all sysctls of a network namespace" {
	# shellcheck disable=SC2046 # a list of words
	with 0 '.linux.sysctl = ($ARGS.positional | map({(.): "0"}) | add)' --args -- \
		$(unshare --net sh -c 'cd /proc/sys && find net/ipv4/conf net/ipv6/conf -name "accept_*" -o -name rp_filter -o -name "log_*" -o -name "forwarding"' | tr / .)
	run_script 'grep -h . /proc/sys/net/ipv[46]/conf/*/accept_redirects | sort -u'
	assert_equal 0 "$out"
}

# bats test_tags=berth
@test "create names the first of many invalid sysctls, network devices and limits" {
	with 10000 '.linux.sysctl = ([range(1; $n + 1) | {"net.ipv4.no\(.)": "1"}] | add)'
	args true
	runtime run --bundle "$BUNDLE" c
	refused 'linux\.sysctl\["net\.ipv4\.no.*: .*the sysctl does not exist'
	with 10000 '.linux.netDevices = ([range(1; $n + 1) | {"no\(.)": {}}] | add)'
	args true
	runtime run --bundle "$BUNDLE" c
	refused 'linux\.netDevices.*no[0-9]+.*: .*no such device'
	with 10000 '.process.rlimits = [range(1; $n + 1) | {type: "RLIMIT_NOFILE", soft: 100, hard: 100}]'
	args true
	runtime run --bundle "$BUNDLE" c
	refused 'process\.rlimits\[1\]'
}

# bats test_tags=berth
@test "exec sets any number of variables and groups" {
	local n
	args sleep 1000
	runtime_ok run -d --bundle "$BUNDLE" c
	for n in $sizes; do
		jq --argjson n "$n" '.process | .args = ["sh", "-c", "env | grep -c ^A; sed -n s/^Groups://p /proc/self/status | wc -w"]
			| .env += [range(1; $n + 1) | "A\(.)=b"] | .user.additionalGids = [range(1; $n + 1)]' <"$BUNDLE/config.json" >"$T/process.json"
		runtime_ok exec --process "$T/process.json" c
		assert_equal "$n"$'\n'"$n" "$out"
	done
}

# bats test_tags=v2
@test "a thousand sysctls, device rules, hooks and seccomp rules are in force" {
	local holder names
	mknod "$BUNDLE/rootfs/first" c 240 1
	mknod "$BUNDLE/rootfs/last" c 240 1000
	mknod "$BUNDLE/rootfs/other" c 240 1001
	# shellcheck disable=SC2016 # for the inner shell
	background unshare --net sh -c 'for i in $(seq 60); do ip link add "b$i" type bridge; done; echo ready >"$0/ready"; exec sleep 1000' "$T"
	holder=$background_pid
	wait_for 60 test -s "$T/ready"
	names=$(nsenter --net="/proc/$holder/ns/net" sh -c 'cd /proc/sys && find net/ipv4/conf net/ipv6/conf -name "accept_*" -o -name rp_filter -o -name "log_*"' | sort | head -n 1000)
	assert_equal 1000 "$(wc -l <<<"$names")"
	with 1000 '.linux.namespaces |= map(if .type == "network" then .path = $net else . end)
		| .linux.sysctl = ($names | split("\n") | map({(.): "0"}) | add)
		| .linux.resources.devices = [{allow: false, access: "rwm"}, (range(1; $n + 1) | {allow: true, type: "c", major: 240, minor: ., access: "rw"})]
		| .hooks.createRuntime = [range($n) | {path: "/bin/sh", args: ["sh", "-c", "echo x >>\($log)"]}]
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [range($n) | {names: ["umask"], action: "SCMP_ACT_ERRNO",
			args: [{index: 0, value: (. + 1), op: "SCMP_CMP_EQ"}]}]}' \
		--arg names "$names" --arg net "/proc/$holder/ns/net" --arg log "$T/hooks"
	# The shell reads the mask by setting it to 0 and back, which the filter denies.
	run_script 'for f in /first /last /other; do (: <$f) 2>&1 | sed "s/.*: //"; done
		find /proc/sys/net/ipv4/conf -name rp_filter | head -n 20 | xargs cat | sort -u; umask; umask; umask 777; umask'
	assert_equal "$(printf '%s\n' 'No such device or address' 'No such device or address' 'Operation not permitted' 0 0022 0000 0000)" "$out"
	assert_equal 1000 "$(wc -l <"$T/hooks")"
}

@test "as many mappings as the kernel accepts are in force" {
	# shellcheck disable=SC2046 # a list of words
	new_user_namespace $(for i in $(seq 0 339); do echo "$i:$((1000 + 2 * i)):1"; done)
	run_script 'wc -l </proc/self/uid_map; wc -l </proc/self/gid_map'
	assert_equal $'340\n340' "$out"
}

# bats test_tags=berth,v2
@test "more device rules than the verifier of cgroup v2 accepts are refused by their field" {
	[ ! -e /sys/fs/cgroup/devices ] || skip "the devices of cgroup v1 need no program"
	args true
	config '.linux.resources.devices = [{allow: false, access: "rwm"}, (range(10000) | {allow: true, type: "c", major: 240, minor: ., access: "r"})]'
	runtime run --bundle "$BUNDLE" c
	refused 'linux\.resources\.devices: 1[0-9]* rules are more than .* verifier accepts'
}
