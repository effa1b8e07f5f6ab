# process.capabilities, as the program has them after the kernel has executed it
# (capabilities(7), "Transformation of capabilities during execve()"): for root and
# another user, with and without no_new_privs, with different ambient sets.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	take_some
}

take_some() {
	config '.process.capabilities = {
		bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT"],
		permitted: ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
		effective: ["CAP_CHOWN", "CAP_KILL"],
		inheritable: ["CAP_KILL", "CAP_NET_BIND_SERVICE"]}'
}

# rootless: the test's container belongs to an unprivileged user with a range of IDs.
rootless() {
	rootless_user
	BUNDLE=$T/users
	rootless_bundle
	grant_range
	take_some
}

# The masks of /proc/PID/status, without leading zeros.
# shellcheck disable=SC2054 # the commas are meant
declare -gA names=([0]=none [20]=kill [420]=kill,bind [421]=chown,kill,bind [40421]=chown,kill,bind,chroot)

# program_sets USER NO_NEW_PRIVS AMBIENT: run a program and describe its sets in $seen.
program_sets() {
	local field value text=
	config ".process.user = {uid: $1, gid: $1} | .process.noNewPrivileges = $2 | .process.capabilities.ambient = $3"
	run_script 'cat /proc/self/status'
	for field in CapPrm CapEff CapInh CapAmb CapBnd; do
		value=$(sed -n "s/^$field:[[:space:]]*0*\(.\)/\1/p" <<<"$out")
		text+="${field#Cap} ${names[$value]:-$value}; "
	done
	seen="$text$(grep -o 'NoNewPrivs.*[01]' <<<"$out" | tr '\t' ' ')"
}

nothing='[]' kill='["CAP_KILL"]' both='["CAP_KILL", "CAP_NET_BIND_SERVICE"]'

# root_may_gain: root without no_new_privs has the bounding set.
root_may_gain() {
	local rest='Bnd chown,kill,bind,chroot; NoNewPrivs: 0'
	program_sets 0 false "$nothing"
	assert_equal "Prm chown,kill,bind,chroot; Eff chown,kill,bind,chroot; Inh kill,bind; Amb none; $rest" "$seen"
	program_sets 0 false "$kill"
	assert_equal "Prm chown,kill,bind,chroot; Eff chown,kill,bind,chroot; Inh kill,bind; Amb kill; $rest" "$seen"
	program_sets 0 false "$both"
	assert_equal "Prm chown,kill,bind,chroot; Eff chown,kill,bind,chroot; Inh kill,bind; Amb kill,bind; $rest" "$seen"
}

# root_may_not_gain: root with no_new_privs has the permitted set.
root_may_not_gain() {
	local rest='Bnd chown,kill,bind,chroot; NoNewPrivs: 1'
	program_sets 0 true "$nothing"
	assert_equal "Prm chown,kill,bind; Eff chown,kill,bind; Inh kill,bind; Amb none; $rest" "$seen"
	program_sets 0 true "$kill"
	assert_equal "Prm chown,kill,bind; Eff chown,kill,bind; Inh kill,bind; Amb kill; $rest" "$seen"
	program_sets 0 true "$both"
	assert_equal "Prm chown,kill,bind; Eff chown,kill,bind; Inh kill,bind; Amb kill,bind; $rest" "$seen"
}

# another_user: another user has the ambient set, in both cases.
another_user() {
	local nnp number=0 rest
	for nnp in false true; do
		rest="Bnd chown,kill,bind,chroot; NoNewPrivs: $((number++))"
		program_sets 1000 "$nnp" "$nothing"
		assert_equal "Prm none; Eff none; Inh kill,bind; Amb none; $rest" "$seen"
		program_sets 1000 "$nnp" "$kill"
		assert_equal "Prm kill; Eff kill; Inh kill,bind; Amb kill; $rest" "$seen"
		program_sets 1000 "$nnp" "$both"
		assert_equal "Prm kill,bind; Eff kill,bind; Inh kill,bind; Amb kill,bind; $rest" "$seen"
	done
}

# bats test_tags=host,guest,arm64
@test "root has the bounding set, ambient or not" {
	root_may_gain
}

# bats test_tags=host,guest
@test "root with no_new_privs has the permitted set" {
	root_may_not_gain
}

# bats test_tags=host,guest
@test "another user has the ambient set, with or without no_new_privs" {
	another_user
}

# bats test_tags=host,guest
@test "rootless: root in the container has the bounding set, or the permitted set" {
	rootless
	root_may_gain
	root_may_not_gain
}

# bats test_tags=host,guest
@test "rootless: another user has the ambient set, with or without no_new_privs" {
	rootless
	another_user
}

# CVE-2022-29162: inheritable capabilities reach programs with such file capabilities.
@test "no capability is inheritable unless config.json lists it" {
	config 'del(.process.capabilities.inheritable)'
	program_sets 0 false "$nothing"
	assert_match 'Inh none; Amb none' "$seen"
	program_sets 1000 false "$nothing"
	assert_match 'Inh none; Amb none' "$seen"
}

@test "the program has the securebits of a new process" {
	config '.process.user = {uid: 1000, gid: 1000} | .process.noNewPrivileges = false'
	cp "$PROBE" "$BUNDLE/rootfs/bin/probe"
	args /bin/probe securebits
	runtime_ok run --bundle "$BUNDLE" c
	assert_equal 0 "$out"
}
