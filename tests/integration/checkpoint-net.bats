# Network devices and connections of checkpoints.
# bats file_tags=berth
load helpers

prepare() {
	new_bundle
	counter
}

# network: make a network namespace, which the container joins; "inside" runs a command in
# it.
network() {
	holder --net
	config '.linux.namespaces |= map(if .type == "network" then .path = $path else . end)' --arg path "/proc/$holder/ns/net"
	inside ip link set lo up
}

inside() {
	nsenter --net="/proc/$holder/ns/net" "$@"
}

# bats test_tags=criu
@test "devices of linux.netDevices are moved into the restored network namespace" {
	holder --net
	# Teardown ends the holder before it deletes the container.
	printf '#!/bin/sh\nkill -0 %s 2>/dev/null || exec %s "$@"\nexec nsenter --net=/proc/%s/ns/net %s "$@"\n' \
		"$holder" "$RUNTIME" "$holder" "$RUNTIME" >"$T/runtime"
	chmod +x "$T/runtime"
	RUNTIME=$T/runtime
	inside ip link set lo up # CRIU binds a socket to its address
	config '.linux.netDevices = {d0: {name: "data"}}'
	device
	run_piped c
	save c
	# The kernel has removed it with the network namespace.
	refute_match d0 "$(inside ip link)"
	runtime restore --detach --bundle "$BUNDLE" --image-path "$T/image" c
	refused 'linux\.netDevices\.d0: find device: no such device .*'
	gone c
	device
	restore_piped c
	assert_match '[<,]UP[,>]' "$(nsenter --net="/proc/$(init_pid c)/ns/net" ip -o link show data)"
	assert_match '192\.0\.2\.5/24' "$(nsenter --net="/proc/$(init_pid c)/ns/net" ip -o address show data)"
	refute_match d0 "$(inside ip link)"
	wait_for 10 counts c "$(count c)"
}

device() {
	inside ip link add d0 type ifb
	inside ip address add 192.0.2.5/24 dev d0
}

# bats test_tags=guest
@test "an established TCP connection is restored, or closed" {
	network
	script 'nc -l -p 1234 -e cat & wait'
	run_piped c
	connect
	assert_equal first "$(answer first)"
	runtime checkpoint --image-path "$T/image" --work-path "$T/work" c
	assert_equal 1 "$status"
	assert_match 'criu failed: type DUMP .*--tcp-established' "$msg"
	assert_equal second "$(answer second)"
	save c --tcp-established
	gone c
	restore_piped c --tcp-established
	assert_equal third "$(answer third)"
	rm -r "$T/image"
	save c --tcp-established
	restore_piped c --tcp-close
	assert_equal closed "$(answer fourth)"
}

# connect: open a connection to port 1234 in the network namespace.
connect() {
	wait_for 20 listens
	mkfifo "$T/questions" "$T/answers"
	exec {questions}<>"$T/questions" {answers}<>"$T/answers"
	# shellcheck disable=SC2016 # for the inner shell
	background nsenter --net="/proc/$holder/ns/net" bash -c 'exec 5<>/dev/tcp/127.0.0.1/1234
		while read -r -u "$0" line; do
			echo "$line" >&5
			read -r -t 60 line <&5 || line=closed
			echo "$line" >&"$1"
		done' "$questions" "$answers"
}

listens() {
	inside ss -Hltn 'sport = 1234' | grep -q .
}

# answer TEXT: what the container answers, or "closed".
answer() {
	local line
	echo "$1" >&"$questions"
	read -r -t 100 -u "$answers" line
	echo "$line"
}

# bats test_tags=guest
@test "a pre-dump saves memory that the dump does not save again" {
	# The shell alone may change all of its memory between the two.
	config '.process.args[-1] |= "kept=$(head -c 500000 /dev/zero | tr \"\\0\" x); " + .'
	run_piped c
	wait_for 20 counts c
	runtime_ok checkpoint --pre-dump --image-path "$T/before" --work-path "$T/work" c
	[ -n "$(ls "$T"/before/pages-*.img)" ]
	wait_for 20 counts c "$(count c)"
	save c --parent-path ../before
	gone c
	[ -e "$T/image/parent" ]
	[ "$(size "$T/image")" -lt $(($(size "$T/before") - 400000)) ]
	restore_piped c
	wait_for 20 counts c "$(tail -n 1 "$T/output")"
	no_gap
}

# size DIR: the bytes of the memory in an image.
size() {
	cat "$1"/pages-*.img | wc -c
}

# bats test_tags=criu
@test "a page server gets the memory" {
	mkdir "$T/image"
	run_piped c
	wait_for 10 counts c
	background criu page-server --images-dir "$T/image" --port 1027 --address 127.0.0.1
	wait_for 10 serves 1027
	save c --page-server 127.0.0.1:1027
	gone c
	[ "$(size "$T/image")" -gt 10000 ]
	restore_piped c
	wait_for 10 counts c "$(tail -n 1 "$T/output")"
	no_gap
	runtime checkpoint --page-server 127.0.0.1:1028 --image-path "$T/other" --work-path "$T/work" c
	refused 'criu failed: type DUMP .*' # CRIU logs no error of connect(2)
	assert_equal running "$(status_of c)"
}

# With Linux 6.18 the dump fails, with runc as well: "page-pipe: splice: -1: Bad file
# descriptor".
# bats test_tags=guest
@test "lazy pages come to a restored container from the one that was saved" {
	local ready saver
	mkdir "$T/lazy"
	mkfifo "$T/ready"
	run_piped c
	wait_for 20 counts c
	exec {ready}<>"$T/ready"
	background bash -c 'exec "$@" 9>"$0"' "$T/ready" "$RUNTIME" --root "$ROOT" checkpoint --lazy-pages --page-server 127.0.0.1:1029 \
		--status-fd 9 --image-path "$T/image" --work-path "$T/work" c
	saver=$background_pid
	read -r -t 60 -d '' -u "$ready"
	background criu lazy-pages --page-server --address 127.0.0.1 --port 1029 --images-dir "$T/image" --work-dir "$T/lazy"
	wait_for 20 test -e "$T/lazy/lazy-pages.socket"
	config --arg path "$CGROUP-d" '.linux.cgroupsPath = $path'
	restore_piped d --lazy-pages --work-path "$T/lazy"
	wait "$saver"
	gone c
	wait_for 20 counts d "$(count d)"
}

# CRIU kills init then and waits for its end, and init waits for a child that CRIU traces.
# bats test_tags=criu
@test "restore ends when the server of lazy pages is killed" {
	script 'sleep 1000 & exec tail -f /dev/null'
	piped run --bundle "$BUNDLE" --detach c
	wait_for 10 has_child c
	save c
	mkdir "$T/lazy"
	background strace -D -o /dev/null -e inject=recvmsg:signal=KILL:when=2 criu lazy-pages --images-dir "$T/image" --work-dir "$T/lazy"
	wait_for 10 test -e "$T/lazy/lazy-pages.socket"
	runtime restore -d --lazy-pages --bundle "$BUNDLE" --image-path "$T/image" --work-path "$T/lazy" c
	refused 'criu failed: type RESTORE errno 0: .*uffd: .*'
	gone c
	restore_piped c
}

has_child() {
	pgrep -P "$(init_pid "$1")" >/dev/null
}

serves() {
	ss -Hltn "sport = $1" | grep -q .
}
