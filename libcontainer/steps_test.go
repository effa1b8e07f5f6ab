package libcontainer

import (
	"context"
	"encoding/binary"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/namespaces"
	"github.com/berth-oci/berth/libcontainer/stub"
	"github.com/berth-oci/berth/seccomp"
	"github.com/berth-oci/berth/specconv"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGroundNeverGrows looks at each walk down the table by itself.
func TestGroundNeverGrows(t *testing.T) {
	for _, verb := range []verbs{inCreate | inStart, inExec, inCreateHook, inStartHook, inAddMounts, inRemoveMounts} {
		var before *step
		for i := range steps {
			s := &steps[i]
			if s.in&verb == 0 {
				continue
			}
			if before != nil && s.ground < before.ground {
				t.Errorf("%q has %s behind %q with %s", s.name, s.ground, before.name, before.ground)
			}
			before = s
		}
		if before.ground != gone && verb&inMounts == 0 {
			t.Errorf("the last step, %q, ends on %s", before.name, before.ground)
		}
	}
}

func TestStepsAreNamedOnceAndExplained(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range steps {
		if s.name == "" || seen[s.name] {
			t.Errorf("name %q is empty or taken", s.name)
		}
		seen[s.name] = true
		if s.why == "" || s.do == nil || s.in == 0 {
			t.Errorf("%q lacks a reason, a function or a verb", s.name)
		}
		if s.undo != nil && s.side != host {
			t.Errorf("%q is undone, but the stub's steps end with the stub", s.name)
		}
	}
}

// TestOrder keeps the pairs whose order matters.
func TestOrder(t *testing.T) {
	pairs := []struct{ first, second, why string }{
		{"reserve state", "make cgroup", "what a killed create leaves must be found by delete"},
		{"enter cgroup", "unshare cgroup namespace", "its root is the cgroup of its maker"},
		{"await limits", "unshare cgroup namespace", "systemd's unit is made beside"},
		{"unshare cgroup namespace", "mount file systems", "a cgroup mount shows what is below the namespace's root"},
		{"start stub", "start unit", "a scope is made around a process"},
		{"await unit", "become its root", "systemd moves for a user what has that user's id"},
		{"await unit", "fork into namespaces", "systemd knows the process before the fork"},
		{"await limits", "set memory policy", "systemd's unit has its cpuset by then"},
		{"enter cgroup", "spread over CPUs", "its cpuset says which there are"},
		{"fork into namespaces", "schedule in real time", "a process with a deadline cannot fork"},
		{"await limits", "schedule in real time", "on v1 the cgroup's real-time runtime is one of them"},
		{"spread over CPUs", "schedule in real time", "the CPUs of one with a deadline cannot be changed"},
		{"enter cgroup", "set memory policy", "its cpuset says which nodes there are"},
		{"set I/O priority", "enter user namespace", "CAP_SYS_NICE in the first user namespace"},
		{"schedule", "save state", "the container is created when all is done"},
		{"join namespaces", "isolate mounts", "their paths are the host's"},
		{"enter root directory", "join namespaces", "the user namespace's root may not search the way there"},
		{"enter user namespace", "unshare namespaces", "it must own the others"},
		{"become its root", "unshare namespaces", "what the kernel makes with them is root's"},
		{"set clocks", "fork into namespaces", "the clocks of a namespace with processes in it are fixed"},
		{"set clocks", "become its root", "an unprivileged runtime does not own the files of another user"},
		{"fork into namespaces", "start session", "the fork would take the lead away"},
		{"set oom score", "enter user namespace", "lowering it needs CAP_SYS_RESOURCE in the first user namespace"},
		{"isolate mounts", "open root", "nothing may propagate to the host"},
		{"await limits", "open shared root", "what goes on beside writes the state, too"},
		{"reserve state", "open shared root", "what a killed create leaves must be found by delete"},
		{"open shared root", "mount file systems", "the mounts are on it"},
		{"protect paths", "change root", "the host's null device is out of reach behind it"},
		{"run createContainer hooks", "change root", "they see the host's tree"},
		{"change root", "enter working directory", "it is the container's"},
		{"take mounts along", "enter container's root", "the sources are the host's"},
		{"join container without its root", "enter container's root", "it is found in the mount namespace"},
		{"enter container's root", "fork into container", "the container sees the child"},
		{"enter container's root", "attach mounts", "the places are the container's"},
		{"enter container's root", "open container's terminal", "it is below the root"},
		{"enter container's root", "close descriptors", "one could lead out of the root"},
		{"enter container's root", "drop privileges", "CAP_SYS_CHROOT"},
		{"make working directory", "make root read-only", "EROFS"},
		{"await limits", "make devices", "on v1 mknod is denied while the rules are written"},
		{"make devices", "make root read-only", "EROFS"},
		{"mount file systems", "protect paths", "a mount would cover the protection"},
		{"protect paths", "pivot root", "the host's null device is gone behind it"},
		{"set oom score", "drop privileges", "lowering it needs CAP_SYS_RESOURCE"},
		{"pivot root", "enter working directory", "it is the container's"},
		{"close descriptors", "enter working directory", "CVE-2024-21626"},
		{"enter working directory", "find program", "the program's path may be relative"},
		{"drop privileges", "find program", "it is looked for as its user"},
		{"save state", "detach stub", "start reads it"},
		{"mount file systems", "run createRuntime hooks", "config.md: after the mounts"},
		{"run createRuntime hooks", "run createContainer hooks", "config.md"},
		{"run createContainer hooks", "make root read-only", "they may make mount points"},
		{"run createRuntime hooks", "set sysctls", "a hook may bring the network device that one is of"},
		{"reserve state", "make resctrl group", "what a killed create leaves must be found by delete"},
		{"make resctrl group", "start stub", "it is removed when the stub has ended"},
		{"enter resctrl group", "fork into namespaces", "the child is where its parent is"},
		{"fork into namespaces", "move network devices", "the process whose network namespace it is"},
		{"move network devices", "run createRuntime hooks", "config.md: the namespaces are made, with all that is in them"},
		{"move network devices", "set sysctls", "one may be of a device"},
		{"set sysctls", "pivot root", "the host's procfs may be needed"},
		{"run createContainer hooks", "pivot root", "config.md: before pivot_root"},
		{"attach stub", "run startContainer hooks", "it tells its pid"},
		{"run startContainer hooks", "set limits", "the stub's are lowered in one batch with execve"},
		{"run startContainer hooks", "execute program", "config.md"},
		{"execute program", "run poststart hooks", "config.md"},
		{"start second stub", "enter cgroup", "it is what enters"},
		{"enter cgroup", "join container", "its files are the host's"},
		{"set oom score", "join container", "lowering it needs CAP_SYS_RESOURCE in the first user namespace"},
		{"set I/O priority", "join container", "CAP_SYS_NICE in the first user namespace"},
		{"take mounts along", "join container", "the sources are the host's"},
		{"join container", "attach mounts", "the places are the container's"},
		{"join container", "fork into container", "the pid namespace holds for children"},
		{"join container", "fork for procfs", "the pid namespace holds for children"},
		{"fork for procfs", "attach mounts", "a procfs is of who mounts it"},
		{"join container", "join keyring", "its name is known in the container's user namespace"},
		{"join keyring", "drop privileges", "it is root's"},
		{"open container's terminal", "drop privileges", "to be given to the program's user"},
		{"close descriptors", "enter pid namespace", "the container could get at them"},
		{"drop privileges", "enter pid namespace", "the container could get at them"},
		{"enter pid namespace", "control terminal", "only a leader of a session gets it (tty_ioctl(4))"},
		{"open container's terminal", "control terminal", "it is to be there"},
		{"enter pid namespace", "enter working directory", "it may be below /proc/self"},
		{"enter pid namespace", "schedule", "a process with a deadline cannot fork"},
		{"open container's terminal", "close descriptors", "its two sides are among them"},
		{"join container", "close descriptors", "the pidfd is needed"},
		{"set personality", "install filter", "the filter may forbid it"},
		{"set memory policy", "install filter", "the filter may forbid it"},
		{"drop privileges", "install filter", "the filter may forbid every call of it"},
		{"run startContainer hooks", "install filter", "the stub works for them"},
		{"set limits", "install filter", "the filter may forbid it"},
		{"install filter", "execute program", "it is for the program"},
		{"install filter", "execute hook", "it is for the hook too"},
		{"compile filter", "start stub", "it goes on beside"},
		{"attach stub", "set limits", "a limit of descriptors would hinder accept"},
	}
	index := func(name string) int {
		i := slices.IndexFunc(steps[:], func(s step) bool { return s.name == name })
		if i < 0 {
			t.Errorf("no step %q", name)
		}
		return i
	}
	for _, p := range pairs {
		if index(p.first) >= index(p.second) {
			t.Errorf("%q is not before %q: %s", p.first, p.second, p.why)
		}
	}
}

// fakeCgroup is where a container would be on a hybrid host.
type fakeCgroup struct{ cgroups.Manager }

func (fakeCgroup) Entry() cgroups.Entry {
	return cgroups.Entry{Files: []string{"/sys/fs/cgroup/pids/c/tasks", "/sys/fs/cgroup/cpu,cpuacct/c/tasks"}}
}

// needHost are the steps that a recorder cannot take the stub's part in.
var needHost = []string{
	"reserve state", "make cgroup", "limit cgroup", "start stub", "enter user namespace", "set clocks", "fork into namespaces",
	"schedule in real time", "schedule", "give cgroup away", "move network devices",
	"compile filter", "make resctrl group", "enter resctrl group",
	"save state", "detach stub", "attach stub", "set limits", "start second stub", "fork into container", "fork for procfs", "enter pid namespace",
}

// record takes the steps of verbs on a recorder and gives the calls.
func record(t *testing.T, spec *specs.Spec, verb verbs) []string {
	t.Helper()
	r, rec := recorded(t, spec, verb)
	rec.Output = func(call, args string) []byte { return honest(rec, call, args) }
	failed, err := takeAll(r, func(s *step) { rec.Lines = append(rec.Lines, "# "+s.name) })
	if err != nil {
		t.Fatalf("%s: %v\n%s", failed, err, strings.Join(rec.Lines, "\n"))
	}
	return rec.Lines
}

// recorded gives a walk down the table whose stub is a recorder.
func recorded(t *testing.T, spec *specs.Spec, verb verbs) (*run, *stub.Recorder) {
	t.Helper()
	cfg, err := specconv.Convert(spec, specconv.Options{Bundle: "/bundle"})
	if err != nil {
		t.Fatal(err)
	}
	p, rec := stub.Record(nil)
	rec.Answer = func(call, args string) (int64, bool) {
		return int64(len(acknowledgement())), isAcknowledgement(call, args)
	}
	r := &run{
		launch: new(Launch), ctx: context.Background(), verb: verb, cfg: cfg, cgroup: fakeCgroup{}, plan: namespaces.PlanFor(cfg.Namespaces),
		child: &stub.Child{Proc: p}, p: p,
		c: &Container{state: &State{ID: "c", Cgroups: map[string]string{
			"pids": "/sys/fs/cgroup/pids/c", "cpu": "/sys/fs/cgroup/cpu,cpuacct/c", "": "/sys/fs/cgroup/unified/c",
		}}},
	}
	if cfg.Seccomp != nil {
		filter, err := seccomp.Compile(cfg.Seccomp.Profile)
		if err != nil {
			t.Fatal(err)
		}
		r.c.filter = filter.Bytes()
	}
	return r, rec
}

// takeAll takes the steps that a recorder can take, until one fails; before is
// called before each.
func takeAll(r *run, before func(*step)) (failed string, err error) {
	for i := range steps {
		s := &steps[i]
		if s.in&r.verb == 0 || slices.Contains(needHost, s.name) || (s.when != nil && !s.when(r.cfg)) {
			continue
		}
		before(s)
		err := r.take(s)
		if err == nil && !r.sealed {
			err = r.flush()
		}
		if err != nil {
			return s.name, err
		}
	}
	return "", nil
}

// honest gives what a call writes, if the host and the image are as they should
// be.
func honest(rec *stub.Recorder, call, args string) []byte {
	if call == "statx" && strings.Contains(args, ", \"\", ") {
		args = opened(rec.Lines, args) + args
	}
	return recordedOutput(call, args)
}

// opened finds the path behind the descriptor that the arguments begin with.
func opened(lines []string, args string) string {
	fd, _, _ := strings.Cut(args, ",")
	for i := len(lines) - 1; i >= 0; i-- {
		if rest, ok := strings.CutPrefix(lines[i], "openat(AT_FDCWD, "); ok && strings.Contains(rest, ") = "+fd) {
			path, _, _ := strings.Cut(rest, ",")
			return path
		}
	}
	return ""
}

// hostDevices are those that a user namespace gets.
var hostDevices = map[string][2]uint32{
	"/dev/zero": {1, 5}, "/dev/full": {1, 7}, "/dev/random": {1, 8}, "/dev/urandom": {1, 9}, "/dev/tty": {5, 0},
}

// recordedOutput makes the null device of what is looked at, except for the
// masked paths that are directories, and "/" of the working directory.
func recordedOutput(call, args string) []byte {
	if isAcknowledgement(call, args) {
		return acknowledgement()
	}
	switch call {
	case "getcwd":
		return []byte("/")
	case "statx":
		st := make([]byte, 256)
		ne := binary.NativeEndian
		mode := uint16(unix.S_IFCHR | 0o666)
		if strings.Contains(args, `"/bin/`) {
			mode = unix.S_IFREG | 0o755
		}
		ne.PutUint16(st[28:], mode)
		device := [2]uint32{1, 3}
		for path, numbers := range hostDevices {
			if strings.HasPrefix(args, strconv.Quote(path)) {
				device = numbers
			}
		}
		ne.PutUint32(st[128:], device[0])
		ne.PutUint32(st[132:], device[1])
		return st
	}
	return nil
}

// isAcknowledgement reports whether a call reads the kernel's answer to a netlink
// message; nothing else is read into a buffer of this size.
func isAcknowledgement(call, args string) bool {
	return call == "read" && strings.HasSuffix(args, ", 256")
}

// acknowledgement is the kernel's answer to the first message of a socket: a
// header, the error 0, and the header of the message (netlink(7)).
func acknowledgement() []byte {
	ne := binary.NativeEndian
	b := ne.AppendUint32(nil, 36)
	b = ne.AppendUint16(b, unix.NLMSG_ERROR)
	b = ne.AppendUint16(b, 0)
	b = ne.AppendUint32(b, 1)
	return append(b, make([]byte, 36-len(b))...)
}

// compare tells where the calls begin to differ from those of the file.
func compare(t *testing.T, file string, want, got []string) {
	t.Helper()
	for i := range max(len(want), len(got)) {
		var w, g string
		if i < len(want) {
			w = want[i]
		}
		if i < len(got) {
			g = got[i]
		}
		if w != g {
			t.Errorf("%s:%d (if the calls should differ: go test -update)\nwant %s\ngot  %s", file, i+1, w, g)
			return
		}
	}
}

// golden compares the calls with those in testdata, or writes them there.
func golden(t *testing.T, name string, calls []string) {
	t.Helper()
	got := strings.Join(calls, "\n") + "\n"
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, file, strings.Split(string(want), "\n"), strings.Split(got, "\n"))
}

func denyGetppid() *specs.LinuxSeccomp {
	return &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"getppid"}, Action: specs.ActErrno}}}
}

// Nothing comes between the filter and the call that executes the program: the
// filter would have to allow it.
func TestOnlyExecveBehindTheFilter(t *testing.T) {
	spec := specconv.Default(specconv.DefaultOptions{})
	spec.Process.Terminal = false
	spec.Linux.Seccomp = denyGetppid()
	for _, on := range []bool{true, false} {
		spec.Process.NoNewPrivileges = on
		for _, verb := range []verbs{inCreate | inStart, inExec} {
			var calls []string
			for _, line := range record(t, spec, verb) {
				if !strings.HasPrefix(line, "#") {
					calls = append(calls, line)
				}
			}
			last := calls[len(calls)-2:]
			if !strings.HasPrefix(last[0], "seccomp(") || !strings.HasPrefix(last[1], "execve(") {
				t.Errorf("%t %d: the last calls are %q", on, verb, last)
			}
		}
	}
}

func TestCallsOfExec(t *testing.T) {
	score, priority := 500, specs.LinuxIOPriority{Class: specs.IOPRIO_CLASS_IDLE}
	cases := map[string]func(*specs.Process){
		"default": func(*specs.Process) {},
		"user": func(p *specs.Process) {
			p.User = specs.User{UID: 1000, GID: 100, AdditionalGids: []uint32{5, 6}}
			p.OOMScoreAdj, p.IOPriority = &score, &priority
			p.ExecCPUAffinity = &specs.CPUAffinity{Initial: "0", Final: "1-2"}
		},
		"filtered": func(p *specs.Process) { p.NoNewPrivileges = false },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			spec := specconv.Default(specconv.DefaultOptions{CgroupNamespace: true})
			spec.Process.Terminal = false
			change(spec.Process)
			if name == "filtered" {
				spec.Linux.Seccomp = denyGetppid()
			}
			golden(t, "exec-"+name, record(t, spec, inExec))
		})
	}
}

func TestCallsOfCreate(t *testing.T) {
	minimal := func() *specs.Spec {
		spec := specconv.Default(specconv.DefaultOptions{})
		spec.Process.Terminal = false
		spec.Mounts, spec.Linux.MaskedPaths, spec.Linux.ReadonlyPaths = nil, nil, nil
		return spec
	}
	cases := map[string]func() *specs.Spec{
		"default": func() *specs.Spec {
			spec := specconv.Default(specconv.DefaultOptions{CgroupNamespace: true})
			spec.Process.Terminal = false
			return spec
		},
		"user": func() *specs.Spec {
			spec, score, umask := minimal(), 500, uint32(0o77)
			spec.Process.User = specs.User{UID: 1000, GID: 100, AdditionalGids: []uint32{5, 6}, Umask: &umask}
			spec.Process.OOMScoreAdj = &score
			spec.Process.Cwd = "/home"
			spec.Process.Args = []string{"/bin/id"}
			return spec
		},
		"userns": func() *specs.Spec {
			spec := minimal()
			spec.Linux.Namespaces = append(spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
			spec.Linux.UIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100000, Size: 1000}}
			spec.Linux.GIDMappings = spec.Linux.UIDMappings
			spec.Process.User = specs.User{UID: 10, GID: 20}
			return spec
		},
		"joined": func() *specs.Spec {
			spec := minimal()
			spec.Hostname = ""
			spec.Linux.Namespaces = []specs.LinuxNamespace{
				{Type: specs.MountNamespace},
				{Type: specs.NetworkNamespace, Path: "/run/netns/a"},
				{Type: specs.IPCNamespace, Path: "/proc/7/ns/ipc"},
			}
			return spec
		},
	}
	for name, spec := range cases {
		t.Run(name, func(t *testing.T) {
			golden(t, "create-"+name, record(t, spec(), inCreate|inStart))
		})
	}
}

// What the container has in the place of its devpts is asked for nothing: the
// descriptor that it gives for the other side of a terminal could be any.
func TestTerminalOfNoDevpts(t *testing.T) {
	spec := specconv.Default(specconv.DefaultOptions{})
	spec.Process.Terminal = true
	for _, verb := range []verbs{inCreate, inExec} {
		r, rec := recorded(t, spec, verb)
		r.opts.Console = func(*os.File) error { return nil }
		rec.Output = func(call, args string) []byte { return honest(rec, call, args) } // all zeros of fstatfs
		failed, err := takeAll(r, func(*step) { rec.Lines = nil })
		if err == nil || !strings.HasSuffix(failed, "terminal") {
			t.Errorf("%s: %v", failed, err)
		}
		for _, line := range rec.Lines {
			if !strings.HasPrefix(line, "openat2(") && !strings.HasPrefix(line, "fstatfs(") {
				t.Errorf("asked for %s", line)
			}
		}
	}
}
