# Every test file loads this: the helpers of the other engines' tests, with their setup and
# teardown, and those in helpers. Its own functions, for pods, replace some of those for
# containers.
# shellcheck source-path=SCRIPTDIR
source "${BATS_TEST_DIRNAME:?}/../engines/helpers.bash"

# The command of a container that prints "ready", and does nothing until SIGTERM.
# shellcheck disable=SC2034 # used by the tests
IDLE="[sh, -c, 'trap \"exit 0\" TERM; echo ready; sleep 10000 & wait']"

SANDBOXES=/run/containerd/io.containerd.grpc.v1.cri/sandboxes/

# mounts: all but those of sandboxes. The kubelet removes dead sandboxes each minute, and
# containerd unmounts some only then. restarts.bats waits for that.
mounts() {
	grep -vF " $SANDBOXES" /proc/self/mountinfo
}

sandbox_mounts() {
	grep -F " $SANDBOXES" /proc/self/mountinfo
}

# pod [NAME]: create a pod with the spec on standard input.
pod() {
	{
		printf '%s\n' 'apiVersion: v1' 'kind: Pod' "metadata: {name: ${1:-$NAME}, labels: {app: ${1:-$NAME}}}" 'spec:'
		sed 's/^/  /'
	} | create
}

# create: create the objects that standard input describes.
create() {
	cat >"$T/manifest.yaml"
	engine_ok create -f "$T/manifest.yaml"
}

# idle_pod [NAME]: start a pod that does nothing until SIGTERM.
idle_pod() {
	pod "$@" <<-END
		containers: [{name: main, image: $IMAGE, command: $IDLE}]
	END
	ready "pod/${1:-$NAME}"
}

# becomes CONDITION OBJECT: wait until kubectl finds that it is so.
becomes() {
	engine_ok wait --for "$1" "$2" --timeout "$(patient 10)s"
}

ready() {
	becomes condition=Ready "$1"
}

# ends PHASE [NAME]: the pod ends, in the phase Succeeded or Failed.
ends() {
	becomes "jsonpath={.status.phase}=$1" "pod/${2:-$NAME}"
}

# field JSONPATH [OBJECT]: print a part of the object, of the test's pod by default.
field() {
	kubectl get "${2:-pod/$NAME}" -o "jsonpath={$1}"
}

field_is() {
	[ "$(field "$1" "${3:-}")" = "$2" ]
}

# logged TEXT [OPTION...]: a container of the pod has printed the line.
logged() {
	kubectl logs "$NAME" "${@:2}" | grep -qxF -- "$1"
}

# in_pod SCRIPT [OPTION...]: run a shell script in the pod; it must succeed.
in_pod() {
	engine_ok exec "$NAME" "${@:2}" -- sh -c "$1"
}

# container_id [NAME]: the ID of a container of the pod, by default of "main".
container_id() {
	local id
	id=$(field ".status.containerStatuses[?(@.name=='${1:-main}')].containerID")
	echo "${id#containerd://}"
}

# container_pid [NAME]: the pid of its init.
container_pid() {
	ctr -n k8s.io tasks ls | awk -v id="$(container_id "${1:-main}")" '$1 == id { print $2 }'
}

# shim_pid: print the pid of the shim that has started the container.
shim_pid() {
	awk '$1 == "PPid:" { print $2 }' "/proc/$(container_pid main)/status"
}

# inspected: print the pid, the only property that knob needs.
inspected() {
	container_pid main
}
