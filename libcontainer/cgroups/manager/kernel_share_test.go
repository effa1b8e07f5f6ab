package manager

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// sleeper starts a process in the test's own cgroup.
func sleeper(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}

// holds reports whether a process is in the cgroup in every hierarchy.
func holds(t *testing.T, m cgroups.Manager, pid int) bool {
	t.Helper()
	at, err := Of("", fmt.Sprint(pid))
	if err != nil {
		t.Fatal(err)
	}
	for c, dir := range m.Paths() {
		if at[c] != dir {
			t.Logf("controller %q: process in %q, not %q", c, at[c], dir)
			return false
		}
	}
	return true
}

func TestKernelAddProcess(t *testing.T) {
	needRoot(t)
	m := created(t)
	pid := sleeper(t)
	if holds(t, m, pid) {
		t.Fatal("the process was in the cgroup before")
	}
	if err := m.AddProcess(pid); err != nil {
		t.Fatal(err)
	}
	if !holds(t, m, pid) {
		t.Error("the process is not in the cgroup")
	}
	if err := m.AddProcess(0); !errors.Is(err, unix.EINVAL) {
		t.Errorf("the process 0: %v", err)
	}
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	if err := m.AddProcess(ended.Process.Pid); !errors.Is(err, unix.ESRCH) || !strings.Contains(err.Error(), fmt.Sprint(ended.Process.Pid)) {
		t.Errorf("a process that has ended: %v", err)
	}
	if err := cgroups.Kill(m, unix.SIGKILL); err != nil {
		t.Error(err)
	}
	destroy(t, m)
	if err := m.AddProcess(os.Getpid()); !errors.Is(err, unix.ENOENT) {
		t.Errorf("a cgroup that is gone: %v", err)
	}
}

// enableMemory enables the memory controller for m, or skips the test if a cgroup above
// the test's own does not have it.
func enableMemory(t *testing.T, m cgroups.Manager) {
	t.Helper()
	if has := enabledAbove(t, m.Paths()[""]); !slices.Contains(strings.Fields(has), "memory") {
		t.Skipf("the cgroup above has the controllers %q", has)
	}
	if err := m.Set(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](1 << 30)}}); err != nil {
		t.Fatal(err)
	}
}

// A v2 cgroup that enables controllers for those below accepts no processes.
func TestKernelAddProcessAbove(t *testing.T) {
	needRoot(t)
	m := created(t)
	dir := m.Paths()[""]
	if dir == "" {
		t.Skip("no cgroup v2 here")
	}
	if m.Paths()["memory"] == "" {
		enableMemory(t, m)
	}
	controllers, err := cgroupfs.ReadFile(dir, "cgroup.controllers")
	if err != nil {
		t.Fatal(err)
	}
	domain := slices.DeleteFunc(strings.Fields(controllers), func(c string) bool {
		return slices.Contains([]string{"cpu", "cpuset", "pids", "perf_event"}, c) // threaded controllers
	})
	if len(domain) == 0 {
		t.Skip("no controller of v2 that is not threaded")
	}
	if err := cgroupfs.WriteFile(dir, "cgroup.subtree_control", "+"+domain[0]); err != nil {
		t.Fatal(err)
	}
	if err := m.AddProcess(sleeper(t)); !errors.Is(err, unix.EBUSY) || !strings.Contains(err.Error(), "cgroups below") {
		t.Errorf("AddProcess: %v", err)
	}
}

// The cgroup of a pod has processes in the cgroups below, its own limits, and outlives
// the program that made it.
func TestKernelShared(t *testing.T) {
	needRoot(t)
	container := created(t)
	pid := start(t, container).Process.Pid
	place := "/" + filepath.Base(filepath.Dir(slices.Collect(maps.Values(container.Paths()))[0]))
	alone, err := New(Options{CgroupsPath: place, ID: "pod"})
	if err != nil {
		t.Fatal(err)
	}
	if err := alone.Create(); !errors.Is(err, cgroups.ErrNotEmpty) {
		t.Errorf("Create of a cgroup with processes below: %v", err)
	}
	shared := func() cgroups.Manager {
		t.Helper()
		m, err := New(Options{CgroupsPath: place, ID: "pod", Shared: true})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	pod := shared()
	for range 2 {
		if err := pod.Create(); err != nil {
			t.Fatal(err)
		}
	}
	if pids, err := pod.Processes(); err != nil || !slices.Equal(pids, []int{pid}) {
		t.Errorf("processes %v, %v, want %d", pids, err, pid)
	}
	if dir := pod.Paths()["pids"]; dir != "" {
		if err := pod.Set(&specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr[int64](77)}}); err != nil {
			t.Error(err)
		}
		if err := shared().Create(); err != nil || file(t, pod, "pids", "pids.max") != "77" {
			t.Errorf("Create changed a limit: %v, %s", err, file(t, pod, "pids", "pids.max"))
		}
	}
	if err := pod.Freeze(true); err != nil {
		t.Fatal(err)
	}
	if err := shared().Create(); err != nil {
		t.Errorf("Create of a frozen cgroup: %v", err)
	}
	if err := pod.Freeze(false); err != nil {
		t.Fatal(err)
	}
	busy, cancel := context.WithCancel(context.Background())
	cancel()
	if err := pod.Destroy(busy); !errors.Is(err, unix.EBUSY) {
		t.Errorf("Destroy with a process below: %v", err)
	}
	if err := cgroups.Kill(pod, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	destroy(t, pod)
}

func TestKernelInspect(t *testing.T) {
	m := created(t)
	pid := start(t, m).Process.Pid
	top, err := Inspect("", "/")
	if err != nil {
		t.Fatal(err)
	}
	controller := "pids"
	if m.Paths()[controller] == "" {
		controller = ""
	}
	own, err := filepath.Rel(top.Paths()[controller], m.Paths()[controller])
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/" + own} {
		r, err := Inspect("", path)
		if err != nil {
			t.Fatal(err)
		}
		if pids, err := r.Processes(); err != nil || !slices.Contains(pids, pid) || (path == "/") != slices.Contains(pids, os.Getpid()) {
			t.Errorf("%s: %d processes, %v", path, len(pids), err)
		}
		s, err := r.Stats()
		if err != nil {
			t.Fatal(err)
		}
		if s.CPU.Usage.Total == 0 {
			t.Errorf("%s: no CPU time", path)
		}
		if r.Paths()[""] != "" && s.CPU.PSI == nil {
			t.Errorf("%s: no pressure", path)
		}
		// With a cgroup namespace "/" is a cgroup, on v2 perhaps without the controller.
		_, err = os.Stat(filepath.Join(r.Paths()[""], "cgroup.type"))
		isHost := r.Paths()[""] == "" || errors.Is(err, fs.ErrNotExist)
		if path == "/" && isHost && s.Memory.Usage.Usage < 1<<20 {
			t.Errorf("the host has %d bytes in use", s.Memory.Usage.Usage)
		}
		if _, ok := r.(cgroups.Manager); ok {
			t.Errorf("%T changes cgroups", r)
		}
	}
	if _, err := Inspect("", "relative"); !errors.Is(err, unix.EINVAL) {
		t.Errorf("a relative path: %v", err)
	}
	absent, err := Inspect("", "/berth-absent")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := absent.Stats(); !errors.Is(err, unix.ENOENT) {
		t.Errorf("a cgroup that does not exist: %v", err)
	}
}

func TestKernelMode(t *testing.T) {
	mode, err := HostMode("")
	if err != nil {
		t.Skipf("no cgroups here: %v", err)
	}
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		t.Fatal(err)
	}
	var v1, v2 bool
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); strings.HasPrefix(f[1], DefaultRoot) {
			v1, v2 = v1 || f[2] == "cgroup", v2 || f[2] == "cgroup2"
		}
	}
	want := map[[2]bool]Mode{{true, false}: V1, {false, true}: V2, {true, true}: Hybrid}[[2]bool{v1, v2}]
	if mode != want {
		t.Errorf("mode %q, mounted v1 %t, v2 %t", mode, v1, v2)
	}
}

// OOMKills counts like Stats, and reads the memory controller alone.
func TestKernelOOMKills(t *testing.T) {
	needRoot(t)
	m := created(t)
	if m.Paths()["memory"] == "" {
		if _, err := cgroups.OOMKills(m); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("without a memory controller: %v", err)
		}
		enableMemory(t, m)
	}
	err := m.Set(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](12 << 20), Swap: ptr[int64](12 << 20)}})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := cgroups.OOMKills(m); n != 0 || err != nil {
		t.Errorf("OOMKills = %d, %v before any", n, err)
	}
	p := start(t, m)
	fmt.Fprintln(p.in, "memory") // 16 MB
	if err := p.wait(t); err == nil || err.Error() != "signal: killed" {
		t.Fatalf("process: %v", err)
	}
	n, err := cgroups.OOMKills(m)
	s, statsErr := m.Stats()
	if n == 0 || err != nil || statsErr != nil || s.Memory.OOMKills != n {
		t.Errorf("OOMKills = %d, %v; Stats: %d, %v", n, err, s.Memory.OOMKills, statsErr)
	}
	destroy(t, m)
	if _, err := cgroups.OOMKills(m); !errors.Is(err, unix.ENOENT) || errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a cgroup that is gone: %v", err)
	}
}
