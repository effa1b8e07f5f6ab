# The life of pods: output, exec, attach, port-forward, restarts, init and sidecar
# containers, hooks and signals.
# bats file_tags=kubernetes
load helpers

@test "a pod reports the output and the exit status of its container" {
	pod <<-END
		restartPolicy: Never
		containers: [{name: main, image: $IMAGE, command: [sh, -c, "echo to stdout; echo to stderr >&2; exit 3"]}]
	END
	ends Failed
	engine_ok logs "$NAME"
	assert_lines $'to stdout\nto stderr' "$out"
	assert_equal '3 Error' "$(field '.status.containerStatuses[0].state.terminated.exitCode') $(field '.status.containerStatuses[0].state.terminated.reason')"
}

@test "a pod fails with the runtime's error when its program does not exist" {
	pod <<-END
		restartPolicy: Never
		containers: [{name: main, image: $IMAGE, command: [/no/such/program]}]
	END
	ends Failed
	assert_equal 'StartError 128' "$(field '.status.containerStatuses[0].state.terminated.reason') $(field '.status.containerStatuses[0].state.terminated.exitCode')"
	assert_match '/no/such/program.*no such file or directory' "$(field '.status.containerStatuses[0].state.terminated.message')"
}

@test "exec passes input and output, and returns the exit status" {
	idle_pod
	echo typed >"$T/in"
	STDIN=$T/in engine exec -i "$NAME" -- sh -c 'read line; echo "got $line"; echo error >&2; exit 5'
	assert_equal 'got typed' "$out"
	assert_match '^error' "$err"
	assert_equal 5 "$status"
}

@test "exec passes a mebibyte in both directions" {
	idle_pod
	head -c 1048576 /dev/urandom >"$T/in"
	STDIN=$T/in engine_ok exec -i "$NAME" -- cat
	cmp "$T/in" "$T/out"
}

@test "exec -t has a terminal" {
	idle_pod
	printf 'stty size | grep -c . ; tty; exit 6\n' >"$T/in"
	STDIN=$T/in on_terminal kubectl exec -it "$NAME" -- sh
	assert_equal 6 "$status"
	assert_match '/dev/pts/0' "$out"
}

@test "attach passes input to the container, and its output back" {
	pod <<-END
		restartPolicy: Never
		containers:
		- {name: main, image: $IMAGE, stdin: true, stdinOnce: true, command: [sh, -c, 'while read line; do echo "got \$line"; done']}
	END
	ready "pod/$NAME"
	printf 'one\ntwo\n' >"$T/in"
	STDIN=$T/in engine_ok attach -i -q "$NAME"
	ends Succeeded
	engine_ok logs "$NAME"
	assert_equal $'got one\ngot two' "$out"
}

@test "run -it connects the terminal of a container" {
	printf 'tty\nexit 7\n' >"$T/in"
	STDIN=$T/in on_terminal kubectl run "$NAME" -it --rm --image "$IMAGE" --restart Never --command -- sh
	assert_match '/dev/pts/0|/dev/console' "$out"
	assert_equal 7 "$status"
}

@test "port-forward connects to a port of the pod" {
	pod <<-END
		containers: [{name: main, image: $IMAGE, command: [sh, -c, "echo served >/tmp/index.html; exec httpd -f -h /tmp -p 8080"]}]
	END
	ready "pod/$NAME"
	background kubectl port-forward "pod/$NAME" 18080:8080 >"$T/forward" 2>&1
	wait_for 10 served 18080
}

@test "hostPort connects a port of the node to the pod" {
	pod <<-END
		containers:
		- name: main
		  image: $IMAGE
		  command: [sh, -c, "echo served >/tmp/index.html; exec httpd -f -h /tmp -p 8080"]
		  ports: [{containerPort: 8080, hostPort: 18081}]
	END
	ready "pod/$NAME"
	wait_for 10 served 18081 "$NODE_IP"
}

# served PORT [ADDRESS]: the port of the node serves the pod's page.
served() {
	[ "$(busybox wget -q -O - "http://${2:-127.0.0.1}:$1/" 2>/dev/null)" = served ]
}

@test "a pod reaches another, and the node, by their addresses" {
	pod <<-END
		containers: [{name: main, image: $IMAGE, command: [sh, -c, "echo served >/tmp/index.html; exec httpd -f -h /tmp -p 8080"]}]
	END
	idle_pod "$NAME-client"
	ready "pod/$NAME"
	local address
	address=$(field .status.podIP)
	wait_for 10 kubectl exec "$NAME-client" -- wget -q -O - "http://$address:8080/" >/dev/null
	engine_ok exec "$NAME-client" -- ping -c 1 -W 10 "$NODE_IP"
}

@test "a container that fails is restarted; logs --previous has its output" {
	pod <<-END
		containers:
		- name: main
		  image: $IMAGE
		  command: [sh, -c, 'test -e /shared/second && { echo second; exec sleep 1000; }; touch /shared/second; echo first; exit 1']
		  volumeMounts: [{name: shared, mountPath: /shared}]
		volumes: [{name: shared, emptyDir: {}}]
	END
	wait_for 20 logged second
	assert_equal 1 "$(field '.status.containerStatuses[0].restartCount')"
	engine_ok logs "$NAME" --previous
	assert_equal first "$out"
}

@test "init containers run in order before the others" {
	pod <<-END
		restartPolicy: Never
		initContainers:
		- {name: one, image: $IMAGE, command: [sh, -c, "echo one >>/shared/file"], volumeMounts: [{name: shared, mountPath: /shared}]}
		- {name: two, image: $IMAGE, command: [sh, -c, "echo two >>/shared/file"], volumeMounts: [{name: shared, mountPath: /shared}]}
		containers:
		- {name: main, image: $IMAGE, command: [cat, /shared/file], volumeMounts: [{name: shared, mountPath: /shared}]}
		volumes: [{name: shared, emptyDir: {}}]
	END
	ends Succeeded
	engine_ok logs "$NAME"
	assert_equal $'one\ntwo' "$out"
}

@test "a sidecar container starts first, and ends after the others" {
	pod <<-END
		restartPolicy: Never
		initContainers:
		- name: sidecar
		  image: $IMAGE
		  restartPolicy: Always
		  command: [sh, -c, 'trap "echo ended >>/shared/file; exit 0" TERM; echo started >/shared/file; sleep 1000 & wait']
		  startupProbe: {exec: {command: [test, -s, /shared/file]}, periodSeconds: 1}
		  volumeMounts: [{name: shared, mountPath: /shared}]
		containers:
		- {name: main, image: $IMAGE, command: [sh, -c, "cat /shared/file; echo main >>/shared/file"], volumeMounts: [{name: shared, mountPath: /shared}]}
		volumes: [{name: shared, hostPath: {path: $T/shared, type: DirectoryOrCreate}}]
	END
	ends Succeeded
	assert_equal $'started\nmain\nended' "$(cat "$T/shared/file")"
	engine_ok logs "$NAME" -c main
	assert_equal started "$out"
}

@test "the status has the termination message" {
	pod <<-END
		restartPolicy: Never
		containers:
		- {name: main, image: $IMAGE, terminationMessagePath: /tmp/message, command: [sh, -c, "echo done well >/tmp/message"]}
		- {name: other, image: $IMAGE, terminationMessagePolicy: FallbackToLogsOnError, command: [sh, -c, "echo failed badly; exit 1"]}
	END
	ends Failed
	assert_equal 'done well' "$(field ".status.containerStatuses[?(@.name=='main')].state.terminated.message")"
	assert_equal 'failed badly' "$(field ".status.containerStatuses[?(@.name=='other')].state.terminated.message")"
}

@test "delete runs the preStop hook, then sends SIGTERM" {
	pod <<-END
		containers:
		- name: main
		  image: $IMAGE
		  command: [sh, -c, 'trap "echo SIGTERM >>/shared/file; exit 0" TERM; sleep 1000 & wait']
		  lifecycle:
		    postStart: {exec: {command: [sh, -c, "echo postStart >>/shared/file"]}}
		    preStop: {exec: {command: [sh, -c, "echo preStop >>/shared/file"]}}
		  volumeMounts: [{name: shared, mountPath: /shared}]
		volumes: [{name: shared, hostPath: {path: $T/shared, type: DirectoryOrCreate}}]
	END
	ready "pod/$NAME"
	engine_ok delete pod "$NAME"
	assert_equal $'postStart\npreStop\nSIGTERM' "$(cat "$T/shared/file")"
}

@test "delete sends SIGKILL after the grace period" {
	pod <<-END
		terminationGracePeriodSeconds: 2
		containers: [{name: main, image: $IMAGE, command: [sh, -c, "trap 'echo ignored' TERM; while :; do sleep 0.1; done"]}]
	END
	ready "pod/$NAME"
	local pid
	pid=$(container_pid)
	background kubectl logs -f "$NAME" >"$T/logs"
	engine_ok delete pod "$NAME"
	dead "$pid"
	grep -qx ignored "$T/logs"
}

@test "the container has its name, its environment and its directory" {
	pod <<-END
		hostname: named
		hostAliases: [{ip: 192.0.2.1, hostnames: [alias]}]
		containers:
		- name: main
		  image: $IMAGE
		  command: $IDLE
		  workingDir: /srv
		  env:
		  - {name: A, value: "1"}
		  - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
		  - {name: CPU, valueFrom: {resourceFieldRef: {resource: requests.cpu, divisor: 1m}}}
		  resources: {requests: {cpu: 100m}}
	END
	ready "pod/$NAME"
	# shellcheck disable=SC2016 # for the container's shell
	in_pod 'hostname; echo $A $POD $CPU; pwd; grep -o "192.0.2.1.*" /etc/hosts'
	assert_equal "named
1 $NAME 100
/srv
192.0.2.1	alias" "$out"
}

@test "debug starts an ephemeral container in the pid namespace of another" {
	idle_pod
	engine_ok debug "$NAME" --image "$IMAGE" --target main --container other --profile general -- sh -c 'ps -o args | grep -c "[s]leep 10000"'
	wait_for 20 logged 2 -c other
}

@test "the kubelet reports the CPU time and the memory of a container" {
	idle_pod
	wait_for 20 measured
}

measured() {
	local of='{container="main",namespace="default",pod="'$NAME'"}'
	kubectl get --raw "/api/v1/nodes/$NODE/proxy/metrics/resource" >"$T/metrics"
	grep -q "^container_cpu_usage_seconds_total$of [0-9.e-]*[1-9]" "$T/metrics" &&
		grep -q "^container_memory_working_set_bytes$of [1-9]" "$T/metrics"
}
