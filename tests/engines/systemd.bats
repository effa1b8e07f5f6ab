# Engines on a host with systemd, which makes the cgroups.
load helpers

# cgroup_of PID: its path.
cgroup_of() {
	sed -n 's/^0:://p' "/proc/$1/cgroup"
}

# bats test_tags=systemd-podman,systemd-docker
@test "a container is a scope of systemd, which ends with it" {
	idle
	local scope
	scope=$(cgroup_of "$(inspected '{{.State.Pid}}')" | grep -o '[^/]*\.scope')
	assert_match "$(inspected '{{.Id}}')" "$scope"
	assert_equal active "$(scopes_systemctl is-active "$scope")"
	engine_ok exec "$NAME" true
	engine_ok rm -f "$NAME"
	wait_for 5 ended "$scope"
}

ended() {
	[ "$(scopes_systemctl is-active "$1")" = inactive ]
}

# scopes_systemctl ARG...: systemctl of the systemd that makes the scopes.
scopes_systemctl() {
	if [ -n "${ROOTLESS:-}" ]; then
		as_user systemctl --user "$@"
	else
		systemctl "$@"
	fi
}

# quadlet LINE...: make a unit of Podman's generator for a container, and start it.
quadlet() {
	mkdir -p /etc/containers/systemd
	printf '%s\n' '[Container]' "Image=$IMAGE" "ContainerName=$NAME" "$@" >"/etc/containers/systemd/$NAME.container"
	systemctl daemon-reload
	systemctl start "$NAME.service" || failed "$(systemctl status "$NAME.service")"
}

# end_quadlet: stop the unit, and remove it.
end_quadlet() {
	systemctl stop "$NAME.service"
	rm "/etc/containers/systemd/$NAME.container"
	systemctl daemon-reload
	systemctl reset-failed "$NAME.service" 2>/dev/null || true
}

# bats test_tags=systemd-podman
@test "a quadlet runs a container in the cgroup of its service" {
	quadlet 'Exec=sh -c "trap exit TERM; while :; do sleep 0.1; done"'
	assert_match "^/system.slice/$NAME.service/" "$(cgroup_of "$(inspected '{{.State.Pid}}')")"
	engine_ok exec "$NAME" echo inside
	assert_equal inside "$out"
	systemctl restart "$NAME.service"
	assert_equal active "$(systemctl is-active "$NAME.service")"
	end_quadlet
	run -1 podman container exists "$NAME"
}

# bats test_tags=systemd-podman
@test "systemd restarts the container of a quadlet that is killed" {
	quadlet 'PodmanArgs=--stop-signal KILL' 'Exec=sleep 1000' '[Service]' 'Restart=always' 'RestartSec=0'
	local first
	first=$(inspected '{{.State.Pid}}')
	kill -KILL "$first"
	wait_for 20 runs_again "$first"
	end_quadlet
}

# runs_again PID: the container has another init.
runs_again() {
	local pid
	pid=$(inspected '{{.State.Pid}}' 2>/dev/null) && [[ $pid != 0 && $pid != "$1" ]]
}

# bats test_tags=systemd-podman
@test "the service of a quadlet is active when its container says so" {
	quadlet 'PodmanArgs=--stop-signal KILL' 'Notify=true' "Volume=$PROBE:/probe:ro" 'Exec=sh -c "echo begun >/tmp/x; /probe notify READY=1 STATUS=works; sleep 1000"'
	assert_equal works "$(systemctl show --property StatusText --value "$NAME.service")"
	engine_ok exec "$NAME" cat /tmp/x
	end_quadlet
}

# bats test_tags=systemd-podman
@test "systemd runs the health check of a container" {
	idle --health-cmd 'test -e /tmp/healthy' --health-interval 1s --health-retries 1
	engine_ok exec "$NAME" touch /tmp/healthy
	wait_for 20 inspect_is '{{.State.Health.Status}}' healthy
	engine_ok exec "$NAME" rm /tmp/healthy
	wait_for 20 inspect_is '{{.State.Health.Status}}' unhealthy
}
