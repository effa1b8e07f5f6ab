# Daemons that restart, and a node that loses all its processes.
# bats file_tags=kubernetes
load helpers

# counter: start a pod that prints a number ten times a second.
counter() {
	pod <<-END
		containers: [{name: main, image: $IMAGE, command: [sh, -c, 'trap "exit 0" TERM; n=0; while :; do echo \$n; n=\$((n + 1)); sleep 0.1; done']}]
	END
	ready "pod/$NAME"
}

# advances: the pod prints a number after the last one.
advances() {
	local last
	last=$(kubectl logs "$NAME" --tail 1) && wait_for 20 logged "$((last + 5))"
}

# works: exec, logs and a new pod work. A new kubelet does not know its pods at once.
works() {
	ready "node/$NODE" && wait_for 20 in_pod 'echo works' && assert_equal works "$out" && advances && idle_pod "$NAME-new"
}

# same_container PID: the container still runs, and was not restarted.
same_container() {
	alive "$1" && assert_equal "$1 0" "$(container_pid) $(field '.status.containerStatuses[0].restartCount')"
}

@test "containers continue while the kubelet restarts" {
	counter
	local pid
	pid=$(container_pid)
	stop TERM kubelet
	alive "$pid"
	start kubelet
	works
	same_container "$pid"
}

@test "containers continue while containerd restarts" {
	counter
	local pid
	pid=$(container_pid)
	stop TERM containerd
	alive "$pid"
	start containerd
	works
	same_container "$pid"
}

@test "containers continue after SIGKILL of containerd and the kubelet" {
	counter
	local pid
	pid=$(container_pid)
	stop KILL kubelet
	stop KILL containerd
	start containerd
	start kubelet
	works
	same_container "$pid"
}

@test "a container that ends while containerd is down is restarted" {
	counter
	local pid
	pid=$(container_pid)
	stop TERM containerd
	kill -KILL "$pid"
	wait_for 10 dead "$pid"
	start containerd
	wait_for 60 field_is '.status.containerStatuses[0].restartCount' 1
	ready "pod/$NAME"
	works
}

@test "a pod is replaced after SIGKILL of its shim" {
	[ -n "$SHIM" ] || skip "containerd 2.1 cleans up only the sandbox after a shim with version 3 of its API, as runc's: the container continues"
	counter
	local pid
	pid=$(container_pid)
	kill -KILL "$(shim_pid)"
	wait_for 60 field_is '.status.containerStatuses[0].restartCount' 1
	ready "pod/$NAME"
	works
	dead "$pid" || failed "the old container still runs"
}

# As after a loss of power, but with the files of /run and with the cgroups, which a real
# one does not leave.
@test "pods start again after SIGKILL of all processes" {
	counter
	idle_pod "$NAME-other"
	local daemon
	for daemon in "${daemons[@]}"; do
		stop KILL "$daemon"
	done
	wait_for 10 killed pods_pids
	wait_for 10 killed pgrep -f '^[^ ]*containerd-shim-'
	start_daemons
	wait_for 60 field_is '.status.containerStatuses[0].restartCount' 1
	wait_for 60 field_is '.status.containerStatuses[0].restartCount' 1 "pod/$NAME-other"
	ready "pod/$NAME"
	ready "pod/$NAME-other"
	works
	sandboxes_removed
}

# sandboxes_removed: nothing is left of the pods in containerd, a minute after their end.
sandboxes_removed() {
	engine_ok delete pods --all --grace-period 1
	wait_for 30 no_sandbox || failed "left of sandboxes:" "$(sandbox_mounts)"
}

no_sandbox() {
	[ -z "$(sandbox_mounts)" ] && [ -z "$(ctr -n k8s.io containers ls -q)" ]
}

# killed COMMAND...: the command prints no pids. Kill the processes that it prints, of
# which some may have ended since.
killed() {
	local pids
	mapfile -t pids < <("$@")
	[ ${#pids[@]} = 0 ] || { kill -KILL "${pids[@]}" 2>/dev/null; return 1; }
}

# pods_pids: all processes of pods.
pods_pids() {
	find /sys/fs/cgroup/memory/kubepods -name cgroup.procs -exec cat {} +
}
