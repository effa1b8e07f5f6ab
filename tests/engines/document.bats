# docs/engines.md: its commands work as written. The engine was started with its
# configuration files.
load helpers

# bats test_tags=docker
@test "the documented trial of Docker works" {
	try Docker 2
}

# bats test_tags=podman
@test "the documented trial of Podman works" {
	try Podman 2
}

# bats test_tags=containerd
@test "the documented trial of ctr works" {
	needs_controllers cpu # ctr sets shares
	try containerd 1
}

# bats test_tags=shim
@test "the documented trial of the shim works" {
	needs_controllers cpu # ctr sets shares
	try containerd-shim-berth-v2 1
	grep -qx "install -m 755 bin/containerd-shim-berth-v2 /usr/local/sbin/containerd-shim-berth-v2" "$DOCUMENT"
}

# bats test_tags=shim
@test "containerd accepts the documented configuration of the shim" {
	run -0 containerd config dump
	assert_match "default_runtime_name = ['\"]berth['\"]" "$output"
	assert_match "runtime_path = ['\"]/usr/local/sbin/containerd-shim-berth-v2['\"]" "$output"
	run -0 ctr plugins ls
	assert_match 'io.containerd.(grpc.v1 +cri|cri.v1 +runtime) +[^ ]+ +ok' "$output"
}

# try SECTION NUMBER: each of the section's NUMBER commands prints "hello".
try() {
	run -0 commands_of "$1"
	assert_equal "$2" "${#lines[@]}"
	local command
	for command in "${lines[@]}"; do
		# More than once, for ctr may lose the output of such a short container.
		wait_for 10 prints_hello "$command"
	done
}

prints_hello() {
	run -0 sh -c "$1"
	[ "$output" = hello ]
}

# bats test_tags=containerd
@test "containerd accepts the documented configuration for the CRI" {
	run -0 containerd config dump
	assert_match "default_runtime_name = ['\"]berth['\"]" "$output"
	assert_match "BinaryName = ['\"]/usr/local/sbin/berth['\"]" "$output"
	run -0 ctr plugins ls
	assert_match 'io.containerd.(grpc.v1 +cri|cri.v1 +runtime) +[^ ]+ +ok' "$output"
}

# bats test_tags=docker,podman,containerd
@test "the tested binary is at the documented path" {
	grep -qx "install -m 755 bin/berth $BERTH" "$DOCUMENT"
	cmp "$RUNTIME" "$BERTH"
}
