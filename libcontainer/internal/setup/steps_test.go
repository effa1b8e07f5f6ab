package setup

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/libcontainer/stub"
	"github.com/berth-oci/berth/seccomp"
	"github.com/berth-oci/berth/specconv"
)

var update = flag.Bool("update", false, "write the golden files anew")

// walks lists the operations of each kind of stub, in order.
var walks = [][]operation{{inCreate, inStart}, {inExec}, {inCreateHook}, {inStartHook}, {inAddMounts}, {inRemoveMounts}}

func TestGroundNeverGrows(t *testing.T) {
	for _, walk := range walks {
		var before *step
		for _, op := range walk {
			for _, s := range rowsOf(steps[:], op) {
				if before != nil && s.ground < before.ground {
					t.Errorf("%q has ground %s after %q with %s", s.name, s.ground, before.name, before.ground)
				}
				before = s
			}
		}
		if before.ground != gone && walk[0]&inMounts == 0 {
			t.Errorf("the last step, %q, ends with %s", before.name, before.ground)
		}
	}
}

// allSteps returns the rows of both tables.
func allSteps() []*step {
	var all []*step
	for _, table := range [][]step{steps[:], restoreSteps[:]} {
		for i := range table {
			all = append(all, &table[i])
		}
	}
	return all
}

// A reason is one clause; a longer one belongs to docs/decisions.md.
func TestReasonsAreShort(t *testing.T) {
	const most = 100 // characters
	for _, s := range allSteps() {
		if n := utf8.RuneCountInString(s.why); n > most {
			t.Errorf("the reason of %q has %d characters, more than %d: %s", s.name, n, most, s.why)
		}
	}
}

func TestStepsAreNamedOnceAndExplained(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range allSteps() {
		name := s.name
		if s.in == inRestore { // it shares rows with other operations
			name = "restore: " + name
		}
		if s.name == "" || seen[name] {
			t.Errorf("name %q is empty or taken", name)
		}
		seen[name] = true
		if s.why == "" || s.do == nil || s.in == 0 {
			t.Errorf("%q lacks a reason, a function or an operation", s.name)
		}
		if s.undo != nil && s.side != hostSide {
			t.Errorf("%q has an undo, but a step of the stub ends with the stub", s.name)
		}
	}
}

// fakeCgroup is the cgroup of a container on a hybrid host.
type fakeCgroup struct{ cgroups.Manager }

func (fakeCgroup) Entry() cgroups.Entry {
	return cgroups.Entry{Files: []string{"/sys/fs/cgroup/pids/c/tasks", "/sys/fs/cgroup/cpu,cpuacct/c/tasks"}}
}

// needHost lists the steps that need more than a recorder as the stub.
var needHost = []string{
	"reserve state", "plan cgroup", "make cgroup", "limit cgroup", "open control socket", "start stub",
	"find cgroup", "read mappings", "check container's groups",
	"await limits", "await filter", "await unit", "record process",
	"enter user namespace", "check groups", "set clocks", "fork into namespaces",
	"schedule in real time", "schedule", "schedule process", "chown cgroup", "move network devices",
	"compile filter", "make resctrl group", "enter resctrl group",
	"save state", "detach stub", "leave stub", "attach stub", "keep stub", "set limits",
	"start joining stub", "start mount stub", "fork into container", "fork for procfs", "enter pid namespace",
}

// record takes the steps of operations with a recorder as the stub, and returns the
// calls.
func record(t *testing.T, spec *specs.Spec, walk ...operation) []string {
	t.Helper()
	p, rec := newRecorder()
	rec.Output = func(call, args string) []byte { return honest(rec, call, args) }
	launch := state.Launch{}
	for _, op := range walk {
		r := recorded(t, spec, op, p)
		r.launch = launch
		failed, err := takeAll(r, func(s *step) { rec.Lines = append(rec.Lines, "# "+s.name) })
		if err != nil {
			t.Fatalf("%s: %v\n%s", failed, err, strings.Join(rec.Lines, "\n"))
		}
		launch = r.launch
	}
	return rec.Lines
}

func newRecorder() (*stub.Proc, *stub.Recorder) {
	p, rec := stub.Record(nil)
	rec.Answer = func(call, args string) (int64, bool) {
		return int64(len(acknowledgement())), isAcknowledgement(call, args)
	}
	return p, rec
}

// recorded returns a run whose stub is a recorder.
func recorded(t *testing.T, spec *specs.Spec, op operation, p *stub.Proc) *run {
	t.Helper()
	cfg, err := specconv.Convert(spec, specconv.Options{Bundle: "/bundle"})
	if err != nil {
		t.Fatal(err)
	}
	j := job{op: op, ctx: context.Background(), id: "c", cfg: cfg}
	if cfg.Seccomp != nil {
		filter, err := seccomp.Compile(cfg.Seccomp.Profile)
		if err != nil {
			t.Fatal(err)
		}
		j.bytecode = filter.Bytes()
	}
	paths := map[string]string{
		"pids": "/sys/fs/cgroup/pids/c", "cpu": "/sys/fs/cgroup/cpu,cpuacct/c", "": "/sys/fs/cgroup/unified/c",
	}
	r := newRun(steps[:], j, values{
		state: &state.State{ID: "c", Pid: os.Getpid(), Cgroups: paths}, planned: paths, cgroup: fakeCgroup{},
		child: &stub.Child{Proc: p}, stub: p,
	})
	r.root = true
	return r
}

// takeAll takes the steps that work with a recorder, until one fails. It calls before
// with each step first.
func takeAll(r *run, before func(*step)) (failed string, err error) {
	for i := range steps {
		s := &steps[i]
		if slices.Contains(needHost, s.name) || !s.taken(r.job) {
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

// honest returns the output of a call on a usual host with a usual image.
func honest(rec *stub.Recorder, call, args string) []byte {
	if call == "statx" && strings.Contains(args, ", \"\", ") {
		args = opened(rec.Lines, args) + args
	}
	return recordedOutput(call, args)
}

// opened returns the path of the descriptor that is the first argument.
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

// hostDevices are the host's devices that a container with a user namespace gets.
var hostDevices = map[string][2]uint32{
	"/dev/zero": {1, 5}, "/dev/full": {1, 7}, "/dev/random": {1, 8}, "/dev/urandom": {1, 9}, "/dev/tty": {5, 0},
}

// recordedOutput returns the output of getcwd ("/") and of statx: a device for
// most paths, a program below /bin, a directory for "/".
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
		if strings.Contains(args, `"/", `) { // the source of a mount
			mode = unix.S_IFDIR | 0o755
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

// compare reports the first call that differs from the file.
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

// golden compares the calls with a file in testdata; -update writes the file.
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

// TestStubLooksAtSources has the source of a bind mount in a file system that may
// never answer: the runtime holds the container's lock.
func TestStubLooksAtSources(t *testing.T) {
	for _, inUserNamespace := range []bool{false, true} {
		spec := specconv.Default(specconv.DefaultOptions{})
		spec.Process.Terminal = false
		spec.Mounts = append(spec.Mounts, specs.Mount{Destination: "/data", Source: "/served/file", Options: []string{"bind"}})
		if inUserNamespace {
			ids := []specs.LinuxIDMapping{{HostID: 1000, Size: 1000}}
			spec.Linux.UIDMappings, spec.Linux.GIDMappings = ids, ids
			spec.Linux.Namespaces = append(spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
		}
		if !slices.ContainsFunc(record(t, spec, inCreate), func(line string) bool {
			return strings.HasPrefix(line, `statx(AT_FDCWD, "/served/file", `)
		}) {
			t.Errorf("user namespace %v: the stub makes no statx(2) of the source", inUserNamespace)
		}
	}
}

// No call comes between the filter and execve: the filter would have to allow it.
func TestOnlyExecveFollowsTheFilter(t *testing.T) {
	spec := specconv.Default(specconv.DefaultOptions{})
	spec.Process.Terminal = false
	spec.Linux.Seccomp = denyGetppid()
	for _, on := range []bool{true, false} {
		spec.Process.NoNewPrivileges = on
		for _, walk := range walks[:2] {
			var calls []string
			for _, line := range record(t, spec, walk...) {
				if !strings.HasPrefix(line, "#") {
					calls = append(calls, line)
				}
			}
			last := calls[len(calls)-2:]
			if !strings.HasPrefix(last[0], "seccomp(") || !strings.HasPrefix(last[1], "execve(") {
				t.Errorf("%t %v: the last calls are %q", on, walk, last)
			}
		}
	}
}

// TestFilterAndExecveAreOneBatch has arguments that fill the region: with the filter alone
// in a batch, the stub would need calls that the filter may deny.
func TestFilterAndExecveAreOneBatch(t *testing.T) {
	spec := specconv.Default(specconv.DefaultOptions{})
	spec.Process.Terminal = false
	spec.Linux.Seccomp = denyGetppid()
	executed, refused := 0, 0
	for size := stub.MinRegion / 2; size < stub.MinRegion; size += 64 {
		spec.Process.Args = []string{"/bin/sh", strings.Repeat("x", size)}
		p, rec := newRecorder()
		rec.Output = func(call, args string) []byte { return honest(rec, call, args) }
		r := recorded(t, spec, inStart, p)
		r.launch = state.Launch{Program: "/bin/sh"}
		if _, err := takeAll(r, func(*step) {}); err != nil {
			refused++
			continue
		}
		executed++
		last := len(rec.Lines) - 2
		if !strings.HasPrefix(rec.Lines[last], "seccomp(") || rec.Batches[len(rec.Batches)-1] > last {
			t.Fatalf("%d bytes of arguments: batches begin at %v of %d calls", size, rec.Batches, len(rec.Lines))
		}
	}
	if executed == 0 || refused == 0 {
		t.Errorf("%d executed, %d refused: sizes that do not test the limit", executed, refused)
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
				if runtime.GOARCH == "386" {
					t.Skip("the filter is shorter: its numbers have no bit of x32 to check")
				}
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
			golden(t, "create-"+name, record(t, spec(), inCreate, inStart))
		})
	}
}

// If another file system is mounted instead of devpts, the runtime makes no ioctl on it:
// the descriptor that it returns for the other side of a terminal could be any.
func TestTerminalOfNoDevpts(t *testing.T) {
	spec := specconv.Default(specconv.DefaultOptions{})
	spec.Process.Terminal = true
	for _, op := range []operation{inCreate, inExec} {
		p, rec := newRecorder()
		r := recorded(t, spec, op, p)
		r.Console = func(*os.File) error { return nil }
		rec.Output = func(call, args string) []byte { return honest(rec, call, args) } // all zeros of fstatfs
		failed, err := takeAll(r, func(*step) { rec.Lines = nil })
		if err == nil || !strings.HasSuffix(failed, "terminal") {
			t.Errorf("%s: %v", failed, err)
		}
		for _, line := range rec.Lines {
			if !strings.HasPrefix(line, "openat2(") && !strings.HasPrefix(line, "fstatfs(") {
				t.Errorf("unexpected call %s", line)
			}
		}
	}
}

// TestWarnings warns once, for the program and not for hooks; without a log it does nothing.
func TestWarnings(t *testing.T) {
	cfg := &config.Config{Process: config.Process{Warnings: []string{"one"}}}
	(&run{job: &job{cfg: cfg}}).warn() // without a log
	var lines bytes.Buffer
	log := slog.New(slog.NewTextHandler(&lines, nil))
	(&run{job: &job{cfg: cfg, log: log, hook: &specs.Hook{}}}).warn()
	if lines.Len() > 0 {
		t.Errorf("for a hook: %s", &lines)
	}
	(&run{job: &job{cfg: cfg, log: log}}).warn()
	if strings.Count(lines.String(), "msg=one") != 1 {
		t.Errorf("for a program: %s", &lines)
	}
}
