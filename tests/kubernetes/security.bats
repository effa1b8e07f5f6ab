# The security context: users, capabilities, seccomp, user namespaces, privileged pods.
# bats file_tags=kubernetes
load helpers

# secured [POD-FIELD...] <<<CONTEXT: start a pod of a container with this security context,
# and these fields of the pod.
secured() {
	{
		printf '%s\n' "$@"
		printf '%s\n' 'containers:' "- {name: main, image: $IMAGE, command: $IDLE, securityContext: {$(tr '\n' ' ')}}"
	} | pod
	ready "pod/$NAME"
}

# status_of FIELD...: these lines of the container's /proc/self/status, on one line.
status_of() {
	in_pod "$(printf 'grep "^%s:" /proc/self/status\n' "$@")"
	awk '{ print $2 }' <<<"$out" | paste -s -d ' '
}

@test "the container has its user, groups and capabilities, and cannot gain privileges" {
	secured 'securityContext: {fsGroup: 3000, supplementalGroups: [4000]}' <<-END
		runAsUser: 1000, runAsGroup: 2000, runAsNonRoot: true, allowPrivilegeEscalation: false,
		readOnlyRootFilesystem: true, capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}
	END
	in_pod 'id -u; id -g; grep ^Groups: /proc/self/status; touch /file 2>&1 | sed "s/.*: //"'
	assert_equal $'1000\n2000\nGroups:\t2000 3000 4000 \nRead-only file system' "$out"
	assert_equal '0000000000000400 1' "$(status_of CapBnd NoNewPrivs)"
}

@test "runAsNonRoot refuses root" {
	pod <<-END
		containers: [{name: main, image: $IMAGE, command: $IDLE, securityContext: {runAsNonRoot: true}}]
	END
	becomes 'jsonpath={.status.containerStatuses[0].state.waiting.reason}=CreateContainerConfigError' "pod/$NAME"
}

@test "seccompProfile RuntimeDefault filters system calls" {
	secured <<<'seccompProfile: {type: RuntimeDefault}'
	assert_equal 2 "$(status_of Seccomp)"
	engine exec "$NAME" -- unshare -U true
	assert_match 'Operation not permitted' "$err"
}

@test "seccompProfile Unconfined filters none" {
	secured <<<'seccompProfile: {type: Unconfined}'
	assert_equal 0 "$(status_of Seccomp)"
}

@test "seccompProfile Localhost applies the node's file" {
	mkdir -p /var/lib/kubelet/seccomp
	cat >/var/lib/kubelet/seccomp/no-mkdir.json <<-END
		{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
			{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]}
	END
	secured <<<'seccompProfile: {type: Localhost, localhostProfile: no-mkdir.json}'
	engine exec "$NAME" -- mkdir /tmp/dir
	assert_match 'not supported' "$err"
	assert_equal 2 "$(status_of Seccomp)"
}

@test "hostUsers: false makes a user namespace" {
	secured 'hostUsers: false' 'volumes: [{name: shared, emptyDir: {}}]' <<<''
	local pid
	pid=$(container_pid)
	[ "$(readlink "/proc/$pid/ns/user")" != "$(readlink /proc/self/ns/user)" ] || failed "the user namespace is the node's"
	in_pod 'id -u; awk "{ print \$1, (\$2 > 0), \$3 }" /proc/self/uid_map; touch /file; stat -c "%u %g" /file /bin /etc/hosts'
	assert_equal $'0\n0 1 65536\n0 0\n0 0\n0 0' "$out"
	assert_match '^[1-9]' "$(stat -c %u "/proc/$pid")"
}

@test "two pods with user namespaces have different users" {
	secured 'hostUsers: false' <<<''
	local first
	first=$(stat -c %u "/proc/$(container_pid)")
	NAME=$NAME-two
	secured 'hostUsers: false' <<<''
	[ "$first" != "$(stat -c %u "/proc/$(container_pid)")" ] || failed "both have the user $first"
}

@test "volumes of a pod with a user namespace have its owners" {
	pod <<-END
		hostUsers: false
		securityContext: {fsGroup: 1000}
		containers:
		- name: main
		  image: $IMAGE
		  command: $IDLE
		  volumeMounts: [{name: shared, mountPath: /shared}, {name: files, mountPath: /files}]
		volumes:
		- {name: shared, emptyDir: {}}
		- {name: files, downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}}
	END
	ready "pod/$NAME"
	in_pod 'touch /shared/file; stat -c "%u %g" /shared /shared/file; cat /files/name'
	assert_equal "0 1000
0 1000
$NAME" "$out"
}

@test "procMount Unmasked needs a user namespace, and shows all of /proc" {
	secured 'hostUsers: false' <<<'procMount: Unmasked'
	in_pod 'grep -c " /proc/" /proc/self/mountinfo || true'
	assert_equal 0 "$out"
}

@test "a privileged container has the node's devices, and writes sysctls" {
	secured <<<'privileged: true'
	in_pod 'test -c /dev/kmsg && grep ^CapEff: /proc/self/status; echo 1 >/proc/sys/net/ipv4/ip_forward; grep -c " /sys ro" /proc/self/mounts || true'
	assert_equal "CapEff:	$(awk '$1 == "CapEff:" { print $2 }' /proc/self/status)
0" "$out"
}

@test "a pod sets sysctls of its namespaces" {
	secured 'securityContext: {sysctls: [{name: net.ipv4.ip_local_port_range, value: "2000 3000"}, {name: kernel.shm_rmid_forced, value: "1"}]}' <<<''
	in_pod 'cat /proc/sys/net/ipv4/ip_local_port_range /proc/sys/kernel/shm_rmid_forced'
	assert_equal $'2000\t3000\n1' "$out"
}
