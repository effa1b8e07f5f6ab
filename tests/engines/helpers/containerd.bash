# containerd, with its client ctr, configured with the lines of docs/engines.md.

start_containerd() {
	configure /etc/containerd/config.toml || return
	containerd >/var/log/containerd 2>&1 3>&- 4>&- &
	wait_for 20 ctr version >/dev/null 2>&1 || return
	oci_archive "$BATS_RUN_TMPDIR/rootfs.tar" "$BATS_RUN_TMPDIR/oci.tar" "$IMAGE" '{}' || return
	ctr images import "$BATS_RUN_TMPDIR/oci.tar" >/dev/null
}

first_container_containerd() {
	ctr run --rm --runc-binary /usr/local/sbin/berth "$IMAGE" first true
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
	echo /run/containerd/runc/default
}

# oci_archive LAYER ARCHIVE NAME CONFIG: make an image of one layer, as the image
# specification defines it, with a jq expression for its configuration.
oci_archive() {
	local dir config manifest layer
	dir=$(mktemp -d)
	mkdir -p "$dir/blobs/sha256"
	layer=$(blob "$dir" <"$1")
	config=$(jq -n --arg layer "${layer%% *}" --arg arch "$(architecture)" '{
		architecture: $arch, os: "linux", config: ({Env: ["PATH=/bin"]} + '"$4"'),
		rootfs: {type: "layers", diff_ids: [$layer]}}' | blob "$dir")
	manifest=$(jq -n --arg config "$config" --arg layer "$layer" '
		def blob($type): split(" ") | {digest: .[0], size: (.[1] | tonumber), mediaType: "application/vnd.oci.image.\($type)"};
		{schemaVersion: 2, config: ($config | blob("config.v1+json")), layers: [$layer | blob("layer.v1.tar")]}' | blob "$dir")
	echo '{"imageLayoutVersion": "1.0.0"}' >"$dir/oci-layout"
	jq -n --arg manifest "$manifest" --arg name "$3" '
		($manifest | split(" ")) as [$digest, $size] | {schemaVersion: 2, manifests: [{
		mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $digest, size: ($size | tonumber),
		annotations: {"org.opencontainers.image.ref.name": $name}}]}' >"$dir/index.json"
	tar -C "$dir" -cf "$2" . && rm -r "$dir"
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
