# Limits of the process, and its session keyring.
load helpers

prepare() {
	new_bundle
}

@test "every resource limit can be set" {
	# In the order of /proc/PID/limits, below what the caller itself may have;
	# without CAP_SYS_RESOURCE nothing else can be asked for.
	local limits
	limits=$(cat <<-'END'
		CPU 1000
		FSIZE 1073741824
		DATA 1073741825
		STACK 1048576
		CORE 1001
		RSS 1073741826
		NPROC 1002
		NOFILE 1003
		MEMLOCK 32768
		AS 1073741827
		LOCKS 1004
		SIGPENDING 1005
		MSGQUEUE 10006
		NICE 0
		RTPRIO 0
		RTTIME 1000000
	END
	)
	config '.process.rlimits = ($limits | split("\n") | map(split(" ") | {type: "RLIMIT_\(.[0])", n: .[1] | tonumber})
		| map({type: .type, soft: .n, hard: (if .n == 0 then 0 else .n + 1 end)}))' --arg limits "$limits"
	run_script 'sed 1d /proc/self/limits | cut -c 27-64'
	assert_equal "$(awk '{ print $2, $2 == 0 ? 0 : $2 + 1 }' <<<"$limits")" "$(awk '{ print $1, $2 }' <<<"$out")"
}

@test "the container has a session keyring of its own" {
	config 'del(.linux.maskedPaths)'
	script 'sed "s/.*keyring *//" /proc/keys'
	rt_ok run --bundle "$BUNDLE" keeper
	assert_match $'(^|\n)_ses\.keeper: ' "$out"
}

# Engines run create and start from different processes.
# bats test_tags=berth,host,guest
@test "a limit is raised by start, whatever create was run with" {
	may_raise
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 3000, hard: 3001}] | .process.user.uid = 1000'
	args sleep 1000
	ulimit -n "$(ulimit -H -n)"
	(ulimit -n 2000 && rt_ok create --bundle "$BUNDLE" c)
	rt_ok start c
	assert_match '^Max open files +3000 +3001 ' "$(grep 'open files' "/proc/$(init_pid c)/limits")"
}
