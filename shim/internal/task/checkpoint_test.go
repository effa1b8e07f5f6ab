package task

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	runc "github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/types/known/anypb"
)

func needsCRIU(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("criu"); err != nil {
		t.Skip("no criu in $PATH: the bed \"criu\" has it")
	}
}

// withFifos connects standard input, and reads the output.
func (h *host) withFifos(r *taskapi.CreateTaskRequest) (stdout func() string) {
	h.t.Helper()
	r.Stdin = filepath.Join(r.Bundle, "in")
	if err := unix.Mkfifo(r.Stdin, 0o700); err != nil {
		h.t.Fatal(err)
	}
	r.Stdout, stdout = h.fifo()
	return stdout
}

// saved checkpoints a container that writes to /tmp/ready, and ends it.
func (h *host) saved(r *taskapi.CreateTaskRequest, o *runc.CheckpointOptions) (image string) {
	h.t.Helper()
	eventually(h.t, "the program runs", func() bool {
		_, err := os.Stat(filepath.Join(h.dir, "rootfs", "tmp", "ready"))
		return err == nil
	})
	image = filepath.Join(h.dir, "image")
	o.Exit = true
	do(h.t, h.Checkpoint, &taskapi.CheckpointTaskRequest{ID: r.ID, Path: image, Options: h.marshal(o)})
	if status := h.finish(r.ID, ""); status != 137 {
		h.t.Errorf("exit status %d, want 137", status)
	}
	return image
}

func writable(s *specs.Spec) { s.Root.Readonly = false }

func TestCheckpointAndRestore(t *testing.T) {
	needsCRIU(t)
	h := newHost(t)
	const script = "echo before; : >/tmp/ready; read line; echo got $line; exit 7"
	first := h.request(script, writable)
	before := h.withFifos(first)
	h.run(first)
	image := h.saved(first, &runc.CheckpointOptions{})
	if out := before(); out != "before\n" {
		t.Errorf("output %q", out)
	}

	r := h.request(script, writable)
	after := h.withFifos(r)
	r.Checkpoint = image
	if created := do(t, h.Create, r); created.Pid != 0 {
		t.Errorf("create: pid %d before the restore", created.Pid)
	}
	started := do(t, h.Start, &taskapi.StartRequest{ID: r.ID})
	state := do(t, h.State, &taskapi.StateRequest{ID: r.ID})
	if state.Status != task.Status_RUNNING || state.Pid != started.Pid || state.Pid == 0 {
		t.Errorf("restored: %v, started: %v", state, started)
	}
	refused(t, h.Start, &taskapi.StartRequest{ID: r.ID}, errdefs.IsFailedPrecondition)
	e := &taskapi.ExecProcessRequest{ID: r.ID, ExecID: "one"}
	h.exec(e, "exit 5")
	if status := h.finish(r.ID, "one"); status != 5 {
		t.Errorf("exec: exit status %d, want 5", status)
	}
	if err := writeTo(r.Stdin, "a line\n"); err != nil {
		t.Fatal(err)
	}
	if out := after(); out != "got a line\n" {
		t.Errorf("output %q", out)
	}
	if status := h.finish(r.ID, ""); status != 7 {
		t.Errorf("exit status %d, want 7", status)
	}
	h.expect("create", "start", "checkpointed", "exit "+first.ID+" 137", "delete",
		"create", "start", "exec-added", "exec-started", "exit one 5", "exit "+r.ID+" 7", "delete")
}

func TestCheckpointLetsTheContainerRun(t *testing.T) {
	needsCRIU(t)
	h := newHost(t)
	r := h.request("read line") // CRIU interrupts a sleep
	h.withFifos(r)
	h.run(r)
	work := filepath.Join(h.dir, "work")
	image := filepath.Join(h.dir, "image")
	do(t, h.Pause, &taskapi.PauseRequest{ID: r.ID})
	do(t, h.Checkpoint, &taskapi.CheckpointTaskRequest{ID: r.ID, Path: image, Options: h.marshal(&runc.CheckpointOptions{WorkPath: work})})
	if _, err := os.Stat(filepath.Join(work, "dump.log")); err != nil {
		t.Error(err)
	}
	if state := do(t, h.State, &taskapi.StateRequest{ID: r.ID}); state.Status != task.Status_PAUSED {
		t.Errorf("after a checkpoint: %v", state)
	}
	do(t, h.Resume, &taskapi.ResumeRequest{ID: r.ID})
	do(t, h.Checkpoint, &taskapi.CheckpointTaskRequest{ID: r.ID, Path: image})
	if _, err := os.Stat(filepath.Join(image, "dump.log")); err == nil {
		t.Error("CRIU's log is part of the image")
	}
	h.kill(r.ID)
}

func TestRestoreOfATerminal(t *testing.T) {
	needsCRIU(t)
	h := newHost(t)
	const script = ": >/tmp/ready; read line; echo got $line; stty size; exit 3"
	terminal := func(s *specs.Spec) { s.Process.Terminal = true }
	first := h.request(script, writable, terminal)
	h.withFifos(first)
	h.run(first)
	image := h.saved(first, &runc.CheckpointOptions{})

	r := h.request(script, writable, terminal)
	stdout := h.withFifos(r)
	r.Checkpoint = image
	h.run(r)
	do(t, h.ResizePty, &taskapi.ResizePtyRequest{ID: r.ID, Width: 70, Height: 30})
	if err := writeTo(r.Stdin, "typed\n"); err != nil {
		t.Fatal(err)
	}
	out := strings.ReplaceAll(stdout(), "\r", "")
	if !strings.Contains(out, "got typed\n") || !strings.Contains(out, "30 70\n") {
		t.Errorf("output %q", out)
	}
	if status := h.finish(r.ID, ""); status != 3 {
		t.Errorf("exit status %d, want 3", status)
	}
}

// What a checkpoint was allowed to contain can be restored: the request has no options.
func TestRestoreOfFileLocks(t *testing.T) {
	needsCRIU(t)
	h := newHost(t)
	h.addLocker()
	locks := func(s *specs.Spec) { s.Process.Args = []string{"/bin/locker", "-test.run", "^TestLocker$"} }
	first := h.request("", writable, locks)
	h.withFifos(first)
	h.run(first)
	image := h.saved(first, &runc.CheckpointOptions{FileLocks: true})

	r := h.request("", writable, locks)
	h.withFifos(r)
	r.Checkpoint = image
	h.run(r)
	lock, err := os.OpenFile(filepath.Join(h.dir, "rootfs", "tmp", "lock"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != unix.EWOULDBLOCK {
		t.Errorf("lock of a restored container's file: %v", err)
	}
	if err := writeTo(r.Stdin, "end\n"); err != nil {
		t.Fatal(err)
	}
	if status := h.finish(r.ID, ""); status != 4 {
		t.Errorf("exit status %d, want 4", status)
	}
}

// addLocker makes this test's program one of the root file system, which has no libraries.
func (h *host) addLocker() {
	h.t.Helper()
	self, err := elf.Open("/proc/self/exe")
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = self.Close() }()
	if self.Section(".interp") != nil {
		h.t.Skip("the test is linked dynamically: set CGO_ENABLED=0")
	}
	program, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(filepath.Join(h.dir, "rootfs", "bin", "locker"), program, 0o755)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// TestLocker is the program of TestRestoreOfFileLocks: it has a lock until it reads a line.
func TestLocker(t *testing.T) {
	if !strings.HasSuffix(os.Args[0], "/locker") {
		t.Skip("only for TestRestoreOfFileLocks")
	}
	lock, err := os.Create("/tmp/lock")
	if err == nil {
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX)
	}
	if err == nil {
		err = os.WriteFile("/tmp/ready", nil, 0o600)
	}
	if err == nil {
		_, err = os.Stdin.Read(make([]byte, 80))
	}
	if err != nil {
		t.Fatal(err)
	}
	os.Exit(4)
}

// A container that Start has not restored has no processes.
func TestBeforeTheRestore(t *testing.T) {
	h := newHost(t)
	r := h.request("true")
	r.Checkpoint = filepath.Join(h.dir, "nonesuch")
	h.withFifos(r)
	do(t, h.Create, r)
	if state := do(t, h.State, &taskapi.StateRequest{ID: r.ID}); state.Status != task.Status_CREATED || state.Pid != 0 {
		t.Errorf("created: %v", state)
	}
	refused(t, h.Kill, &taskapi.KillRequest{ID: r.ID, Signal: uint32(unix.SIGKILL), All: true}, errdefs.IsNotFound)
	refused(t, h.Pause, &taskapi.PauseRequest{ID: r.ID}, errdefs.IsFailedPrecondition)
	refused(t, h.Resume, &taskapi.ResumeRequest{ID: r.ID}, errdefs.IsFailedPrecondition)
	refused(t, h.Pids, &taskapi.PidsRequest{ID: r.ID}, errdefs.IsFailedPrecondition)
	refused(t, h.Stats, &taskapi.StatsRequest{ID: r.ID}, errdefs.IsFailedPrecondition)
	refused(t, h.Checkpoint, &taskapi.CheckpointTaskRequest{ID: r.ID, Path: h.dir}, errdefs.IsFailedPrecondition)
	refused(t, h.Update, &taskapi.UpdateTaskRequest{ID: r.ID, Resources: &anypb.Any{Value: []byte("{}")}}, errdefs.IsFailedPrecondition)
	do(t, h.Exec, &taskapi.ExecProcessRequest{ID: r.ID, ExecID: "x", Spec: h.process("true")})
	refused(t, h.Start, &taskapi.StartRequest{ID: r.ID, ExecID: "x"}, errdefs.IsFailedPrecondition)
	if status := h.finish(r.ID, "x"); status != unknownStatus {
		t.Errorf("exec: exit status %d, want %d", status, unknownStatus)
	}
	for range 2 { // it can be tried again
		_, err := h.Start(t.Context(), &taskapi.StartRequest{ID: r.ID})
		if err == nil || !strings.HasPrefix(err.Error(), "OCI runtime restore failed: ") {
			t.Errorf("start: %v", err)
		}
	}
	if d := do(t, h.Delete, &taskapi.DeleteRequest{ID: r.ID}); d.ExitStatus != unknownStatus || d.Pid != 0 {
		t.Errorf("delete: %v", d)
	}
	h.expect("create", "exec-added", "delete")
}

// Both operations say in one line that CRIU is not installed.
func TestWithoutCRIU(t *testing.T) {
	h := newHost(t)
	t.Setenv("PATH", t.TempDir())
	r := h.request("sleep 1000")
	h.run(r)
	image := filepath.Join(h.dir, "image")
	_, err := h.Checkpoint(t.Context(), &taskapi.CheckpointTaskRequest{ID: r.ID, Path: image})
	lacksCRIU(t, err)
	h.kill(r.ID)

	if err := os.Mkdir(image, 0o700); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
	r = h.request("sleep 1000")
	r.Checkpoint = image
	do(t, h.Create, r)
	_, err = h.Start(t.Context(), &taskapi.StartRequest{ID: r.ID})
	lacksCRIU(t, err)
	do(t, h.Delete, &taskapi.DeleteRequest{ID: r.ID})
}

func lacksCRIU(t *testing.T, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), `needs CRIU 3.17 or later: "criu" is not in $PATH`) || strings.Contains(err.Error(), "\n") {
		t.Errorf("without CRIU: %v", err)
	}
}

func TestCheckpointRefusesOptions(t *testing.T) {
	h := newHost(t)
	r := h.request("sleep 1000")
	h.run(r)
	refused(t, h.Checkpoint, &taskapi.CheckpointTaskRequest{ID: r.ID}, errdefs.IsInvalidArgument)
	refused(t, h.Checkpoint, &taskapi.CheckpointTaskRequest{ID: r.ID, Path: h.dir, Options: h.marshal(&runc.Options{})}, errdefs.IsInvalidArgument)
	for _, o := range []*runc.CheckpointOptions{{CgroupsMode: "some"}, {EmptyNamespaces: []string{"mount"}}} {
		if _, err := h.Checkpoint(t.Context(), &taskapi.CheckpointTaskRequest{ID: r.ID, Path: h.dir, Options: h.marshal(o)}); err == nil {
			t.Errorf("%v: no error", o)
		}
	}
	h.kill(r.ID)
}
