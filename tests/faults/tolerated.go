package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// toleration says that a command may succeed although some calls fail.
type toleration struct {
	// call matches the command of the task and the text of the call.
	call   *regexp.Regexp
	errnos []string // every errno if empty
	reason string
	// warning must be in the output then; none is necessary if empty.
	warning string
}

// tolerate returns a toleration of the runtime or of its forks.
func tolerate(reason, call string, errnos ...string) toleration {
	return toleration{call: regexp.MustCompile("^" + call), errnos: errnos, reason: reason}
}

// tolerateWarned returns a toleration of what berth warns of.
func tolerateWarned(reason, warning, call string) toleration {
	return toleration{call: regexp.MustCompile("^" + call), reason: reason, warning: warning}
}

// tolerations are those of the runtime and of its forks, and those of the stub that are
// not in stubTolerations. An error of the part "errors" that ends in success is in one of
// the two lists, or it is a finding.
var tolerations = []toleration{
	tolerate("berth and Go's packages repeat an interrupted call", `\S+ runtime `, "EINTR"),
	tolerate("the stub repeats it", `\S+ stub read\(socket:`, "EINTR"),
	tolerate("the stub's driver queues it again: a rename or mount meanwhile (openat2(2))", `\S+ stub openat2\(`, "EAGAIN"),
	tolerate("devices that cannot be made are bind-mounted", `\S+ stub mknodat\(DIR/bundle/rootfs/dev/`, "EPERM"),
	tolerate("the program's user need not reach a directory that root has entered", `\S+ stub chdir\(`),
	tolerate("the descriptor is closed all the same; the file was read, or its writes have reported their errors",
		`\S+ runtime close\((/|socket:|pipe:|anon_inode:|none|DIR/(bundle|std(out|err)|state/ID( \(deleted\)|/[a-z]|\))))`),
	tolerate("the removal of a cgroup is repeated, and its processes are read only to explain why it fails",
		`(delete|run) runtime (unlinkat|statx|newfstatat|openat|read|statfs)\(/sys/fs/cgroup/`),
	tolerate("the cgroup of a program that ends is looked at to report that it was OOM-killed, only", `(create|start|exec) runtime statfs\(/sys/fs/cgroup/`),
	tolerate("a list of addresses that changes during the read is read again", `(create|run) runtime (sendto|recvfrom)\(socket:`, "EAGAIN"),
	tolerate("the results of a batch are in the region: the next batch notices that the stub has ended", `\S+ stub sendto\(socket:`),
	tolerate("a warning may be lost; only Go's poller gets EAGAIN from a full pipe, and waits", `(create|run) runtime write\(DIR/stderr\)`),
	tolerate("a pipe to a hook is polled again", `\S+ runtime write\(pipe:`, "EAGAIN"),
	tolerate("exec.LookPath looks into the next directory of PATH", `\S+ runtime (newfstatat|faccessat2?)\(/.*/new[ug]idmap\)`),
	tolerate("os.RemoveAll removes the file then", `(delete|run) runtime unlinkat\(DIR/state/ID/`),
	tolerate("without the configuration delete --force runs no poststop hooks, and warns", `delete runtime (openat\(DIR/state/ID, |(openat|read|fstat)\(DIR/state/ID/config\.json)`),
	tolerate("the end of the descriptor unlocks, too", `\S+ runtime flock\(.*, 0x8\)`),
	tolerate("another command has the lock: it is tried again", `\S+ runtime flock\(.*, 0x6\)`, "EAGAIN"),
	tolerate("a standard file that the runtime may not chown stays usable", `\S+ runtime fchown\((pipe|DIR/std)`, "EPERM"),
	tolerate("an unprivileged runtime takes its own limits for the stub's", `(create|start|run|exec) runtime prlimit64\(`, "EPERM"),
	tolerate("a release that cannot be read counts as new", `\S+ runtime uname\(`),
	tolerate("close_range may be denied by the filter of a sandbox", `\S+ runtime close_range\(`, "EPERM"),
	tolerate("io.Copy reads and writes then", `\S+ runtime (copy_file_range|splice|sendfile|pipe2)\(`),
	tolerate("a standard file of an unknown type is passed on through a pipe", `\S+ runtime fstat\((/dev/null|DIR/std)`),
	tolerate("controllers that no limit needs are enabled if possible",
		`(create|run) runtime (faccessat|openat|read)\(/sys/fs/cgroup.*(subtree_control|cgroup\.controllers)`),
	tolerate("an unprivileged user may read the state of a container, but not its cgroup",
		`\S+ runtime (openat|read|statfs)\(/sys/fs/cgroup/`, "EPERM"),
	tolerate("a container without limits has no cgroup where its user may not make that", `(create|run) runtime mkdirat\(/sys/fs/cgroup/`, "EPERM"),
	tolerate("the old value of a limit is read to restore it after the error of another",
		`(create|run) runtime (openat\(/sys/fs/cgroup/.*\.(max|limit_in_bytes), 0xa0000|read\(/sys/fs/cgroup/.*\.(max|limit_in_bytes))\)`),
	tolerate("without a procfs, the rules of the initial user namespace apply", `\S+ runtime newfstatat\(/proc/self/ns/user\)`),
	tolerate("what berth does for a /proc/kcore does no harm without one", `(create|run) runtime newfstatat\(/proc/kcore\)`),
	tolerate("os.MkdirAll makes the directory then", `(create|run) runtime newfstatat\(DIR/state\)`),
	tolerate("Go's package os looks whether pidfds work, and does without", `\S+ runtime (waitid\(0x3\)|pidfd_send_signal\(0x0\))`),
	tolerate("the same with a process of its own, before the first newuidmap", `(create|run) runtime (clone|pidfd_open)\(`),
	tolerate("poststart and poststop hooks that fail only warn", `(start|delete|run) (runtime (clone|pipe2|ppoll|write\(pipe|newfstatat\(DIR/bundle\))|fork )`),
	tolerateWarned("systemd stops the unit of a container that has ended when it notices the end, too", "systemd may still list the unit",
		`(delete|run) runtime (socket|setsockopt|connect|read|write|sendmsg)\(`),
	tolerateWarned("after the next SIGCHLD run looks again; when it has ended, orphans have another parent", "look for orphans",
		`run runtime waitid\(0x0\)`),
	tolerate("package net does without the names of a socket", `\S+ runtime get(sock|peer)name\(socket:`),
	tolerate("a full queue of a server that accepts connections is tried again", `\S+ runtime (socket\(0x1,|connect\(socket:)`, "EAGAIN"),
	tolerate("a stub that has done its work ends", `(create|run) stub read\(socket:`),
	tolerate("a hook runs in / if the bundle is not reachable", `\S+ runtime newfstatat\(DIR/bundle\)`, "EPERM"),
	tolerate("where a private procfs cannot be mounted, the stub uses that of the host", `\S+ stub fsopen\(proc\)`, "EPERM"),
	tolerate("package sys repeats it", `\S+ runtime bpf\(`, "EAGAIN"),
	tolerate("newuidmap and newgidmap write a map that the runtime may not write", `(create|run) runtime openat\(/proc/PID/[ug]id_map`, "EPERM"),
	tolerate("the source of a bind mount is looked at only to make a missing mount point", `(create|run) stub statx\((/sys|DIR/out)\)`),
	tolerate("programs of others on a cgroup may be invisible", `\S+ runtime bpf\(0xd\)`, "EPERM"),
	tolerate("systemd takes the numbers of drivers, too", `(create|run|update) runtime (openat|read)\(/proc/devices`, "EPERM"),
	tolerate("after clone3(2) has denied a user the cgroup of the container, systemd moves the stub, whatever the second attempt returns",
		`exec runtime \w+\((/proc/self/fd/N|DIR/state/ID(/#N \(deleted\))?)[,)]`),
	tolerate("the stub's image is executed from the state directory if the kernel denies that of the memfd",
		`\S+ (fork |runtime (\w+\(/memfd:berth-stub|memfd_create\(|clone3?\())`, "EPERM"),
}

// covers reports whether a failure of a call may be tolerated.
func (t *toleration) covers(text, errno string) bool {
	return t.call.MatchString(text) && (len(t.errnos) == 0 || slices.Contains(t.errnos, errno))
}

// stubTolerations reads the list of the stub's calls that may fail, which internal/arch
// compares with the sources. A line has a call of package stub, and errnos or "checked":
// what the sources then check is not in the list.
func stubTolerations(path string) (list []toleration, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		m := stubLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("%s: no call in %q", path, line)
		}
		if m[3] == "checked" {
			continue
		}
		name := strings.ToLower(m[1])
		switch {
		case m[1] == "queue":
			name = m[2]
		case stubMethods[m[1]] != "":
			name = stubMethods[m[1]]
		}
		call, err := regexp.Compile(`^\S+ stub (` + name + `)\(`)
		if err != nil {
			return nil, err
		}
		list = append(list, toleration{call: call, errnos: strings.Fields(m[3]), reason: line})
	}
	return list, nil
}

// stubLine matches a line of that list: the method, a call that it names, the errnos.
var stubLine = regexp.MustCompile(`^\S+ \w+: (?:\S*?(\w+)(?:\((?:"(\w+)")?.*)?): (checked|E[A-Z0-9]+(?: E[A-Z0-9]+)*) \(`)

// stubMethods are the calls of the methods with other names than theirs.
var stubMethods = map[string]string{
	"JoinSessionKeyring": "keyctl",
	"call":               "flistxattr|fgetxattr",
	"open":               "openat2",
}

// untolerated returns a finding if a command has succeeded although nothing says that
// its failed call may be tolerated.
func (w *worker) untolerated(t *trial, res result) []string {
	f, ok := t.fault.(*failing)
	if !ok {
		return nil
	}
	text, errno := w.task.command+" "+t.call.text(), unix.ErrnoName(f.errno)
	covered := func(x toleration) bool { return x.covers(text, errno) && strings.Contains(res.stderr, x.warning) }
	if slices.ContainsFunc(tolerations, covered) || slices.ContainsFunc(w.ofStub, covered) {
		return nil
	}
	return []string{"success, and neither tolerated.go nor internal/arch/testdata/tolerated.txt has a reason"}
}
