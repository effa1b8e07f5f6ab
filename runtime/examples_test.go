package ociruntime_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

// TestExampleSupervisor kills a supervisor while its container runs, and starts another
// one, which reports the exit status. A third one runs the container again.
func TestExampleSupervisor(t *testing.T) {
	if root := os.Getenv(rootVariable); root != "" {
		var spec specs.Spec
		if err := json.NewDecoder(os.Stdin).Decode(&spec); err != nil {
			t.Fatal(err)
		}
		rt, err := ociruntime.New(ociruntime.Options{Root: root})
		if err != nil {
			t.Fatal(err)
		}
		status, err := supervise(t.Context(), rt, "web", ociruntime.CreateOptions{Spec: &spec})
		t.Fatalf("the container has ended: %v, %v", status, err)
	}
	_, spec := setup(t, "sleep")
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	defer unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) //nolint:errcheck // it has succeeded above
	root := filepath.Join(t.TempDir(), "state")
	first := exec.Command(os.Args[0], "-test.run=^TestExampleSupervisor$")
	first.Env, first.Stdin = append(os.Environ(), rootVariable+"="+root), bytes.NewReader(text)
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	rt, err := ociruntime.New(ociruntime.Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	c := awaitRunning(t, rt, "web")
	if err := errors.Join(first.Process.Kill(), first.Wait()); err == nil || err.Error() != "signal: killed" {
		t.Errorf("the first supervisor: %v", err)
	}
	pid := c.Pid()
	var status libcontainer.ExitStatus
	done := make(chan error)
	go func() {
		var err error
		status, err = supervise(t.Context(), rt, "web", ociruntime.CreateOptions{Spec: nil, Bundle: "/nonexistent"})
		done <- err
	}()
	if err := c.Kill(t.Context(), unix.SIGKILL); err != nil {
		t.Error(err)
	}
	// If the kill came first, the second supervisor finds a container that has ended,
	// and fails to run the one of /nonexistent.
	err = <-done
	if attached := err == nil; attached && status.Signal != unix.SIGKILL || !attached && !errors.Is(err, unix.ENOENT) {
		t.Errorf("status %v, error %v", status, err)
	}
	if _, err := rt.Load("web"); !errors.Is(err, libcontainer.ErrNotExist) {
		t.Errorf("the container is left: %v", err)
	}
	if err := unix.Kill(pid, 0); !errors.Is(err, unix.ESRCH) {
		t.Errorf("process %d: %v", pid, err)
	}
	spec.Process.Args = []string{"/hello", "exit", "3"}
	if status, err := supervise(t.Context(), rt, "web", ociruntime.CreateOptions{Spec: spec}); err != nil || status.Code != 3 {
		t.Errorf("the third supervisor: %v, %v", status, err)
	}
}

// awaitRunning waits until a container's program runs: the stub of Run ends with the
// process that drives it.
func awaitRunning(t *testing.T, rt *ociruntime.Runtime, id string) *ociruntime.Container {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		c, err := rt.Load(id)
		if err == nil {
			name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", c.Pid()))
			if status, err := c.Status(); err == nil && status == libcontainer.Running && string(name) == "hello\n" {
				return c
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the container does not run: %v", err)
		}
	}
}

// TestExampleSupervisorKilledEarly supervises after a create that was killed, and after
// one that nobody has started.
func TestExampleSupervisorKilledEarly(t *testing.T) {
	rt, spec := setup(t, "exit", "4")
	if _, err := rt.Create(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec}); err != nil {
		t.Fatal(err)
	}
	again, _ := setup(t)
	for _, rt := range []*ociruntime.Runtime{rt, again} {
		status, err := supervise(t.Context(), rt, name(t), ociruntime.CreateOptions{Spec: spec})
		if err != nil || status.Code != 4 {
			t.Errorf("%v, %v", status, err)
		}
	}
	c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, err := supervise(t.Context(), rt, name(t), ociruntime.CreateOptions{Spec: spec}); err != nil || status.Code != 4 {
		t.Errorf("after one that has ended: %v, %v", status, err)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := supervise(stopped, rt, name(t), ociruntime.CreateOptions{Spec: spec}); !errors.Is(err, context.Canceled) {
		t.Errorf("without time: %v", err)
	}
}

func TestExampleEvents(t *testing.T) {
	c := sleeping(t, nil)
	var said []string
	report := func(words ...any) {
		if said = append(said, fmt.Sprint(words...)); len(said) == 3 {
			if err := c.Kill(t.Context(), unix.SIGKILL); err != nil {
				t.Error(err)
			}
		}
	}
	if err := monitor(t.Context(), c, time.Millisecond, report); err != nil {
		t.Error(err)
	}
	if len(said) < 3 || !strings.HasPrefix(said[0], c.ID()+": ") || !strings.HasSuffix(said[0], " bytes") {
		t.Errorf("reported %q", said)
	}
	if err := monitor(t.Context(), c, time.Second, report); !errors.Is(err, libcontainer.ErrNotRunning) {
		t.Errorf("a container that has ended: %v", err)
	}
}

func TestExampleUpdate(t *testing.T) {
	c := sleeping(t, nil)
	dirs, err := c.Cgroups()
	if err != nil {
		t.Fatal(err)
	}
	if dirs["memory"] == "" || dirs["cpu"] == "" {
		t.Skip("no controllers of v1 for memory and CPU time here")
	}
	if err := resize(t.Context(), c, 64<<20, 0.25); err != nil {
		t.Fatal(err)
	}
	quota, err := os.ReadFile(dirs["cpu"] + "/cpu.cfs_quota_us")
	if stats, e := c.Stats(t.Context()); err != nil || e != nil || string(quota) != "25000\n" || stats.Memory.Usage.Limit != 64<<20 {
		t.Errorf("quota %q, %v, statistics %+v, %v", quota, err, stats, e)
	}
	if err := resize(t.Context(), c, 8<<10, 1); err == nil || !strings.Contains(err.Error(), "needs more") {
		t.Errorf("less than is in use: %v", err)
	}
	if again, err := os.ReadFile(dirs["cpu"] + "/cpu.cfs_quota_us"); err != nil || !slices.Equal(again, quota) {
		t.Errorf("the quota is %q, %v", again, err)
	}
	if err := resize(t.Context(), c, 64<<20, 0.0001); err == nil || !strings.Contains(err.Error(), "linux.resources.cpu") {
		t.Errorf("a quota that is too small: %v", err)
	}
	if err := c.Kill(t.Context(), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := resize(t.Context(), c, 64<<20, 1); err != nil {
		t.Errorf("after the end: %v", err)
	}
}

func TestExampleHooks(t *testing.T) {
	rt, spec := setup(t, "exit", "0")
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	connect := func(netns string) error {
		namespace, err := os.Readlink(netns)
		if namespace == own {
			t.Error("the namespace of the host")
		}
		calls = append(calls, "connect")
		return err
	}
	disconnect := func(id string) error {
		calls = append(calls, id)
		return nil
	}
	c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec, Hooks: networkHooks(connect, disconnect)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	calls = append(calls, "ended")
	remove(t, c)
	if want := []string{"connect", "ended", name(t)}; !slices.Equal(calls, want) {
		t.Errorf("calls %q, want %q", calls, want)
	}
	cause := errors.New("no address")
	_, err = rt.Create(t.Context(), name(t), ociruntime.CreateOptions{
		Spec: spec, Hooks: networkHooks(func(string) error { return cause }, disconnect),
	})
	if !errors.Is(err, cause) {
		t.Errorf("Create: %v", err)
	}
}
