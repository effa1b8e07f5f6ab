package ociruntime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	"github.com/berth-oci/berth/libcontainer/config"
	ociruntime "github.com/berth-oci/berth/runtime"
	"github.com/berth-oci/berth/specconv"
)

// image makes a root file system with the single program hello.
func image(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("makes containers: needs root")
	}
	rootfs := filepath.Join(t.TempDir(), "rootfs")
	build := exec.Command("go", "build", "-o", filepath.Join(rootfs, "hello"), "./testdata/hello")
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

// setup returns a runtime and a configuration that runs hello with arguments.
func setup(t *testing.T, args ...string) (*ociruntime.Runtime, *specs.Spec) {
	t.Helper()
	spec := specconv.Default(specconv.DefaultOptions{})
	spec.Root.Path = image(t)
	spec.Process.Terminal = false
	spec.Process.Args = append([]string{"/hello"}, args...)
	// Unique to this run: another may be in progress.
	spec.Linux.CgroupsPath = fmt.Sprintf("/berth-%s-%d", t.Name(), os.Getpid())
	root := filepath.Join(t.TempDir(), "state")
	t.Cleanup(func() {
		if left, _ := os.ReadDir(root); len(left) > 0 {
			t.Errorf("left in the state root: %v", left)
		}
	})
	rt, err := ociruntime.New(ociruntime.Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	return rt, spec
}

// name returns an ID unique to the test, as cgroups are named by it.
func name(t *testing.T) string { return "berth-" + t.Name() }

func remove(t *testing.T, c *ociruntime.Container) {
	t.Helper()
	if err := c.Delete(context.Background(), ociruntime.DeleteOptions{Force: true}); err != nil {
		t.Error(err)
	}
}

func TestExample(t *testing.T) {
	rootfs := image(t)
	var out bytes.Buffer
	status, err := greet(t.Context(), filepath.Join(t.TempDir(), "state"), rootfs, &out)
	if err != nil || status != (libcontainer.ExitStatus{}) {
		t.Fatalf("status %v, error %v", status, err)
	}
	if got := out.String(); got != "hello from example, process 1\n" {
		t.Errorf("output %q", got)
	}
}

func TestReadersAndWriters(t *testing.T) {
	rt, spec := setup(t, "copy")
	text := strings.Repeat("a line of text\n", 100_000)
	var out, errOut bytes.Buffer
	c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{
		Spec: spec, Stdin: strings.NewReader(text), Stdout: &out, Stderr: &errOut,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer remove(t, c)
	if status, err := c.Wait(t.Context()); err != nil || status.Code != 0 {
		t.Fatalf("status %v, error %v", status, err)
	}
	if out.String() != text {
		t.Errorf("%d of %d bytes came back", out.Len(), len(text))
	}
	if errOut.String() != "1500000 <nil>\n" {
		t.Errorf("standard error: %q", &errOut)
	}
}

func TestExitStatus(t *testing.T) {
	rt, spec := setup(t, "exit", "7")
	c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	defer remove(t, c)
	if status, err := c.Wait(t.Context()); err != nil || status.Code != 7 {
		t.Errorf("status %v, error %v", status, err)
	}
}

func TestKillAndWait(t *testing.T) {
	rt, spec := setup(t, "sleep")
	c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	defer remove(t, c)
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting in vain: %v", err)
	}
	if err := c.Kill(t.Context(), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if status, err := c.Wait(t.Context()); err != nil || status.Shell() != 128+9 {
		t.Errorf("status %v, error %v", status, err)
	}
	if err := c.Kill(t.Context(), unix.SIGTERM); !errors.Is(err, libcontainer.ErrNotRunning) {
		t.Errorf("killing what has ended: %v", err)
	}
}

// TestStartElsewhere starts a container through another handle, as another
// process would.
func TestStartElsewhere(t *testing.T) {
	rt, spec := setup(t, "greet")
	var out bytes.Buffer
	c, err := rt.Create(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec, Stdout: &out})
	if err != nil {
		t.Fatal(err)
	}
	defer remove(t, c)
	other, err := rt.Load(name(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, err := c.Wait(t.Context()); err != nil || status.Code != 0 {
		t.Errorf("status %v, error %v", status, err)
	}
	if err := c.Start(t.Context()); !errors.Is(err, libcontainer.ErrInvalidState) {
		t.Errorf("starting twice: %v", err)
	}
}

func TestErrorsNameTheCause(t *testing.T) {
	rt, spec := setup(t)
	spec.Process.Args = []string{"/missing"}
	_, err := rt.Create(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
	var e *libcontainer.Error
	if !errors.As(err, &e) || e.Step != "find program" || !errors.Is(err, unix.ENOENT) {
		t.Errorf("missing program: %v (%+v)", err, e)
	}
	spec.Process.Cwd = "relative"
	_, err = rt.Create(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
	if !errors.As(err, &e) || e.Field != "process.cwd" || !errors.Is(err, libcontainer.ErrInvalidSpec) {
		t.Errorf("relative cwd: %v (%+v)", err, e)
	}
	if _, err := rt.Load(name(t)); !errors.Is(err, libcontainer.ErrNotExist) {
		t.Errorf("a container that could not be created: %v", err)
	}
}

func TestIDsAreTakenOnce(t *testing.T) {
	rt, spec := setup(t, "sleep")
	c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	defer remove(t, c)
	if _, err := rt.Create(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec}); !errors.Is(err, libcontainer.ErrExist) {
		t.Errorf("creating it twice: %v", err)
	}
	if state, err := c.State(); err != nil || state.Status != "running" {
		t.Errorf("the first one is %v, %v", state, err)
	}
}

// TestCancelledCreateLeavesNothing relies on setup's check of the state root. A failed
// create must return the context's error; a container from a successful one must work.
func TestCancelledCreateLeavesNothing(t *testing.T) {
	rt, spec := setup(t, "sleep")
	for wait := time.Duration(0); wait < 8*time.Millisecond; wait += time.Millisecond / 4 {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		c, err := rt.Create(ctx, name(t), ociruntime.CreateOptions{Spec: spec})
		cancel()
		if err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("after %s: %v", wait, err)
			}
			continue
		}
		if err := c.Start(t.Context()); err != nil {
			t.Errorf("after %s: %v", wait, err)
		}
		remove(t, c)
	}
}

// TestCancelledStartClosesTheStub starts a container when the context has ended already:
// no step of start has used the connection that create has opened.
func TestCancelledStartClosesTheStub(t *testing.T) {
	rt, spec := setup(t, "sleep")
	sockets := func() (n int) {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.HasPrefix(target, "socket:") {
				n++
			}
		}
		return n
	}
	before := sockets()
	c, err := rt.Create(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec, Attached: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Start(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("start: %v", err)
	}
	if state, err := c.State(); err != nil || state.Status != "stopped" {
		t.Errorf("state %+v, %v", state, err)
	}
	remove(t, c)
	if now := sockets(); now != before {
		t.Errorf("%d sockets, and %d before", now, before)
	}
}

// TestLookedAtWhileCreated reads the state of containers while they are created, as
// engines do that wait for a container: it must not be "stopped" yet.
func TestLookedAtWhileCreated(t *testing.T) {
	rt, spec := setup(t, "sleep")
	for range 20 {
		ctx, created := context.WithCancel(t.Context())
		looked := make(chan struct{})
		go func() {
			defer close(looked)
			for ctx.Err() == nil {
				c, err := rt.Load(name(t))
				if err != nil {
					continue // not yet there
				}
				state, err := c.State()
				if err != nil || state.Status == "stopped" || state.Status == "created" && state.Pid == 0 {
					t.Errorf("state %+v, %v", state, err)
					return
				}
			}
		}()
		c, err := rt.Create(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
		created()
		<-looked
		if err != nil {
			t.Fatal(err)
		}
		remove(t, c)
	}
}

// TestHandleFromBeforeTheEnd uses a handle loaded during create.
func TestHandleFromBeforeTheEnd(t *testing.T) {
	rt, spec := setup(t, "sleep")
	var early *ociruntime.Container
	look := func(context.Context, specs.State) (err error) {
		early, err = rt.Load(name(t))
		return err
	}
	c, err := rt.Create(t.Context(), name(t), ociruntime.CreateOptions{
		Spec: spec, Hooks: map[config.HookKind][]config.HookFunction{config.CreateRuntime: {look}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer remove(t, c)
	if state, err := early.State(); err != nil || state.Status != "created" || state.Pid != c.Pid() {
		t.Errorf("state %+v, %v", state, err)
	}
	if err := early.Start(t.Context()); err != nil {
		t.Errorf("start: %v", err)
	}
	if err := early.Pause(t.Context()); err != nil {
		t.Errorf("pause: %v", err)
	}
	if err := early.Delete(t.Context(), ociruntime.DeleteOptions{}); !errors.Is(err, libcontainer.ErrInvalidState) {
		t.Errorf("delete: %v", err)
	}
}

func TestRemovedWorkingDirectory(t *testing.T) {
	rt, spec := setup(t, "exit", "0")
	dir := filepath.Join(t.TempDir(), "removed")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	remove(t, c)
	spec.Root.Path = "rootfs"
	_, err = rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
	var e *libcontainer.Error
	if !errors.As(err, &e) || e.Field != "root.path" {
		t.Errorf("relative path: %v", err)
	}
}
