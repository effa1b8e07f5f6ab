package manager

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/internal/cgroups/devices"
	"github.com/berth-oci/berth/internal/cgroups/fs2"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// The tests named TestKernel use the kernel, in cgroups below one that they
// make, with the hierarchies that the host has mounted: as root, or as a user
// with a v2 cgroup delegated by systemd. TestV2Namespace runs them again in a
// mount namespace that has cgroup v2 alone.

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// newManager returns the manager of a cgroup below one of the test's own.
func newManager(t testing.TB) cgroups.Manager {
	t.Helper()
	parent := fmt.Sprintf("berth-cgtest-%d-%s", os.Getpid(), strings.ReplaceAll(t.Name(), "/", "-"))
	if os.Geteuid() == 0 {
		parent = "/" + parent
	}
	m, err := New(Options{CgroupsPath: parent + "/c", ID: "c"})
	if err != nil {
		t.Skipf("no cgroups here: %v", err)
	}
	paths := m.Paths()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		// Only a failed test has left processes in it.
		_ = cgroups.Kill(m, unix.SIGKILL)
		for _, dir := range paths {
			if err := cgroupfs.RemoveTree(ctx, filepath.Dir(dir)); err != nil {
				t.Error(err)
			}
		}
	})
	return m
}

func created(t testing.TB) cgroups.Manager {
	t.Helper()
	m := newManager(t)
	create(t, m)
	return m
}

func create(t testing.TB, m cgroups.Manager) {
	t.Helper()
	err := m.Create()
	if errors.Is(err, os.ErrPermission) && os.Geteuid() != 0 {
		t.Skipf("neither root nor with a cgroup of one's own: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func destroy(t *testing.T, m cgroups.Manager) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := m.Destroy(ctx); err != nil {
		t.Error(err)
	}
	for _, dir := range m.Paths() {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", dir, err)
		}
	}
}

func TestKernelCreateDestroy(t *testing.T) {
	m := newManager(t)
	destroy(t, m) // of what does not exist
	for range 2 { // Create uses an empty cgroup
		create(t, m)
	}
	for c, dir := range m.Paths() {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("%q: %v", c, err)
		}
	}
	if pids, err := m.Processes(); err != nil || len(pids) != 0 {
		t.Errorf("Processes = %v, %v", pids, err)
	}
	for _, dir := range m.Paths() {
		if err := os.MkdirAll(dir+"/sub/sub", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	loaded := Load(m.Paths(), LoadOptions{})
	if !reflect.DeepEqual(loaded.Paths(), m.Paths()) || reflect.TypeOf(loaded) != reflect.TypeOf(m) {
		t.Errorf("loaded %T %v", loaded, loaded.Paths())
	}
	destroy(t, loaded)
	destroy(t, m)
}

func TestKernelEntry(t *testing.T) {
	m := created(t)
	p := start(t, m)
	own, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]string{}
	for _, h := range parseOwn(string(own)) {
		if h.controllers == nil {
			at[""] = h.path
		}
		for _, c := range h.controllers {
			at[c] = h.path
		}
	}
	for c, dir := range m.Paths() {
		if !strings.HasSuffix(dir, at[c]) || at[c] == "/" {
			t.Errorf("controller %q: process in %q, want %q", c, at[c], dir)
		}
	}
	if pids, err := m.Processes(); err != nil || !slices.Equal(pids, []int{p.Process.Pid}) {
		t.Errorf("Processes = %v, %v, want %d", pids, err, p.Process.Pid)
	}
	err = Load(m.Paths(), LoadOptions{}).Create()
	if !errors.Is(err, cgroups.ErrNotEmpty) || !strings.Contains(err.Error(), "cgroup not empty: 1 process") || !strings.Contains(err.Error(), "/berth-cgtest-") {
		t.Errorf("Create over a process: %v", err)
	}
	p.in.Close()
	if err := p.wait(t); err != nil {
		t.Error(err)
	}
	destroy(t, m)
}

func TestKernelDestroyNamesWhatIsBusy(t *testing.T) {
	m := created(t)
	p := start(t, m)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	begin := time.Now()
	err := m.Destroy(ctx)
	if !errors.Is(err, unix.EBUSY) || !strings.Contains(err.Error(), fmt.Sprintf("1 process: %d ", p.Process.Pid)) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(begin); took > limit {
		t.Errorf("took %v", took)
	}
	// Destroy waits for processes that are about to end.
	time.AfterFunc(20*time.Millisecond, func() { _ = p.Process.Kill() })
	destroy(t, m)
}

func TestKernelFreeze(t *testing.T) {
	m := created(t)
	p := start(t, m)
	for range 2 {
		if err := m.Freeze(true); err != nil {
			t.Fatal(err)
		}
		if frozen, err := cgroups.Frozen(m); !frozen || err != nil {
			t.Errorf("Frozen = %v, %v", frozen, err)
		}
	}
	if !p.silent(t) {
		t.Error("the process runs though frozen")
	}
	for range 2 {
		if err := m.Freeze(false); err != nil {
			t.Fatal(err)
		}
		if frozen, err := cgroups.Frozen(m); frozen || err != nil {
			t.Errorf("Frozen = %v, %v", frozen, err)
		}
	}
	if got := p.answer(t); got != "ok" {
		t.Errorf("after the thaw: %s", got)
	}
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.wait(t)
	if err := m.Freeze(true); err != nil {
		t.Fatal(err)
	}
	if err := Load(m.Paths(), LoadOptions{}).Create(); !errors.Is(err, cgroups.ErrFrozen) || !strings.Contains(err.Error(), "/berth-cgtest-") {
		t.Errorf("Create of a frozen cgroup: %v", err)
	}
	destroy(t, m)
	if err := m.Freeze(true); !errors.Is(err, unix.ENOENT) {
		t.Errorf("Freeze of nothing: %v", err)
	}
}

func TestKernelKill(t *testing.T) {
	for _, frozen := range []bool{false, true} {
		m := created(t)
		p := start(t, m)
		if got := p.ask(t, "fork"); got != "ok" {
			t.Fatal(got)
		}
		if pids, err := m.Processes(); err != nil || len(pids) != 2 {
			t.Fatalf("Processes = %v, %v", pids, err)
		}
		if err := m.Freeze(frozen); err != nil {
			t.Fatal(err)
		}
		if err := cgroups.Kill(m, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if err := p.wait(t); err == nil || err.Error() != "signal: killed" {
			t.Errorf("process: %v", err)
		}
		destroy(t, m) // waits for the other
		if err := cgroups.Kill(m, unix.SIGKILL); err != nil && !errors.Is(err, unix.ENOENT) {
			t.Errorf("Kill of nothing: %v", err)
		}
	}
}

// A signal to a frozen cgroup waits for the thaw, except SIGKILL.
func TestKernelSignalFrozen(t *testing.T) {
	m := created(t)
	p := start(t, m)
	if err := m.Freeze(true); err != nil {
		t.Fatal(err)
	}
	if err := cgroups.Kill(m, unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if frozen, err := cgroups.Frozen(m); !frozen || err != nil {
		t.Errorf("Frozen = %v, %v after a signal", frozen, err)
	}
	if err := m.Freeze(false); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(t); err == nil || err.Error() != "signal: terminated" {
		t.Errorf("process: %v", err)
	}
}

// Without cgroup.kill, Kill signals each process.
func TestKernelKillEach(t *testing.T) {
	m := created(t)
	p := start(t, m)
	p.ask(t, "fork")
	if err := cgroups.Kill(m, unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(t); err == nil || err.Error() != "signal: terminated" {
		t.Errorf("process: %v", err)
	}
	destroy(t, m)
}

func TestKernelDevices(t *testing.T) {
	m := created(t)
	if _, v2 := m.(*fs2.Manager); !v2 && m.Paths()["devices"] == "" {
		t.Skip("no devices controller")
	}
	rules := devices.WithDefaults([]specs.LinuxDeviceCgroup{{Access: "rwm"}})
	err := m.Set(&specs.LinuxResources{Devices: rules})
	if errors.Is(err, unix.EPERM) && os.Geteuid() != 0 {
		t.Skipf("not root: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, m)
	node := t.TempDir() + "/kmsg"
	for _, c := range []struct{ what, want string }{
		{"open:/dev/null", "ok"},
		{"open:/dev/zero", "ok"},
		{"open:/dev/full", "ok"},
		{"open:/dev/urandom", "ok"},
		{"open:/dev/kmsg", "operation not permitted"},
		{"mknod:" + node, "ok"},
	} {
		if got := p.ask(t, c.what); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
	// Other rules replace these completely.
	all := []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}}
	if err := m.Set(&specs.LinuxResources{Devices: all}); err != nil {
		t.Fatal(err)
	}
	if got := p.ask(t, "open:/dev/kmsg"); got != "ok" {
		t.Errorf("/dev/kmsg with everything allowed: %s", got)
	}
	for range 3 {
		if err := m.Set(&specs.LinuxResources{Devices: rules}); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.ask(t, "open:/dev/kmsg"); got != "operation not permitted" {
		t.Errorf("/dev/kmsg after all that: %s", got)
	}
}

func TestKernelStats(t *testing.T) {
	m := created(t)
	p := start(t, m)
	p.ask(t, "memory")
	s, err := m.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if s.CPU.Usage.Total == 0 {
		t.Error("no CPU time was used")
	}
	if m.Paths()["cpuacct"] != "" && (len(s.CPU.Usage.PerCPU) == 0 || len(s.CPU.Usage.PerCPUUser) != len(s.CPU.Usage.PerCPU)) {
		t.Errorf("no times of each CPU: %+v", s.CPU.Usage)
	}
	p.in.Close()
	_ = p.wait(t)
	destroy(t, m)
	if _, err := m.Stats(); !errors.Is(err, unix.ENOENT) {
		t.Errorf("Stats of nothing: %v", err)
	}
}

// The root of a hierarchy survives even a manager of that directory.
func TestKernelRootIsSpared(t *testing.T) {
	needRoot(t)
	paths := map[string]string{}
	if kind, _ := kindOf(DefaultRoot); kind == unix.CGROUP2_SUPER_MAGIC {
		paths[""] = DefaultRoot
	} else {
		for _, c := range []string{"freezer", "pids"} {
			if kind, _ := kindOf(DefaultRoot + "/" + c); kind == unix.CGROUP_SUPER_MAGIC {
				paths[c] = DefaultRoot + "/" + c
			}
		}
	}
	if len(paths) == 0 {
		t.Skip("no cgroups here")
	}
	m := Load(maps.Clone(paths), LoadOptions{})
	for what, err := range map[string]error{
		"Kill": cgroups.Kill(m, 0), "Destroy": m.Destroy(context.Background()), "Create": Load(paths, LoadOptions{}).Create(),
	} {
		if !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "root of the hierarchy") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
