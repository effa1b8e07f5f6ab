# Namespaces that containers share with each other or the node, and RuntimeClasses.
# bats file_tags=kubernetes
load helpers

# shares FIELD: start a pod with this field.
shares() {
	pod <<-END
		$1
		containers: [{name: main, image: $IMAGE, command: $IDLE}]
	END
	ready "pod/$NAME"
}

# owner_of NAMESPACE: print whether it is the node's or the pod's.
owner_of() {
	[ "$(readlink "/proc/$(container_pid)/ns/$1")" = "$(readlink "/proc/self/ns/$1")" ] && echo node || echo pod
}

@test "a pod has namespaces of its own" {
	shares ''
	local name
	for name in pid net ipc uts mnt; do
		assert_equal "$name pod" "$name $(owner_of "$name")"
	done
}

@test "hostPID, hostNetwork and hostIPC are the node's namespaces" {
	shares $'hostPID: true\nhostNetwork: true\nhostIPC: true'
	local name
	for name in pid net ipc uts; do
		assert_equal "$name node" "$name $(owner_of "$name")"
	done
	in_pod 'ps -o args | grep -c "[k]ube-apiserver"'
	assert_equal 1 "$out"
	assert_equal "$NODE_IP" "$(field .status.podIP)"
}

@test "containers of a pod share network and IPC, not processes" {
	pod <<-END
		containers:
		- {name: main, image: $IMAGE, command: $IDLE}
		- {name: other, image: $IMAGE, command: $IDLE}
	END
	ready "pod/$NAME"
	local main other name
	main=$(container_pid main)
	other=$(container_pid other)
	for name in net ipc uts; do
		assert_equal "$(readlink "/proc/$main/ns/$name")" "$(readlink "/proc/$other/ns/$name")"
	done
	for name in pid mnt; do
		[ "$(readlink "/proc/$main/ns/$name")" != "$(readlink "/proc/$other/ns/$name")" ] || failed "$name is shared"
	done
}

@test "shareProcessNamespace shows the other container's processes, and allows signals" {
	pod <<-END
		shareProcessNamespace: true
		containers:
		- {name: main, image: $IMAGE, command: [sh, -c, "trap 'echo got SIGHUP' HUP; echo ready; while :; do sleep 0.1; done"]}
		- {name: other, image: $IMAGE, command: $IDLE}
	END
	ready "pod/$NAME"
	wait_for 10 logged ready -c main
	in_pod 'kill -HUP $(ps -o pid,args | awk "/[g]ot SIGHUP/ { print \$1; exit }")' -c other
	wait_for 10 logged 'got SIGHUP' -c main
}

@test "a RuntimeClass selects berth or runc for a pod" {
	local handler
	for handler in berth runc; do
		create <<-END
			{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: $handler}, handler: $handler}
		END
		pod "$NAME-$handler" <<-END
			runtimeClassName: $handler
			containers: [{name: main, image: $IMAGE, command: $IDLE}]
		END
	done
	ready "pod/$NAME-berth"
	ready "pod/$NAME-runc"
	assert_match /usr/local/sbin/ "$(runtime_of "$NAME-berth")"
	refute_match /usr/local/sbin/ "$(runtime_of "$NAME-runc")"
	engine_ok exec "$NAME-runc" -- true
	engine_ok exec "$NAME-berth" -- true
}

# runtime_of POD: the shim of its container, and its options, which are bytes of protobuf.
runtime_of() {
	NAME=$1
	readlink "/proc/$(shim_pid)/exe"
	ctr -n k8s.io containers info "$(container_id)" | jq -r '.Runtime.Options.value // "" | @base64d'
}

@test "a RuntimeClass of an unknown handler starts no pod" {
	create <<-END
		{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: unknown}, handler: unknown}
	END
	pod <<-END
		runtimeClassName: unknown
		containers: [{name: main, image: $IMAGE, command: $IDLE}]
	END
	wait_for 20 refused_by_node
}

refused_by_node() {
	kubectl get events --field-selector "involvedObject.name=$NAME" -o jsonpath='{.items[*].message}' | grep -q 'no runtime for "unknown" is configured'
}
