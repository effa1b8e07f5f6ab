package ociruntime_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

// sleeping returns a container that exec works in.
func sleeping(t *testing.T, change func(*specs.Spec)) *ociruntime.Container {
	t.Helper()
	rt, spec := setup(t, "sleep")
	if change != nil {
		change(spec)
	}
	c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // before the check of the state root
		if err := c.Delete(context.Background(), ociruntime.DeleteOptions{Force: true}); err != nil {
			t.Error(err)
		}
	})
	return c
}

// execute executes hello with arguments.
func execute(t *testing.T, c *ociruntime.Container, o ociruntime.ExecOptions, args ...string) *ociruntime.Process {
	t.Helper()
	process, err := c.NewProcess(append([]string{"/hello"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	if o.Process != nil {
		process.Terminal = o.Process.Terminal
	}
	o.Process = process
	p, err := c.Exec(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func letGo(t *testing.T, p *ociruntime.Process) {
	t.Helper()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestExec(t *testing.T) {
	c := sleeping(t, nil)
	text := strings.Repeat("a line of text\n", 10_000)
	var out, errOut bytes.Buffer
	p := execute(t, c, ociruntime.ExecOptions{Stdin: strings.NewReader(text), Stdout: &out, Stderr: &errOut}, "copy")
	if status, err := p.Wait(t.Context()); err != nil || status != (libcontainer.ExitStatus{}) {
		t.Errorf("status %v, error %v", status, err)
	}
	letGo(t, p)
	if out.String() != text || errOut.String() != "150000 <nil>\n" {
		t.Errorf("%d bytes came back; %q", out.Len(), &errOut)
	}
	if state, err := c.State(); err != nil || state.Status != "running" {
		t.Errorf("the container is %v, %v", state, err)
	}
}

func TestExecSideBySide(t *testing.T) {
	c := sleeping(t, nil)
	var all sync.WaitGroup
	for code := range 16 {
		all.Go(func() {
			p := execute(t, c, ociruntime.ExecOptions{}, "exit", string("0123456789abcdef"[code%10]))
			defer letGo(t, p)
			if status, err := p.Wait(t.Context()); err != nil || status.Code != code%10 {
				t.Errorf("status %v, error %v", status, err)
			}
		})
	}
	all.Wait()
}

func TestKillProcess(t *testing.T) {
	c := sleeping(t, nil)
	p := execute(t, c, ociruntime.ExecOptions{}, "sleep")
	defer letGo(t, p)
	if err := p.Kill(t.Context(), unix.SIGTERM); err != nil {
		t.Error(err)
	}
	if status, err := p.Wait(t.Context()); err != nil || status.Signal != unix.SIGTERM || status.OOM != "" {
		t.Errorf("status %v, error %v", status, err)
	}
	if err := p.Kill(t.Context(), unix.SIGTERM); !errors.Is(err, libcontainer.ErrNotRunning) {
		t.Errorf("killing what has ended: %v", err)
	}
}

func TestExecOnATerminal(t *testing.T) {
	c := sleeping(t, nil)
	p := execute(t, c, ociruntime.ExecOptions{Process: &specs.Process{Terminal: true}}, "greet")
	defer letGo(t, p)
	if err := p.Console().Resize(30, 100); err != nil {
		t.Error(err)
	}
	out, err := io.ReadAll(p.Console())
	if err == nil || err.Error() != "read /dev/pts/ptmx: input/output error" {
		t.Errorf("the end of the terminal is %v", err)
	}
	if !strings.HasPrefix(string(out), "hello from") || !strings.HasSuffix(string(out), "\n") || strings.Contains(string(out), "\r") {
		t.Errorf("printed %q", out)
	}
	if status, err := p.Wait(t.Context()); err != nil || status.Code != 0 {
		t.Errorf("status %v, error %v", status, err)
	}
}

func TestExecOOM(t *testing.T) {
	limit := int64(40 << 20)
	c := sleeping(t, func(spec *specs.Spec) {
		spec.Linux.Resources.Memory = &specs.LinuxMemory{Limit: &limit, Swap: &limit}
	})
	p := execute(t, c, ociruntime.ExecOptions{}, "eat")
	defer letGo(t, p)
	if status, err := p.Wait(t.Context()); err != nil || status.OOM == "" || status.Shell() != 137 {
		t.Errorf("status %+v, error %v", status, err)
	}
}

func TestExecErrors(t *testing.T) {
	c := sleeping(t, nil)
	process, err := c.NewProcess("/hello")
	if err != nil {
		t.Fatal(err)
	}
	var e *libcontainer.Error
	process.Cwd = "relative"
	_, err = c.Exec(t.Context(), ociruntime.ExecOptions{Process: process})
	if !errors.As(err, &e) || e.Field != "process.cwd" || !errors.Is(err, libcontainer.ErrInvalidSpec) {
		t.Errorf("relative cwd: %v (%+v)", err, e)
	}
	process.Cwd, process.Terminal = "/", true
	if _, err = c.Exec(t.Context(), ociruntime.ExecOptions{Process: process, ConsoleRequired: true}); err == nil {
		t.Error("a terminal that nobody holds")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	process.Terminal = false
	if _, err = c.Exec(ctx, ociruntime.ExecOptions{Process: process}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if err := c.Kill(t.Context(), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err = c.Exec(t.Context(), ociruntime.ExecOptions{Process: process}); !errors.Is(err, libcontainer.ErrInvalidState) {
		t.Errorf("in a stopped container: %v", err)
	}
}

// A container that is paused, or blocks a process that enters it in another way, does
// not block Exec after the end of its context.
func TestExecEndsWithContext(t *testing.T) {
	c := sleeping(t, nil)
	if err := c.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	process, err := c.NewProcess("/hello")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Exec(ctx, ociruntime.ExecOptions{Process: process, IgnorePaused: true}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if err := c.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := execute(t, c, ociruntime.ExecOptions{})
	if _, err := p.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	letGo(t, p)
}

// A container that has frozen its own v2 cgroup does not block this process: the garbage
// collector stops all goroutines, and would wait for a thread that waits for a child.
func TestExecInFrozenCgroupBlocksNothing(t *testing.T) {
	c := sleeping(t, nil)
	cgroups, err := c.Cgroups()
	if err != nil {
		t.Fatal(err)
	}
	if cgroups[""] == "" {
		t.Skip("no cgroup v2 here")
	}
	process, err := c.NewProcess("/hello")
	if err != nil {
		t.Fatal(err)
	}
	thaw := freeze(t, cgroups[""])
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error)
	go func() {
		_, err := c.Exec(ctx, ociruntime.ExecOptions{Process: process, IgnorePaused: true})
		done <- err
	}()
	for processes(t, cgroups[""]) < 2 {
		select {
		case err := <-done:
			t.Fatalf("Exec did not wait: %v", err)
		default:
			runtime.GC()
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if err := thaw(); err != nil {
		t.Errorf("Exec did not end within a minute: %v", err)
	}
}

// freeze freezes a v2 cgroup. Another process thaws it: when thaw is called, or after a
// minute, which is thaw's error.
func freeze(t *testing.T, dir string) (thaw func() error) {
	t.Helper()
	file := dir + "/cgroup.freeze"
	cmd := exec.Command("sh", "-c", `timeout 60 cat; late=$?; echo 0 >"$1"; exit "$late"`, "sh", file)
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		err = os.WriteFile(file, []byte("1"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return sync.OnceValue(func() error { return errors.Join(stdin.Close(), cmd.Wait()) })
}

// processes returns the number of processes in a v2 cgroup.
func processes(t *testing.T, dir string) int {
	t.Helper()
	pids, err := os.ReadFile(dir + "/cgroup.procs")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(pids, []byte("\n"))
}

// TestExamples runs the examples that have no output of their own.
func TestExamples(t *testing.T) {
	c := sleeping(t, nil)
	if healthy, said, err := check(t.Context(), c, time.Minute, "/hello", "greet"); !healthy || !strings.HasPrefix(said, "hello from") || err != nil {
		t.Errorf("check: %v %q %v", healthy, said, err)
	}
	if healthy, _, err := check(t.Context(), c, time.Minute, "/hello", "exit", "3"); healthy || err != nil {
		t.Errorf("check that fails: %v %v", healthy, err)
	}
	if _, _, err := check(t.Context(), c, 200*time.Millisecond, "/hello", "sleep"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("check that hangs: %v", err)
	}
	var out bytes.Buffer
	if err := shell(t.Context(), c, strings.NewReader(""), &out, "/hello", "greet"); err != nil || !strings.HasPrefix(out.String(), "hello from") {
		t.Errorf("shell: %q %v", &out, err)
	}
}
