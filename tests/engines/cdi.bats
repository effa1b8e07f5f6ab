# Devices that a file of the Container Device Interface describes, as those of GPUs:
# device nodes, environment, mounts and hooks.
# bats file_tags=new-docker,new-podman
load helpers

# device: describe the test's device, berth.test/device=one.
device() {
	needs_root "no device nodes with another name than on the host"
	mkdir -p /etc/cdi "$T/lib"
	echo 'a library' >"$T/lib/file"
	# Like the hooks of GPUs, it makes a link in the container's root.
	cat >"$T/hook" <<-'END'
		#!/bin/sh
		set -eu
		state=$(cat)
		root=$(echo "$state" | jq -r .bundle)
		root=$(jq -r .root.path "$root/config.json")
		ln -s lib.so.1 "$root/lib.so"
		echo "$state" >"$1"
	END
	chmod +x "$T/hook"
	cat >/etc/cdi/berth.json <<-END
		{"cdiVersion": "0.5.0", "kind": "berth.test/device", "devices": [{"name": "one", "containerEdits": {
			"deviceNodes": [{"path": "/dev/other", "hostPath": "/dev/fuse", "permissions": "r"}],
			"env": ["DEVICE=one"],
			"mounts": [{"hostPath": "$T/lib", "containerPath": "/usr/lib/one", "options": ["ro", "nosuid", "nodev", "rbind", "rprivate"]}],
			"hooks": [{"hookName": "createContainer", "path": "$T/hook", "args": ["hook", "$T/state"]}]}}]}
	END
}

@test "a device of a CDI file has its nodes, environment, mounts and hooks" {
	device
	once --device berth.test/device=one "$IMAGE" sh -c '
		echo $DEVICE; stat -c "%t:%T" /dev/other; (: </dev/other) && echo read; (: >/dev/other) 2>&1 | sed "s/.*: //"
		cat /usr/lib/one/file; touch /usr/lib/one/other 2>&1 | sed "s/.*: //"; readlink /lib.so'
	assert_equal $'one\na:e5\nread\nOperation not permitted\na library\nRead-only file system\nlib.so.1' "$out"
	assert_equal created "$(jq -r .status "$T/state" | sed 's/creating/created/')"
}

@test "a container does not start when the hook of a CDI file fails" {
	device
	printf '#!/bin/sh\necho why >&2\nexit 1\n' >"$T/hook"
	engine run --rm --name "$NAME" --device berth.test/device=one "$IMAGE" true
	[ "$status" != 0 ]
	assert_match why "$err"
}
