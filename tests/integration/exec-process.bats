# "exec --process": an object of the specification that describes the process.
# bats file_tags=kernel
load helpers

prepare() {
	new_bundle
	args sleep 1000
}

@test "exec --process takes the whole process from a file" {
	cat >"$T/process.json" <<-END
		{"args": ["sh", "-c", "echo \$V; pwd; id -u; id -G; umask; ulimit -n; grep NoNewPrivs /proc/self/status"], "cwd": "/tmp",
		 "env": ["PATH=/bin", "V=of the file"], "user": {"uid": 1000, "gid": 3, "additionalGids": [4], "umask": 63},
		 "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 78}], "noNewPrivileges": true}
	END
	exec_in_ok --process "$T/process.json" c
	assert_equal $'of the file\n/tmp\n1000\n3 4\n0077\n77\nNoNewPrivs:\t1' "$out"
}

@test "exec --process sets its own capabilities" {
	echo '{"args": ["grep", "Cap", "/proc/self/status"], "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 1000, "gid": 1000},
		"capabilities": {"bounding": ["CAP_KILL", "CAP_CHOWN"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"],
		"inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL"]}}' >"$T/process.json"
	exec_in_ok --process "$T/process.json" c
	assert_equal $'CapInh:\t0000000000000020\nCapPrm:\t0000000000000020\nCapEff:\t0000000000000020\nCapBnd:\t0000000000000021\nCapAmb:\t0000000000000020' "$out"
	echo '{"args": ["grep", "Cap", "/proc/self/status"], "cwd": "/", "env": ["PATH=/bin"], "capabilities": {}}' >"$T/process.json"
	exec_in_ok --process "$T/process.json" c
	assert_equal 0000000000000000 "$(cut -f 2 <<<"$out" | sort -u)"
}

# runc 1.1 ignores both in exec.
# bats test_tags=berth
@test "exec --process sets the OOM score, and its errors name the field" {
	echo '{"args": ["cat", "/proc/self/oom_score_adj"], "cwd": "/", "env": ["PATH=/bin"], "oomScoreAdj": 77}' >"$T/process.json"
	exec_in_ok --process "$T/process.json" c
	assert_equal 77 "$out"
	jq '.oomScoreAdj = 1001' "$T/process.json" >"$T/bad.json"
	exec_in --process "$T/bad.json" c
	exec_refused 'process.oomScoreAdj: 1001: want -1000 to 1000'
	jq '.capabilities.bounding = ["CAP_KIL"]' "$T/process.json" >"$T/bad.json"
	exec_in --process "$T/bad.json" c
	assert_equal 77 "$out"
	assert_match 'level=warning msg="process.capabilities.bounding.0.: unknown capability .* is ignored; did you mean .*CAP_KILL' "$err"
}

@test "exec --process takes omitted fields from the container" {
	config '.process.capabilities = {bounding: ["CAP_CHOWN"], effective: ["CAP_CHOWN"], permitted: ["CAP_CHOWN"]}
		| .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 66, hard: 66}] | .process.oomScoreAdj = 400'
	echo '{"args": ["sh", "-c", "grep CapEff /proc/self/status; ulimit -n; cat /proc/self/oom_score_adj"], "cwd": "/", "env": ["PATH=/bin"]}' >"$T/process.json"
	exec_in_ok --process "$T/process.json" c
	assert_equal $'CapEff:\t0000000000000001\n66\n400' "$out"
}

@test "exec --process refuses a process of the wrong form" {
	echo '{"args": ["true"]}' >"$T/process.json"
	exec_in --process "$T/process.json" c
	exec_refused 'cwd|Cwd'
	echo '{' >"$T/process.json"
	exec_in --process "$T/process.json" c
	exec_refused 'line 2, column 0|line 1, column 2'
	echo '{"args": ["true", 1], "cwd": "/"}' >"$T/process.json"
	exec_in --process "$T/process.json" c
	exec_refused 'args\[1\]: want a string, found a number'
	printf '{"args": ["tr\xffue"], "cwd": "/"}' >"$T/process.json"
	exec_in --process "$T/process.json" c
	exec_refused 'not UTF-8'
	exec_in --process "$T/missing.json" c
	exec_refused 'missing.json: no such file'
}
