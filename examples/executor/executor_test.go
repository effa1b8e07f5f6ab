package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

// image makes a root file system with the single program hello.
func image(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("makes containers: needs root")
	}
	rootfs := filepath.Join(t.TempDir(), "rootfs")
	build := exec.Command("go", "build", "-o", filepath.Join(rootfs, "hello"), "../../runtime/testdata/hello")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, dir := range []string{"proc", "sys", "dev"} {
		if err := os.Mkdir(filepath.Join(rootfs, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return rootfs
}

// supervisor returns an executor, and the configuration of a task. At the end of the test
// no task, descriptor or goroutine may be left.
func supervisor(t *testing.T, args ...string) (*Executor, Config) {
	t.Helper()
	rootfs := image(t)
	dir := t.TempDir()
	files, goroutines := descriptors(t), runtime.NumGoroutine()
	e, err := New(filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, task := range e.tasks {
			t.Errorf("%s is left", task.ID())
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		settle(t, "descriptors", files, func() int { return descriptors(t) })
		settle(t, "goroutines", goroutines, runtime.NumGoroutine)
	})
	return e, Config{
		ID: fmt.Sprintf("executor-%s-%d", t.Name(), os.Getpid()), Rootfs: rootfs,
		Args: append([]string{"/hello"}, args...), Output: filepath.Join(dir, "output"),
	}
}

// settle checks that a number returns to what it was.
func settle(t *testing.T, what string, before int, now func() int) {
	t.Helper()
	for range 6000 { // a minute
		if now() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d %s, and %d before", now(), what, before)
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func start(t *testing.T, e *Executor, c Config) *Task {
	t.Helper()
	task, err := e.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// remove removes a task, and checks that its cgroup is gone.
func remove(t *testing.T, task *Task) {
	t.Helper()
	dirs, err := task.c.Cgroups()
	if err != nil {
		t.Error(err)
	}
	if err := task.Remove(context.Background()); err != nil {
		t.Error(err)
	}
	for _, dir := range dirs {
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("cgroup %s: %v", dir, err)
		}
	}
}

func TestFiftyTasks(t *testing.T) {
	e, config := supervisor(t, "exit")
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			c := config
			c.ID += fmt.Sprint("-", i)
			c.Args = append(c.Args[:2:2], fmt.Sprint(i))
			task, err := e.Start(t.Context(), c)
			if err != nil {
				t.Error(err)
				return
			}
			result, err := task.Wait(t.Context())
			if err != nil || result.Err != nil || result.Status.Code != i || result.Stats == nil || result.Stats.CPU.Usage.Total == 0 {
				t.Errorf("%d: %+v, %v", i, result, err)
			}
			remove(t, task)
		})
	}
	all.Wait()
}

func TestLimits(t *testing.T) {
	e, config := supervisor(t, "eat")
	config.Limits = Limits{Memory: 32 << 20, Pids: 100, Shares: 512}
	task := start(t, e, config)
	defer remove(t, task)
	result, err := task.Wait(t.Context())
	if err != nil || result.Status.Signal != unix.SIGKILL || result.Status.OOM != "linux.resources.memory.limit is 33554432 bytes" {
		t.Errorf("%+v, %v", result, err)
	}
	if result.Stats == nil || result.Stats.Memory.Usage.Limit != 32<<20 {
		t.Errorf("statistics %+v", result.Stats)
	}
}

func TestUpdateAndEvents(t *testing.T) {
	e, config := supervisor(t, "sleep")
	task := start(t, e, config)
	defer remove(t, task)
	if err := task.Update(t.Context(), Limits{Memory: 64 << 20}); err != nil {
		t.Fatal(err)
	}
	var bad *libcontainer.Error
	if err := task.Update(t.Context(), Limits{Shares: 1}); !errors.As(err, &bad) || bad.Field != "linux.resources.cpu.shares" {
		t.Errorf("update: %v", err)
	}
	count := 0
	for event, err := range task.Events(t.Context(), 10*time.Millisecond) {
		if err != nil || event.Type != ociruntime.EventStats || event.Data.Memory.Usage.Limit != 64<<20 {
			t.Errorf("%+v, %v", event, err)
		}
		if count++; count == 3 {
			if err := task.Signal(t.Context(), unix.SIGKILL); err != nil {
				t.Error(err)
			}
		}
	}
	if count < 3 {
		t.Errorf("%d events", count)
	}
}

func TestExec(t *testing.T) {
	e, config := supervisor(t, "sleep")
	task := start(t, e, config)
	defer remove(t, task)
	if status, out, err := task.Exec(t.Context(), strings.NewReader("text"), "/hello", "copy"); err != nil || status.Code != 0 || string(out) != "text4 <nil>\n" {
		t.Errorf("%v, %q, %v", status, out, err)
	}
	if status, _, err := task.Exec(t.Context(), nil, "/hello", "exit", "3"); err != nil || status.Code != 3 {
		t.Errorf("%v, %v", status, err)
	}
	if out := flood(t, task); !bytes.HasPrefix(out, []byte("flood\n")) {
		t.Errorf("%d bytes", len(out))
	}
	_, out, err := task.Exec(t.Context(), nil, "/hello", "hold", "flood")
	if !errors.Is(err, ociruntime.ErrWaitDelay) || !bytes.HasPrefix(out, []byte("held\n")) {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}

// flood executes a program that writes without end, until the end of a context. The time
// is extended until the program has written something.
func flood(t *testing.T, task *Task) (out []byte) {
	t.Helper()
	for timeout := 100 * time.Millisecond; len(out) == 0 && timeout < time.Minute; timeout *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		_, written, err := task.Exec(ctx, nil, "/hello", "flood")
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		out = written
	}
	return out
}

func TestTerminal(t *testing.T) {
	e, config := supervisor(t, "sleep")
	task := start(t, e, config)
	defer remove(t, task)
	var out bytes.Buffer
	status, err := task.Terminal(t.Context(), strings.NewReader(""), &out, 24, 80, "/hello", "greet")
	if err != nil || status.Code != 0 || !strings.HasPrefix(out.String(), "hello from "+config.ID) {
		t.Errorf("%v, %q, %v", status, &out, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := task.Terminal(ctx, strings.NewReader(""), &out, 24, 80, "/hello", "sleep"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it does not end: %v", err)
	}
}

func TestStop(t *testing.T) {
	e, config := supervisor(t, "sleep")
	task := start(t, e, config)
	defer remove(t, task)
	if result, err := task.Stop(t.Context(), 100*time.Millisecond); err != nil || result.Status.Shell() == 0 {
		t.Errorf("%+v, %v", result, err)
	}
	if result, err := task.Stop(t.Context(), time.Minute); err != nil || result.Status.Shell() == 0 {
		t.Errorf("again: %+v, %v", result, err)
	}
}

func TestCanceledStart(t *testing.T) {
	e, config := supervisor(t, "sleep")
	for wait := time.Duration(0); wait < 8*time.Millisecond; wait += time.Millisecond {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		task, err := e.Start(ctx, config)
		cancel()
		switch {
		case err == nil:
			remove(t, task)
		case !errors.Is(err, context.DeadlineExceeded):
			t.Errorf("after %s: %v", wait, err)
		}
	}
}

// Variables of the process that leaves a task.
const (
	rootVariable   = "BERTH_EXAMPLE_ROOT"
	rootfsVariable = "BERTH_EXAMPLE_ROOTFS"
)

// TestReattach lets another process start tasks and end, as a supervisor does that is
// updated or killed.
func TestReattach(t *testing.T) {
	if root := os.Getenv(rootVariable); root != "" {
		leaveTasks(t, root)
		return
	}
	rootfs, root := image(t), filepath.Join(t.TempDir(), "state")
	first := exec.Command(os.Args[0], "-test.run=^TestReattach$")
	first.Env = append(os.Environ(), rootVariable+"="+root, rootfsVariable+"="+rootfs)
	if out, err := first.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	e, err := New(root)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	running, over := leftTasks(os.Getpid())
	task, ended := e.Task(running), e.Task(over)
	if task == nil || ended == nil {
		t.Fatal("the tasks are not found")
	}
	if status, _, err := task.Exec(t.Context(), nil, "/hello", "exit", "5"); err != nil || status.Code != 5 {
		t.Errorf("exec: %v, %v", status, err)
	}
	if stats, err := task.Stats(t.Context()); err != nil || stats.Memory.Usage.Limit != 64<<20 {
		t.Errorf("statistics: %+v, %v", stats, err)
	}
	if result, err := task.Stop(t.Context(), 0); err != nil || result.Err != nil || result.Status.Shell() == 0 {
		t.Errorf("stop: %+v, %v", result, err)
	}
	remove(t, task)
	if result, err := ended.Wait(t.Context()); err != nil || result.Err != nil && !errors.Is(result.Err, libcontainer.ErrNotRunning) {
		t.Errorf("ended meanwhile: %+v, %v", result, err)
	}
	remove(t, ended)
}

// leftTasks returns the IDs of the tasks that the first supervisor leaves to the process
// pid, its parent.
func leftTasks(pid int) (running, ended string) {
	return fmt.Sprintf("executor-running-%d", pid), fmt.Sprintf("executor-ended-%d", pid)
}

// leaveTasks is the first supervisor.
func leaveTasks(t *testing.T, root string) {
	e, err := New(root)
	if err != nil {
		t.Fatal(err)
	}
	config := Config{Rootfs: os.Getenv(rootfsVariable), Output: filepath.Join(root, "../output"), Limits: Limits{Memory: 64 << 20}}
	running, ended := leftTasks(os.Getppid())
	config.ID, config.Args = running, []string{"/hello", "sleep"}
	start(t, e, config)
	config.ID, config.Args = ended, []string{"/hello", "exit", "0"}
	if _, err := start(t, e, config).Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}
