# podman kube play: pods as Kubernetes describes them.
# bats file_tags=new-podman
load helpers

# play: play the pod that standard input describes.
play() {
	cat >"$T/pod.yaml"
	engine_ok kube play "$T/pod.yaml"
}

@test "kube play starts init containers, then the others with their volumes" {
	play <<-END
		apiVersion: v1
		kind: Pod
		metadata: {name: $NAME}
		spec:
		  hostname: played
		  initContainers:
		  - name: first
		    image: $IMAGE
		    command: [sh, -c, "echo from the init container >/shared/file"]
		    volumeMounts: [{name: shared, mountPath: /shared}]
		  containers:
		  - name: one
		    image: $IMAGE
		    command: [sleep, "1000"]
		    env: [{name: A, value: "1"}]
		    volumeMounts: [{name: shared, mountPath: /shared, readOnly: true}]
		  - name: two
		    image: $IMAGE
		    command: [sleep, "1000"]
		    volumeMounts: [{name: shared, mountPath: /shared}]
		  volumes: [{name: shared, emptyDir: {}}]
	END
	engine_ok exec "$NAME-one" sh -c 'cat /shared/file; echo $A; hostname'
	assert_equal $'from the init container\n1\nplayed' "$out"
	engine exec "$NAME-one" touch /shared/other
	assert_match 'Read-only file system' "$err"
	engine_ok exec "$NAME-two" touch /shared/other
	engine_ok kube down "$T/pod.yaml"
	assert_equal "" "$(podman ps -aq)"
}

@test "kube play applies a security context" {
	play <<-END
		apiVersion: v1
		kind: Pod
		metadata: {name: $NAME}
		spec:
		  securityContext:
		    sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: "80"}]
		  containers:
		  - name: one
		    image: $IMAGE
		    command: [sleep, "1000"]
		    workingDir: /srv
		    securityContext:
		      runAsUser: 1000
		      runAsGroup: 2000
		      readOnlyRootFilesystem: true
		      allowPrivilegeEscalation: false
		      capabilities: {drop: [ALL], add: [CHOWN]}
	END
	engine_ok exec "$NAME-one" sh -c 'id -u; id -g; pwd; grep -E "^(CapBnd|NoNewPrivs):" /proc/self/status
		cat /proc/sys/net/ipv4/ip_unprivileged_port_start; touch /file 2>&1 | sed "s/.*: //"'
	assert_equal $'1000\n2000\n/srv\nCapBnd:\t0000000000000001\nNoNewPrivs:\t1\n80\nRead-only file system' "$out"
}

@test "kube play sets the limits of a container" {
	needs_controllers memory cpu
	play <<-END
		apiVersion: v1
		kind: Pod
		metadata: {name: $NAME}
		spec:
		  containers:
		  - name: one
		    image: $IMAGE
		    command: [sleep, "1000"]
		    resources:
		      limits: {memory: 64Mi, cpu: 500m}
	END
	NAME=$NAME-one
	knob_is 67108864 67108864 memory memory.limit_in_bytes memory.max
	knob_is 50000 '50000 100000' cpu cpu.cfs_quota_us cpu.max
}

@test "kube play restarts a container that fails" {
	play <<-END
		apiVersion: v1
		kind: Pod
		metadata: {name: $NAME}
		spec:
		  restartPolicy: OnFailure
		  containers:
		  - name: one
		    image: $IMAGE
		    command: [sh, -c, "test -e /second && sleep 1000; touch /second; exit 3"]
	END
	wait_for 10 has_restarted
}

has_restarted() {
	[ "$(podman inspect --format '{{.RestartCount}} {{.State.Running}}' "$NAME-one")" = '1 true' ]
}

@test "kube play shares a pid namespace" {
	play <<-END
		apiVersion: v1
		kind: Pod
		metadata: {name: $NAME}
		spec:
		  shareProcessNamespace: true
		  containers:
		  - {name: one, image: $IMAGE, command: [sleep, "1111"]}
		  - {name: two, image: $IMAGE, command: [sleep, "2222"]}
	END
	engine_ok exec "$NAME-one" ps -o args
	assert_match 'sleep 1111' "$out"
	assert_match 'sleep 2222' "$out"
}
