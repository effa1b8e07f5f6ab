# Probes: by exec, HTTP and TCP.
# bats file_tags=kubernetes
load helpers

@test "a readiness probe by exec decides whether the pod is ready" {
	pod <<-END
		containers:
		- name: main
		  image: $IMAGE
		  command: $IDLE
		  readinessProbe: {exec: {command: [test, -e, /tmp/ready]}, periodSeconds: 1}
	END
	becomes condition=PodScheduled "pod/$NAME"
	wait_for 20 logged ready
	assert_equal False "$(field ".status.conditions[?(@.type=='Ready')].status")"
	in_pod 'touch /tmp/ready'
	ready "pod/$NAME"
	in_pod 'rm /tmp/ready'
	becomes condition=Ready=false "pod/$NAME"
}

@test "a liveness probe by HTTP restarts the container" {
	pod <<-END
		terminationGracePeriodSeconds: 1
		containers:
		- name: main
		  image: $IMAGE
		  command: [sh, -c, "mkdir -p /tmp/www; echo >/tmp/www/live; exec httpd -f -h /tmp/www -p 8080"]
		  livenessProbe: {httpGet: {path: /live, port: 8080}, periodSeconds: 1, failureThreshold: 1, initialDelaySeconds: 2}
	END
	ready "pod/$NAME"
	local id
	id=$(container_id)
	in_pod 'rm /tmp/www/live'
	wait_for 20 field_is '.status.containerStatuses[0].restartCount' 1
	becomes 'jsonpath={.status.containerStatuses[0].ready}=true' "pod/$NAME"
	[ "$id" != "$(container_id)" ] || failed "the container is the same"
}

@test "a startup probe by TCP delays the other probes" {
	pod <<-END
		containers:
		- name: main
		  image: $IMAGE
		  command: [sh, -c, "until [ -e /tmp/listen ]; do sleep 0.1; done; exec httpd -f -p 8080"]
		  startupProbe: {tcpSocket: {port: 8080}, periodSeconds: 1, failureThreshold: 120}
		  livenessProbe: {exec: {command: [test, -e, /tmp/listen]}, periodSeconds: 1, failureThreshold: 1}
	END
	wait_for 20 started_not_ready
	in_pod 'touch /tmp/listen'
	ready "pod/$NAME"
	assert_equal 'true 0' "$(field '.status.containerStatuses[0].started') $(field '.status.containerStatuses[0].restartCount')"
}

started_not_ready() {
	[ -n "$(field '.status.containerStatuses[0].state.running.startedAt')" ] && field_is '.status.containerStatuses[0].started' false
}

# Each probe is a process in the container, and an exec of the shim. 40 of them run before
# the first count: then all buffers and threads exist.
@test "an exec probe each second leaves no process and no descriptor" {
	pod <<-END
		containers:
		- name: main
		  image: $IMAGE
		  command: $IDLE
		  livenessProbe: &probe {exec: {command: [sh, -c, "echo >>/tmp/probes"]}, periodSeconds: 1}
		  readinessProbe: *probe
	END
	ready "pod/$NAME"
	local before after
	wait_for 30 probed 20
	before=$(usage)
	wait_for 60 probed 80
	after=$(usage)
	assert_equal "${before% *}" "${after% *}"
	((${after#* } <= ${before#* } + 2)) || failed "descriptors of the shim: ${before#* } before, ${after#* } after"
}

# probed COUNT: at least so many probes have run.
probed() {
	in_pod 'wc -l </tmp/probes'
	((out >= $1))
}

# usage: the number of processes of the container that are no probes, and of the shim's
# descriptors.
usage() {
	in_pod 'ps -o args | grep -c "[s]leep 10000"; ps -o stat | grep -c "^Z" || true'
	echo "$(tr '\n' , <<<"$out") $(find "/proc/$(shim_pid)/fd" -mindepth 1 | wc -l)"
}
