# A node of Kubernetes, with its control plane: a daemon for each function "run_NAME", which
# becomes that daemon. hack/kubernetes has built the programs in $KUBERNETES.

# The kubelet would pull an image with the tag "latest" each time.
export IMAGE=docker.io/library/busybox:1

NODE=bed
NODE_IP=10.99.0.1 # of the bridge that configure_cri configures
SECRETS=/run/kubernetes
export KUBECONFIG=$SECRETS/admin

# In the order in which they need each other.
daemons=(etcd kube-apiserver kube-controller-manager kube-scheduler containerd kubelet)

# The commands that succeed when a daemon answers, where another daemon needs it.
declare -gA answers=(
	[kube-apiserver]="kubectl get --raw /readyz"
	[containerd]="ctr version"
	[kubelet]="kubectl get --raw /api/v1/nodes/$NODE/proxy/healthz"
)

run_etcd() {
	exec "$KUBERNETES/server" --data-dir /var/lib/etcd --unsafe-no-fsync --log-level warn
}

run_kube-apiserver() {
	exec kube-apiserver --etcd-servers http://127.0.0.1:2379 --advertise-address "$NODE_IP" --cert-dir "$SECRETS" \
		--service-cluster-ip-range 10.98.0.0/16 --service-account-issuer https://kubernetes.default.svc \
		--service-account-key-file "$SECRETS/apiserver.key" --service-account-signing-key-file "$SECRETS/apiserver.key" \
		--token-auth-file "$SECRETS/tokens" --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction \
		--allow-privileged --kubelet-preferred-address-types InternalIP
}

run_kube-controller-manager() {
	exec kube-controller-manager --kubeconfig "$SECRETS/kube-controller-manager" --leader-elect=false --use-service-account-credentials \
		--root-ca-file "$SECRETS/apiserver.crt" --service-account-private-key-file "$SECRETS/apiserver.key"
}

run_kube-scheduler() {
	exec kube-scheduler --kubeconfig "$SECRETS/kube-scheduler" --leader-elect=false
}

run_containerd() {
	exec containerd
}

run_kubelet() {
	with_sysctls kubelet --config "$SECRETS/kubelet.yaml" --kubeconfig "$SECRETS/kubelet" --hostname-override "$NODE" --node-ip "$NODE_IP"
}

# with_sysctls KUBELET [ARGUMENT...]: become the kubelet. It sets sysctls of the whole
# machine, unless they have its values already: it reads these from files that are mounted
# over them in a mount namespace of its own. All other mounts pass between that namespace
# and the bed.
with_sysctls() {
	# shellcheck disable=SC2016 # for the inner shell
	exec unshare --mount --propagation unchanged sh -euc '
		mount --make-private /proc
		while read -r name value; do
			file=$1-${name##*/}
			echo "$value" >"$file"
			mount --bind "$file" "/proc/sys/$name"
		done <"$1"
		shift
		exec "$@"' sh "$SECRETS/sysctls" "$@"
}

start_kubernetes() {
	export PATH=$PATH:${KUBERNETES:?}
	prepare_node || return
	start_daemons && import_images && wait_for 30 admits_pods && return
	logs
	return 1
}

start_daemons() {
	local daemon
	for daemon in "${daemons[@]}"; do
		start "$daemon" || return
	done
}

# admits_pods: the control plane has made what each pod needs, and the node is ready.
admits_pods() {
	kubectl get serviceaccount default >/dev/null 2>&1 &&
		kubectl wait --for condition=Ready "node/$NODE" --timeout 10s >/dev/null 2>&1
}

# prepare_node: make what the daemons find on a host.
prepare_node() {
	mkdir -p "$SECRETS" /var/lib/kubelet || return
	mount -t tmpfs tmpfs /var/lib/kubelet || return
	[ -e /dev/kmsg ] || mknod -m 600 /dev/kmsg c 1 11 || return
	ip link add cni0 type bridge && ip address add "$NODE_IP/16" dev cni0 && ip link set cni0 up || return
	configure_clients && configure_kubelet && configure_cri && cat >>/etc/containerd/config.toml <<-END
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		runtime_type = "io.containerd.runc.v2"
	END
}

# configure_clients: each client of the API has a token, with the user and the groups of
# its rights.
configure_clients() {
	cat >"$SECRETS/tokens" <<-END
		admin,admin,1,system:masters
		kube-controller-manager,system:kube-controller-manager,2
		kube-scheduler,system:kube-scheduler,3
		kubelet,system:node:$NODE,4,system:nodes
	END
	local name
	while IFS=, read -r name _; do
		client_config "$name" >"$SECRETS/$name" || return
	done <"$SECRETS/tokens"
}

# client_config NAME: the configuration of a client with the token of that name.
client_config() {
	jq -n --arg name "$1" --arg ca "$SECRETS/apiserver.crt" '{
		apiVersion: "v1", kind: "Config", "current-context": "bed",
		clusters: [{name: "bed", cluster: {server: "https://localhost:6443", "certificate-authority": $ca}}],
		users: [{name: $name, user: {token: $name}}],
		contexts: [{name: "bed", context: {cluster: "bed", user: $name}}]}'
}

# configure_kubelet: write what differs from the defaults, because the bed has cgroup v1,
# lacks CAP_SYS_RESOURCE, has no DNS and no disk of its own, and the API server has no
# certificate for the kubelet; and the sysctls that the kubelet wants.
configure_kubelet() {
	cat >"$SECRETS/kubelet.yaml" <<-END
		apiVersion: kubelet.config.k8s.io/v1beta1
		kind: KubeletConfiguration
		containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
		authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
		authorization: {mode: AlwaysAllow}
		cgroupDriver: $(cgroup_driver)
		failCgroupV1: false
		failSwapOn: false
		oomScoreAdj: 0
		resolvConf: ""
		clusterDNS: [10.98.0.10]
		localStorageCapacityIsolation: false
		evictionHard: {memory.available: 1Mi}
		maxPods: 250
	END
	cat >"$SECRETS/sysctls" <<-END
		vm/overcommit_memory 1
		vm/panic_on_oom 0
		kernel/panic 10
		kernel/panic_on_oops 1
		kernel/keys/root_maxkeys 1000000
		kernel/keys/root_maxbytes 25000000
	END
}

import_images() {
	image "$(sandbox_image)" '{Entrypoint: ["/bin/sh", "-c", "trap exit TERM; while :; do sleep 0.2; done"]}' &&
		image "$IMAGE" '{}'
}

# image NAME CONFIG: import the tests' root file system under a name.
image() {
	oci_archive "$BATS_RUN_TMPDIR/rootfs.tar" "$BATS_RUN_TMPDIR/image.tar" "$1" "$2" &&
		ctr -n k8s.io images import "$BATS_RUN_TMPDIR/image.tar" >/dev/null
}

# start DAEMON: start it, and wait until it answers; its pid is in a file.
start() {
	"run_$1" >>"/var/log/$1" 2>&1 </dev/null 3>&- 4>&- &
	echo $! >"$SECRETS/$1.pid"
	disown
	wait_for 60 is_up "$1" || failed "$1 does not answer"
}

# is_up DAEMON: it answers.
is_up() {
	# shellcheck disable=SC2086 # a command
	${answers[$1]:-true} >/dev/null 2>&1
}

pid_of() {
	cat "$SECRETS/$1.pid"
}

# stop SIGNAL DAEMON: end it.
stop() {
	local pid
	pid=$(pid_of "$2")
	kill "-$1" "$pid" && wait_for 20 dead "$pid"
}

# logs: print the end of all logs, to explain a failure.
logs() {
	tail -n 15 "${daemons[@]/#//var/log/}" | cut -c 1-300 >&2
}

# first_container_kubernetes: the kubelet makes the cgroups of two QoS classes with the
# first pod of each, and keeps them.
first_container_kubernetes() {
	first_pod '' && first_pod 'memory: 1Mi' && return
	logs
	return 1
}

# first_pod REQUESTS: run one that has these requests, and delete it.
first_pod() {
	kubectl create -f - <<-END || return
		apiVersion: v1
		kind: Pod
		metadata: {name: first}
		spec:
		  restartPolicy: Never
		  containers: [{name: main, image: $IMAGE, command: ["true"], resources: {requests: {$1}}}]
	END
	kubectl wait --for jsonpath='{.status.phase}'=Succeeded pod/first --timeout 120s &&
		kubectl delete pod first
}

# remove_all_kubernetes: delete everything that a test may have made.
remove_all_kubernetes() {
	[ -n "${BATS_TEST_COMPLETED:-}${BATS_TEST_SKIPPED:-}" ] || explain
	local daemon kinds=cronjobs,jobs,daemonsets,deployments,statefulsets,pods,configmaps,secrets,runtimeclasses
	# A test that restarts a daemon may fail before the start.
	for daemon in "${daemons[@]}"; do
		alive "$(pid_of "$daemon")" || start "$daemon"
	done
	kubectl delete "$kinds" --field-selector metadata.name!=kube-root-ca.crt --grace-period 1 --timeout 120s >/dev/null
}

# explain: print what the cluster says about a failed test.
explain() {
	kubectl get pods -o wide >&2
	kubectl get events --sort-by .lastTimestamp | tail -n 40 >&2
	logs
}

runtime_root_kubernetes() {
	[ -n "$SHIM" ] && echo /run/containerd/berth/k8s.io || echo /run/containerd/runc/k8s.io
}
