# CPU and memory: limits, OOM kills, resizing, QoS classes.
# bats file_tags=kubernetes
load helpers

# limited CPU MEMORY: start a pod with these requests and limits.
limited() {
	pod <<-END
		containers:
		- name: main
		  image: $IMAGE
		  command: $IDLE
		  resources: {requests: {cpu: $1, memory: $2}, limits: {cpu: $1, memory: $2}}
	END
	ready "pod/$NAME"
}

# limits: the shares, quota and memory of the container's cgroup, and those of its pod's.
limits() {
	local dir
	for dir in . ..; do
		knob cpu "$dir/cpu.shares" "$dir/cpu.weight"
		knob cpu "$dir/cpu.cfs_quota_us" "$dir/cpu.max"
		knob memory "$dir/memory.limit_in_bytes" "$dir/memory.max"
	done | paste -s -d ' '
}

# limits_become SHARES QUOTA BYTES
limits_become() {
	wait_for 20 limits_are "$* $*" || assert_equal "$* $*" "$(limits)"
}

limits_are() {
	[ "$(limits)" = "$1" ]
}

@test "limits of CPU and memory apply to the container and the pod" {
	limited 500m 64Mi
	limits_become 512 50000 67108864
	# The container sees its limit, and cannot change it.
	engine exec "$NAME" -- sh -c 'cd /sys/fs/cgroup/memory; cat memory.limit_in_bytes; echo 1 >memory.limit_in_bytes'
	assert_equal 67108864 "$out"
	assert_match 'Read-only file system' "$err"
}

@test "CPU and memory are resized in place" {
	limited 500m 64Mi
	local pid
	pid=$(container_pid)
	resize 250m 128Mi
	limits_become 256 25000 134217728
	resize 750m 96Mi
	limits_become 768 75000 100663296
	becomes 'jsonpath={.status.containerStatuses[0].resources.limits.memory}=96Mi' "pod/$NAME"
	assert_equal "$pid 0" "$(container_pid) $(field '.status.containerStatuses[0].restartCount')"
}

# resize CPU MEMORY
resize() {
	engine_ok patch pod "$NAME" --subresource resize --patch '{"spec": {"containers": [{"name": "main",
		"resources": {"requests": {"cpu": "'"$1"'", "memory": "'"$2"'"}, "limits": {"cpu": "'"$1"'", "memory": "'"$2"'"}}}]}}'
}

@test "a container that exceeds its memory is OOMKilled" {
	pod <<-END
		restartPolicy: Never
		containers:
		- name: main
		  image: $IMAGE
		  command: [sh, -c, "tail /dev/zero"]
		  resources: {limits: {memory: 32Mi}}
	END
	ends Failed
	assert_equal 'OOMKilled 137' "$(field '.status.containerStatuses[0].state.terminated.reason') $(field '.status.containerStatuses[0].state.terminated.exitCode')"
}

@test "an OOM kill of a child does not end the container" {
	pod <<-END
		containers:
		- name: main
		  image: $IMAGE
		  command: [sh, -c, 'tail /dev/zero; echo "exit status \$?"; exec sleep 1000']
		  resources: {limits: {memory: 32Mi}}
	END
	wait_for 20 logged 'exit status 137'
	assert_equal 0 "$(field '.status.containerStatuses[0].restartCount')"
}

# in_qos CLASS CGROUP OOM-SCORE RESOURCES: a pod with these resources is of the class.
in_qos() {
	pod "$NAME" <<-END
		containers: [{name: main, image: $IMAGE, command: $IDLE, resources: {$4}}]
	END
	ready "pod/$NAME"
	assert_equal "$1" "$(field .status.qosClass)"
	local pid
	pid=$(container_pid)
	assert_match ":memory:/kubepods/${2:+$2/}pod" "$(cat "/proc/$pid/cgroup")"
	assert_match "^($3)\$" "$(cat "/proc/$pid/oom_score_adj")"
}

# Negative adjustments need CAP_SYS_RESOURCE: containerd leaves them out without it.
@test "a Guaranteed pod has its cgroup" {
	in_qos Guaranteed "" '-997|0' 'limits: {cpu: 100m, memory: 32Mi}'
}

@test "a Burstable pod has its cgroup and OOM score" {
	in_qos Burstable burstable '9[0-9][0-9]' 'requests: {memory: 32Mi}'
}

@test "a BestEffort pod has its cgroup and OOM score" {
	in_qos BestEffort besteffort 1000 ''
}

@test "limits of the pod apply to all its containers" {
	pod <<-END
		resources: {limits: {cpu: 500m, memory: 64Mi}}
		containers:
		- {name: main, image: $IMAGE, command: $IDLE}
		- {name: other, image: $IMAGE, command: $IDLE}
	END
	ready "pod/$NAME"
	assert_equal '50000 67108864' "$(knob cpu ../cpu.cfs_quota_us ../cpu.max) $(knob memory ../memory.limit_in_bytes ../memory.max)"
}
