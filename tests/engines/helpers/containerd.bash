# containerd, with its client ctr, configured with the lines of docs/engines.md.

: "${SHIM:=}" # the binary of the shim, if berth is it

# ctr_flags NAME: set $with_berth, the flags with which ctr uses berth for the container.
ctr_flags() {
	if [ -n "$SHIM" ]; then
		with_berth=(--runtime io.containerd.berth.v2)
	else
		with_berth=(--runc-binary /usr/local/sbin/berth)
	fi
	[ "$(cgroup_driver)" = systemd ] || return 0
	with_berth+=(--cgroup "system.slice:ctr:$1")
	if [ -n "$SHIM" ]; then
		with_berth+=(--runtime-config-path /etc/containerd/berth.toml)
	else
		with_berth+=(--runc-systemd-cgroup)
	fi
	# By default, ctr sets shares.
	has_controller cpu || with_berth+=(--cpu-shares 0)
}

start_containerd() {
	configure /etc/containerd/config.toml "${SHIM:+with the shim}" || return
	[ -z "$SHIM" ] || cp "$SHIM" /usr/local/sbin || return
	echo 'SystemdCgroup = true' >/etc/containerd/berth.toml
	containerd >/var/log/containerd 2>&1 3>&- 4>&- &
	wait_for 20 ctr version >/dev/null 2>&1 || return
	oci_archive "$BATS_RUN_TMPDIR/rootfs.tar" "$BATS_RUN_TMPDIR/oci.tar" "$IMAGE" '{}' || return
	ctr images import "$BATS_RUN_TMPDIR/oci.tar" >/dev/null
}

# sandbox_image: the name of the image of which containerd makes the pods' first container.
sandbox_image() {
	containerd config default | grep -oE 'registry\.k8s\.io/pause:[0-9.]+' | head -n 1
}

# configure_cri: configure containerd for the kubelet and other clients of the CRI, with a
# bridge for the pods.
configure_cri() {
	configure /etc/containerd/config.toml "${SHIM:+with the shim}" || return
	[ -z "$SHIM" ] || cp "$SHIM" /usr/local/sbin || return
	if [ "$(cgroup_driver)" = systemd ]; then
		# The documented lines for runc's shim end with the table of the options.
		[ -z "$SHIM" ] || echo '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.berth.options]' >>/etc/containerd/config.toml
		echo 'SystemdCgroup = true' >>/etc/containerd/config.toml
	fi
	cat >>/etc/containerd/config.toml <<-END
		[plugins."io.containerd.grpc.v1.cri"]
		restrict_oom_score_adj = true
		[plugins."io.containerd.grpc.v1.cri".cni]
		bin_dir = "/usr/lib/cni"
	END
	mkdir -p /etc/cni/net.d || return
	cat >/etc/cni/net.d/bed.conflist <<-END
		{"cniVersion": "0.4.0", "name": "bed", "plugins": [
			{"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "ipam": {
				"type": "host-local", "subnet": "10.99.0.0/16", "routes": [{"dst": "0.0.0.0/0"}]}},
			{"type": "portmap", "capabilities": {"portMappings": true}}]}
	END
}

first_container_containerd() {
	ctr_flags first
	ctr run --rm "${with_berth[@]}" "$IMAGE" first true
}

remove_all_containerd() {
	local id
	for id in $(ctr tasks ls -q); do
		ctr tasks rm -f "$id" >/dev/null
	done
	for id in $(ctr containers ls -q); do
		ctr containers rm "$id" >/dev/null
	done
}

runtime_root_containerd() {
	[ -n "$SHIM" ] && echo /run/containerd/berth/default || echo /run/containerd/runc/default
}

# oci_archive LAYER ARCHIVE NAME CONFIG: make an archive of one image, of one layer.
oci_archive() {
	local dir
	dir=$(mktemp -d)
	oci_image "$dir" "$1" "$3" "$4" && tar -C "$dir" -cf "$2" . && rm -r "$dir"
}

# oci_image DIR LAYER NAME CONFIG: add an image of one layer to the layout in the directory,
# as the image specification defines it, with a jq expression for its configuration.
oci_image() {
	local config manifest layer
	mkdir -p "$1/blobs/sha256"
	layer=$(blob "$1" <"$2")
	config=$(jq -n --arg layer "${layer%% *}" --arg arch "$(architecture)" '{
		architecture: $arch, os: "linux", config: ({Env: ["PATH=/bin"]} + '"$4"'),
		rootfs: {type: "layers", diff_ids: [$layer]}}' | blob "$1")
	manifest=$(jq -n --arg config "$config" --arg layer "$layer" '
		def blob($type): split(" ") | {digest: .[0], size: (.[1] | tonumber), mediaType: "application/vnd.oci.image.\($type)"};
		{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
		config: ($config | blob("config.v1+json")), layers: [$layer | blob("layer.v1.tar")]}' | blob "$1")
	echo '{"imageLayoutVersion": "1.0.0"}' >"$1/oci-layout"
	[ -e "$1/index.json" ] || echo '{"schemaVersion": 2, "manifests": []}' >"$1/index.json"
	jq --arg manifest "$manifest" --arg name "$3" '($manifest | split(" ")) as [$digest, $size] | .manifests += [{
		mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $digest, size: ($size | tonumber),
		annotations: {"org.opencontainers.image.ref.name": $name}}]' "$1/index.json" >"$1/index.json.new" &&
		mv "$1/index.json.new" "$1/index.json"
}

# blob DIR: store standard input there; print its digest and size.
blob() {
	local digest
	cat >"$1/blob"
	digest=$(sha256sum <"$1/blob" | cut -d ' ' -f 1)
	echo "sha256:$digest $(stat -c %s "$1/blob")"
	mv "$1/blob" "$1/blobs/sha256/$digest"
}

# architecture: the name that images use for this machine's.
architecture() {
	case $(uname -m) in
	x86_64) echo amd64 ;;
	aarch64) echo arm64 ;;
	*) uname -m ;;
	esac
}

# ctr_start OPTION... -- COMMAND...: start one that stays; its output is in $T/log.
ctr_start() {
	options_and_command "$@"
	engine_ok run -d "${with_berth[@]}" --log-uri "file://$T/log" --pid-file "$T/pid" \
		"${options[@]}" "$IMAGE" "$NAME" "${command[@]}"
	pid=$(cat "$T/pid")
}

options_and_command() {
	options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	command=("$@")
}

# ctr_exec OPTION... -- COMMAND...
ctr_exec() {
	options_and_command "$@"
	engine task exec --exec-id "e$RANDOM" "${options[@]}" "$NAME" "${command[@]}"
}

task_is() {
	ctr task ls | awk -v name="$NAME" '$1 == name { print $3 }' | grep -qx "$1"
}
