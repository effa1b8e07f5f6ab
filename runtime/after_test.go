package ociruntime_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

// ended returns a container that has stopped, and is not yet deleted.
func ended(t *testing.T, o ociruntime.CreateOptions, args ...string) *ociruntime.Container {
	t.Helper()
	rt, spec := setup(t, args...)
	o.Spec = spec
	c, err := rt.Run(t.Context(), name(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { remove(t, c) })
	if _, err := c.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestStatsAfterExit(t *testing.T) {
	c := ended(t, ociruntime.CreateOptions{}, "greet")
	stats, err := c.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if stats.CPU.Usage.Total == 0 {
		t.Error("the program has used no CPU time")
	}
	if pids, err := c.Processes(t.Context()); err != nil || len(pids) > 0 {
		t.Errorf("processes %v, %v", pids, err)
	}
	dirs, err := c.Cgroups()
	if err != nil || len(dirs) == 0 {
		t.Fatalf("cgroups %v, %v", dirs, err)
	}
	for _, dir := range slices.Compact(slices.Sorted(maps.Values(dirs))) {
		if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if _, err := c.Stats(t.Context()); !errors.Is(err, libcontainer.ErrNotRunning) {
		t.Errorf("without the cgroup: %v", err)
	}
}

// TestKillAllThatRemain kills the processes that init has left in a shared pid namespace.
func TestKillAllThatRemain(t *testing.T) {
	rt, spec := setup(t, "leave")
	spec.Linux.Namespaces = slices.DeleteFunc(spec.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.PIDNamespace })
	c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	defer remove(t, c)
	if _, err := c.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if pids, err := c.Processes(t.Context()); err != nil || len(pids) != 1 {
		t.Fatalf("left: %v, %v", pids, err)
	}
	if err := c.KillAll(t.Context(), unix.SIGKILL); err != nil {
		t.Errorf("kill what init has left: %v", err)
	}
	for range 100 {
		pids, err := c.Processes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(pids) == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := c.KillAll(t.Context(), unix.SIGKILL); !errors.Is(err, libcontainer.ErrNotRunning) {
		t.Errorf("kill nothing: %v", err)
	}
}

// TestLastEvent checks that an error comes without an event.
func TestLastEvent(t *testing.T) {
	c := sleeping(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	count := 0
	for e, err := range c.Events(ctx, ociruntime.EventsOptions{}) {
		if count++; e != (ociruntime.Event{}) || !errors.Is(err, context.Canceled) {
			t.Errorf("%+v, %v", e, err)
		}
	}
	if count != 1 {
		t.Errorf("%d items", count)
	}
}

func TestAccessors(t *testing.T) {
	c := sleeping(t, func(s *specs.Spec) { s.Hostname = "accessible" })
	if status, err := c.Status(); err != nil || status != libcontainer.Running {
		t.Errorf("status %s, %v", status, err)
	}
	if cfg, err := c.Config(); err != nil || cfg.Hostname != "accessible" {
		t.Errorf("configuration %+v, %v", cfg, err)
	}
	dirs, err := c.Cgroups()
	if err != nil || len(dirs) == 0 {
		t.Fatalf("cgroups %v, %v", dirs, err)
	}
	for controller, dir := range dirs {
		if pids, err := os.ReadFile(dir + "/cgroup.procs"); err != nil || strings.TrimSpace(string(pids)) != fmt.Sprint(c.Pid()) {
			t.Errorf("%q: %q has %q, %v", controller, dir, pids, err)
		}
	}
}

func TestWarnings(t *testing.T) {
	rt, spec := setup(t, "sleep")
	spec.Process.Capabilities.Bounding = append(spec.Process.Capabilities.Bounding, "CAP_NOBODY_KNOWS")
	c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	defer remove(t, c)
	if list := c.Warnings(); len(list) != 1 || !strings.Contains(list[0], "CAP_NOBODY_KNOWS") {
		t.Errorf("warnings %q", list)
	}
	process, err := c.NewProcess("/hello", "exit", "0")
	if err != nil {
		t.Fatal(err)
	}
	process.Capabilities.Effective = append(process.Capabilities.Effective, "CAP_UNHEARD_OF")
	p, err := c.Exec(t.Context(), ociruntime.ExecOptions{Process: process})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	letGo(t, p)
	if list := c.Warnings(); len(list) != 2 || !strings.Contains(list[1], "CAP_UNHEARD_OF") {
		t.Errorf("warnings %q", list)
	}
}
