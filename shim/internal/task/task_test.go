package task

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	taskv2 "github.com/containerd/containerd/api/runtime/task/v2"
	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

func TestLifecycle(t *testing.T) {
	h := newHost(t)
	r := h.request("read line; exit 7")
	stdin := filepath.Join(h.dir, "in")
	if err := unix.Mkfifo(stdin, 0o700); err != nil {
		t.Fatal(err)
	}
	r.Stdin = stdin
	created := do(t, h.Create, r)
	state := do(t, h.State, &taskapi.StateRequest{ID: r.ID})
	if state.Status != task.Status_CREATED || state.Pid != created.Pid || state.Pid == 0 || state.Bundle != r.Bundle || state.Stdin != stdin {
		t.Errorf("created: %v", state)
	}
	refused(t, h.Create, r, errdefs.IsAlreadyExists)
	do(t, h.Start, &taskapi.StartRequest{ID: r.ID})
	if state := do(t, h.State, &taskapi.StateRequest{ID: r.ID}); state.Status != task.Status_RUNNING {
		t.Errorf("started: %v", state)
	}
	refused(t, h.Start, &taskapi.StartRequest{ID: r.ID}, errdefs.IsFailedPrecondition)
	refused(t, h.Delete, &taskapi.DeleteRequest{ID: r.ID}, errdefs.IsFailedPrecondition)
	do(t, h.CloseIO, &taskapi.CloseIORequest{ID: r.ID, Stdin: true})
	if err := writeTo(stdin, "a line\n"); err != nil {
		t.Fatal(err)
	}
	if status := h.finish(r.ID, ""); status != 7 {
		t.Errorf("exit status %d, want 7", status)
	}
	refused(t, h.State, &taskapi.StateRequest{ID: r.ID}, errdefs.IsNotFound)
	h.expect("create", "start", "exit "+r.ID+" 7", "delete")
}

func writeTo(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(text)
	return err
}

// expect compares the events, which a goroutine publishes.
func (h *host) expect(topics ...string) {
	h.t.Helper()
	eventually(h.t, strings.Join(topics, ", "), func() bool { return slices.Equal(h.record.topics(), topics) })
}

func TestOutputOfFifos(t *testing.T) {
	h := newHost(t)
	r := h.request("echo one; echo two >&2; (sleep 0.1; echo three) &")
	var stdout, stderr func() string
	r.Stdout, stdout = h.fifo()
	r.Stderr, stderr = h.fifo()
	h.run(r)
	// Both ends come before the container is deleted.
	if out := stdout(); out != "one\n" && out != "one\nthree\n" { // init's end kills the other
		t.Errorf("stdout %q", out)
	}
	if out := stderr(); out != "two\n" {
		t.Errorf("stderr %q", out)
	}
	h.finish(r.ID, "")
}

func TestExec(t *testing.T) {
	h := newHost(t)
	r := h.request("sleep 1000")
	h.run(r)
	e := &taskapi.ExecProcessRequest{ID: r.ID, ExecID: "one"}
	var stdout func() string
	e.Stdout, stdout = h.fifo()
	h.exec(e, "echo hello; exit 5")
	if out := stdout(); out != "hello\n" {
		t.Errorf("output %q", out)
	}
	refused(t, h.Exec, e, errdefs.IsAlreadyExists)
	if status := h.finish(r.ID, "one"); status != 5 {
		t.Errorf("exit status %d, want 5", status)
	}

	h.exec(&taskapi.ExecProcessRequest{ID: r.ID, ExecID: "two"}, "sleep 1000")
	pids := do(t, h.Pids, &taskapi.PidsRequest{ID: r.ID}).Processes
	if len(pids) != 2 || pids[0].Info != nil || !typeurl.Is(pids[1].Info, (*anypb.Any)(nil)) && pids[1].Info == nil {
		t.Errorf("processes: %v", pids)
	}
	do(t, h.Kill, &taskapi.KillRequest{ID: r.ID, ExecID: "two", Signal: uint32(unix.SIGTERM)})
	if status := h.finish(r.ID, "two"); status != 128+15 {
		t.Errorf("exit status %d, want 143", status)
	}
	refused(t, h.Kill, &taskapi.KillRequest{ID: r.ID, ExecID: "two"}, errdefs.IsNotFound)
	h.kill(r.ID)
	h.expect("create", "start", "exec-added", "exec-started", "exit one 5",
		"exec-added", "exec-started", "exit two 143", "exit "+r.ID+" 137", "delete")
}

func TestExecThatCannotStart(t *testing.T) {
	h := newHost(t)
	r := h.request("sleep 1000")
	h.run(r)
	spec, err := json.Marshal(&specs.Process{Cwd: "/", Args: []string{"/nonesuch"}})
	if err != nil {
		t.Fatal(err)
	}
	do(t, h.Exec, &taskapi.ExecProcessRequest{ID: r.ID, ExecID: "x", Spec: &anypb.Any{Value: spec}})
	_, err = h.Start(t.Context(), &taskapi.StartRequest{ID: r.ID, ExecID: "x"})
	if err == nil || !strings.Contains(err.Error(), "no such file or directory") || !strings.HasPrefix(err.Error(), "OCI runtime exec failed: ") {
		t.Errorf("error %v", err)
	}
	h.finish(r.ID, "x")
	h.kill(r.ID)
}

func TestTerminal(t *testing.T) {
	h := newHost(t)
	r := h.request("stty size; read line; echo got $line; exit 3", func(s *specs.Spec) { s.Process.Terminal = true })
	r.Stdin = filepath.Join(h.dir, "in")
	if err := unix.Mkfifo(r.Stdin, 0o700); err != nil {
		t.Fatal(err)
	}
	var stdout func() string
	r.Stdout, stdout = h.fifo()
	do(t, h.Create, r)
	do(t, h.ResizePty, &taskapi.ResizePtyRequest{ID: r.ID, Width: 70, Height: 30})
	do(t, h.Start, &taskapi.StartRequest{ID: r.ID})
	if err := writeTo(r.Stdin, "typed\n"); err != nil {
		t.Fatal(err)
	}
	out := strings.ReplaceAll(stdout(), "\r", "")
	if !strings.Contains(out, "30 70\n") || !strings.Contains(out, "got typed\n") {
		t.Errorf("output %q", out)
	}
	if status := h.finish(r.ID, ""); status != 3 {
		t.Errorf("exit status %d, want 3", status)
	}
}

func TestFileLogger(t *testing.T) {
	h := newHost(t)
	r := h.request("echo one; echo two >&2")
	path := filepath.Join(h.dir, "logs", "file")
	r.Stdout, r.Stderr = "file://"+path, "file://"+path
	h.run(r)
	h.finish(r.ID, "")
	text, err := os.ReadFile(path)
	lines := strings.Fields(string(text))
	slices.Sort(lines)
	if err != nil || !slices.Equal(lines, []string{"one", "two"}) {
		t.Errorf("log %q, %v", text, err)
	}
}

func TestProgramThatLogs(t *testing.T) {
	h := newHost(t)
	logger := filepath.Join(h.dir, "logger")
	log := filepath.Join(h.dir, "log")
	script := "#!/bin/sh\nexec 5>&-\necho $CONTAINER_NAMESPACE $CONTAINER_ID \"$@\" >" + log + "\ncat <&3 >>" + log + "\ncat <&4 >>" + log + "\n"
	if err := os.WriteFile(logger, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	r := h.request("echo one; echo two >&2")
	r.Stdout = "binary://" + logger + "?key=value"
	r.Stderr = r.Stdout
	h.run(r)
	h.finish(r.ID, "")
	text, err := os.ReadFile(log)
	if want := "test " + r.ID + " key value\none\ntwo\n"; err != nil || string(text) != want {
		t.Errorf("log %q, %v, want %q", text, err, want)
	}
}

func TestPauseUpdateStats(t *testing.T) {
	h := newHost(t)
	r := h.request("sleep 1000")
	h.run(r)
	do(t, h.Pause, &taskapi.PauseRequest{ID: r.ID})
	if state := do(t, h.State, &taskapi.StateRequest{ID: r.ID}); state.Status != task.Status_PAUSED {
		t.Errorf("paused: %v", state)
	}
	do(t, h.Resume, &taskapi.ResumeRequest{ID: r.ID})
	refused(t, h.Resume, &taskapi.ResumeRequest{ID: r.ID}, errdefs.IsFailedPrecondition)
	do(t, h.Update, &taskapi.UpdateTaskRequest{ID: r.ID, Resources: &anypb.Any{Value: []byte(`{"pids": {"limit": 77}}`)}})
	stats, err := typeurl.UnmarshalAny(do(t, h.Stats, &taskapi.StatsRequest{ID: r.ID}).Stats)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(stats)
	if err != nil || !strings.Contains(string(text), `"limit":77`) || !strings.Contains(string(text), `"current":1`) {
		t.Errorf("statistics %s, %v", text, err)
	}
	h.kill(r.ID)
	h.expect("create", "start", "paused", "resumed", "exit "+r.ID+" 137", "delete")
}

func TestExitOfInitIsTheLast(t *testing.T) {
	h := newHost(t)
	r := h.request("sleep 0.2; exit 4", func(s *specs.Spec) {
		s.Linux.Namespaces = slices.DeleteFunc(s.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.PIDNamespace })
	})
	h.run(r)
	h.exec(&taskapi.ExecProcessRequest{ID: r.ID, ExecID: "x"}, "sleep 1000")
	do(t, h.Wait, &taskapi.WaitRequest{ID: r.ID})
	refused(t, h.Start, &taskapi.StartRequest{ID: r.ID, ExecID: "x"}, errdefs.IsFailedPrecondition)
	h.finish(r.ID, "x")
	h.finish(r.ID, "")
	h.expect("create", "start", "exec-added", "exec-started", "exit x 137", "exit "+r.ID+" 4", "delete")
}

// An orphan of a container without a pid namespace becomes a child of the subreaper.
func TestOrphansAreReaped(t *testing.T) {
	h := newHost(t)
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	r := h.request("(sleep 0.1 & echo $! >/tmp/orphan); sleep 1000", func(s *specs.Spec) {
		s.Root.Readonly = false
		s.Linux.Namespaces = slices.DeleteFunc(s.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.PIDNamespace })
	})
	h.run(r)
	eventually(t, "the orphan is reaped", func() bool {
		text, err := os.ReadFile(filepath.Join(h.dir, "rootfs", "tmp", "orphan"))
		pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
		return err == nil && pid > 0 && unix.Kill(pid, 0) == unix.ESRCH
	})
	h.kill(r.ID)
}

func TestDeleteOfACreatedContainer(t *testing.T) {
	h := newHost(t)
	r := h.request("true")
	do(t, h.Create, r)
	if d := do(t, h.Delete, &taskapi.DeleteRequest{ID: r.ID}); d.ExitStatus != 137 {
		t.Errorf("exit status %d, want 137", d.ExitStatus)
	}
	h.expect("create", "exit "+r.ID+" 137", "delete")
}

func TestCreateFails(t *testing.T) {
	h := newHost(t)
	r := h.request("true", func(s *specs.Spec) { s.Process.Args = []string{"nonesuch"} })
	_, err := h.Create(t.Context(), r)
	if err == nil || !strings.HasPrefix(err.Error(), "OCI runtime create failed: ") || !strings.Contains(err.Error(), "executable file not found in $PATH") {
		t.Errorf("error %v", err)
	}
	r = h.request("true")
	r.Options = &anypb.Any{TypeUrl: "nonesuch", Value: []byte{1}}
	refused(t, h.Create, r, errdefs.IsInvalidArgument)
	h.expect()
}

func TestOOM(t *testing.T) {
	h := newHost(t)
	limit := int64(16 << 20)
	r := h.request("sleep 1000", func(s *specs.Spec) {
		s.Linux.Resources = &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &limit, Swap: &limit}}
	})
	h.run(r)
	h.exec(&taskapi.ExecProcessRequest{ID: r.ID, ExecID: "x"}, "tail /dev/zero")
	if status := h.finish(r.ID, "x"); status != 137 {
		t.Skipf("exit status %d: the kernel does not limit memory here", status)
	}
	eventually(t, "an OOM event", func() bool { return slices.Contains(h.record.topics(), "oom") })
	h.kill(r.ID)
}

func TestConnectAndShutdown(t *testing.T) {
	h := newHost(t)
	r := h.request("sleep 1000")
	h.run(r)
	pid := do(t, h.State, &taskapi.StateRequest{ID: r.ID}).Pid
	if c := do(t, h.Connect, &taskapi.ConnectRequest{ID: r.ID}); c.ShimPid != uint32(os.Getpid()) || c.TaskPid != pid {
		t.Errorf("connect: %v", c)
	}
	do(t, h.Shutdown, &taskapi.ShutdownRequest{ID: r.ID})
	select {
	case <-h.shutdown.Done():
		t.Error("shut down with a container")
	case <-time.After(20 * time.Millisecond):
	}
	h.kill(r.ID)
	do(t, h.Shutdown, &taskapi.ShutdownRequest{ID: r.ID})
	select {
	case <-h.shutdown.Done():
	case <-time.After(time.Minute):
		t.Error("not shut down")
	}
	if !h.record.closed {
		t.Error("the publisher is open")
	}
}

// The service decodes requests of version 2 as those of version 3.
func TestVersionsHaveTheSameMessages(t *testing.T) {
	newer := taskapi.File_github_com_containerd_containerd_api_runtime_task_v3_shim_proto.Messages()
	older := taskv2.File_github_com_containerd_containerd_api_runtime_task_v2_shim_proto.Messages()
	if newer.Len() != older.Len() {
		t.Fatalf("%d messages, and %d", newer.Len(), older.Len())
	}
	for i := range newer.Len() {
		m := newer.Get(i)
		o := older.ByName(m.Name())
		if o == nil {
			t.Errorf("message %s is new", m.Name())
			continue
		}
		if a, b := fieldsOf(m), fieldsOf(o); !slices.Equal(a, b) {
			t.Errorf("message %s: fields %v, and %v", m.Name(), a, b)
		}
	}
}

func fieldsOf(m protoreflect.MessageDescriptor) []string {
	var list []string
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		kind := f.Kind().String()
		if f.Message() != nil {
			kind = strings.Replace(string(f.Message().FullName()), ".v2.", ".v3.", 1)
		}
		list = append(list, strconv.Itoa(int(f.Number()))+" "+string(f.Name())+" "+f.Cardinality().String()+" "+kind)
	}
	return list
}
