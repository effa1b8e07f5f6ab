# Volumes, and how they are mounted.
# bats file_tags=kubernetes
load helpers

# mounted MOUNT VOLUME: start a pod of a container with this volume, named "volume".
mounted() {
	pod <<-END
		containers: [{name: main, image: $IMAGE, command: $IDLE, volumeMounts: [{name: volume, $1}]}]
		volumes: [{name: volume, $2}]
	END
	ready "pod/$NAME"
}

@test "a projected volume has a token, a ConfigMap, a Secret and fields of the pod" {
	engine_ok create configmap "$NAME" --from-literal key=configured
	engine_ok create secret generic "$NAME" --from-literal key=secret
	pod <<-END
		containers: [{name: main, image: $IMAGE, command: $IDLE, volumeMounts: [{name: files, mountPath: /files, readOnly: true}]}]
		volumes:
		- name: files
		  projected:
		    defaultMode: 0440
		    sources:
		    - {serviceAccountToken: {path: token}}
		    - {configMap: {name: $NAME, items: [{key: key, path: config}]}}
		    - {secret: {name: $NAME, items: [{key: key, path: dir/secret}]}}
		    - {downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}}
	END
	ready "pod/$NAME"
	in_pod 'cd /files; cut -c 1-2 token; cat config; echo; cat dir/secret; echo; cat name; echo; stat -L -c %a config; touch file 2>&1 | sed "s/.*: //"'
	assert_equal "ey
configured
secret
$NAME
440
Read-only file system" "$out"
}

@test "the container sees a changed ConfigMap" {
	engine_ok create configmap "$NAME" --from-literal key=one
	mounted 'mountPath: /files' "configMap: {name: $NAME}"
	in_pod 'cat /files/key'
	assert_equal one "$out"
	engine_ok patch configmap "$NAME" --patch '{"data": {"key": "two"}}'
	# The kubelet looks at once for a pod that has changed.
	engine_ok annotate pod "$NAME" changed=true
	wait_for 90 reads /files/key two
}

reads() {
	in_pod "cat $1"
	[ "$out" = "$2" ]
}

@test "subPath and subPathExpr mount a part of a volume" {
	mkdir -p "$T/shared/dir" "$T/shared/$NAME"
	echo file >"$T/shared/file"
	echo named >"$T/shared/$NAME/file"
	pod <<-END
		containers:
		- name: main
		  image: $IMAGE
		  command: $IDLE
		  env: [{name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
		  volumeMounts:
		  - {name: shared, mountPath: /srv/file, subPath: file}
		  - {name: shared, mountPath: /dir, subPath: dir}
		  - {name: shared, mountPath: /named, subPathExpr: \$(POD), readOnly: true}
		volumes: [{name: shared, hostPath: {path: $T/shared}}]
	END
	ready "pod/$NAME"
	in_pod 'cat /srv/file /named/file; touch /dir/made; touch /named/made 2>&1 | sed "s/.*: //"'
	assert_equal $'file\nnamed\nRead-only file system' "$out"
	[ -e "$T/shared/dir/made" ]
}

@test "mountPropagation HostToContainer and Bidirectional pass on mounts" {
	mkdir -p "$T/shared/node" "$T/shared/pod"
	local end
	for end in None HostToContainer Bidirectional; do
		pod "$NAME-${end,,}" <<-END
			containers:
			- name: main
			  image: $IMAGE
			  command: $IDLE
			  securityContext: {privileged: true}
			  volumeMounts: [{name: shared, mountPath: /shared, mountPropagation: $end}]
			volumes: [{name: shared, hostPath: {path: $T/shared}}]
		END
		ready "pod/$NAME-${end,,}"
	done
	mount -t tmpfs tmpfs "$T/shared/node"
	sees none node 0
	sees hosttocontainer node 1
	sees bidirectional node 1
	umount "$T/shared/node"
	engine_ok exec "$NAME-bidirectional" -- mount -t tmpfs tmpfs /shared/pod
	assert_equal 1 "$(grep -c " $T/shared/pod " /proc/self/mountinfo)"
	sees hosttocontainer pod 1
	sees none pod 0
	engine_ok exec "$NAME-bidirectional" -- umount /shared/pod
}

# sees POD DIR COUNT: the number of mounts that the pod has there.
sees() {
	engine_ok exec "$NAME-$1" -- sh -c "grep -c ' /shared/$2 ' /proc/self/mountinfo || true"
	assert_equal "$1 $3" "$1 $out"
}

@test "recursiveReadOnly makes mounts below the volume read-only" {
	mkdir -p "$T/shared/below"
	mount -t tmpfs tmpfs "$T/shared/below"
	mounted 'mountPath: /shared, readOnly: true, recursiveReadOnly: Enabled' "hostPath: {path: $T/shared}"
	engine exec "$NAME" -- touch /shared/below/file
	assert_match 'Read-only file system' "$err"
	umount "$T/shared/below"
}

@test "readOnly alone leaves mounts below the volume writable" {
	mkdir -p "$T/shared/below"
	mount -t tmpfs tmpfs "$T/shared/below"
	mounted 'mountPath: /shared, readOnly: true' "hostPath: {path: $T/shared}"
	in_pod 'touch /shared/below/file; touch /shared/file 2>&1 | sed "s/.*: //"'
	assert_equal 'Read-only file system' "$out"
	umount "$T/shared/below"
}

@test "an image is a volume" {
	mounted 'mountPath: /image' "image: {reference: $IMAGE, pullPolicy: Never}"
	in_pod 'cat /image/srv/volume/file; touch /image/file 2>&1 | sed "s/.*: //"'
	assert_equal $'from the image\nRead-only file system' "$out"
}

@test "a directory of an image is a volume" {
	[[ $(containerd --version) != *\ 2.1.* ]] || skip "containerd 2.1 ignores subPath, and mounts all of the image"
	mounted 'mountPath: /image, subPath: srv/volume' "image: {reference: $IMAGE, pullPolicy: Never}"
	in_pod 'cat /image/file'
	assert_equal 'from the image' "$out"
}

@test "an emptyDir in memory is a tmpfs of its size" {
	mounted 'mountPath: /memory' 'emptyDir: {medium: Memory, sizeLimit: 1Mi}'
	in_pod 'stat -f -c %T /memory; head -c 2000000 /dev/zero >/memory/file; stat -c %s /memory/file'
	assert_equal $'tmpfs\n1048576' "$out"
	assert_match 'I/O error|No space left' "$err"
}

@test "a hostPath may be a file, a device or a socket" {
	echo text >"$T/file"
	pod <<-END
		containers:
		- name: main
		  image: $IMAGE
		  command: $IDLE
		  volumeMounts:
		  - {name: file, mountPath: /tmp/file}
		  - {name: socket, mountPath: /tmp/socket}
		volumes:
		- {name: file, hostPath: {path: $T/file, type: File}}
		- {name: socket, hostPath: {path: /run/containerd/containerd.sock, type: Socket}}
	END
	ready "pod/$NAME"
	in_pod 'cat /tmp/file; test -S /tmp/socket'
	assert_equal text "$out"
}
