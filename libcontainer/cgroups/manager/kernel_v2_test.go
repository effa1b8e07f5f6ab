package manager

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/internal/cgroups/devices"
	"github.com/berth-oci/berth/internal/cgroups/fs2"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// TestKernelV2 tests the controllers of v2 that the root has: on a hybrid host
// hugetlb at most.
func TestKernelV2(t *testing.T) {
	m := created(t)
	v2, ok := m.(*fs2.Manager)
	if !ok {
		t.Skip("not cgroup v2 alone")
	}
	err := v2.Set(&specs.LinuxResources{Unified: map[string]string{"net_cls.classid": "1"}})
	if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), `controller "net_cls"`) {
		t.Errorf("a controller that does not exist: %v", err)
	}
	if err := v2.Set(&specs.LinuxResources{Unified: map[string]string{"cgroup.max.depth": "3"}}); err != nil || file(t, m, "", "cgroup.max.depth") != "3" {
		t.Errorf("cgroup.max.depth: %v", err)
	}
	has := strings.Fields(enabledAbove(t, m.Paths()[""]))
	const mb = 1 << 20
	for _, c := range []struct {
		controller string
		r          specs.LinuxResources
		want       map[string]string
	}{
		{
			"memory",
			specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](100 * mb), Swap: ptr[int64](300 * mb), Reservation: ptr[int64](mb)}},
			map[string]string{"memory.max": "104857600", "memory.swap.max": "209715200", "memory.low": "1048576"},
		},
		{
			"cpu",
			specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: ptr[uint64](1024), Quota: ptr[int64](5000), Period: ptr[uint64](50000), Burst: ptr[uint64](4000)}},
			map[string]string{"cpu.weight": "100", "cpu.max": "5000 50000", "cpu.max.burst": "4000"},
		},
		{
			"cpu",
			specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: ptr[int64](2000), Burst: ptr[uint64](1000), Idle: ptr[int64](1)}},
			map[string]string{"cpu.max": "2000 50000", "cpu.max.burst": "1000", "cpu.idle": "1"},
		},
		{
			"cpu",
			specs.LinuxResources{CPU: &specs.LinuxCPU{Period: ptr[uint64](20000), Idle: ptr[int64](0), Shares: ptr[uint64](2)}},
			map[string]string{"cpu.max": "2000 20000", "cpu.idle": "0", "cpu.weight": "1"},
		},
		{"cpuset", specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: "0", Mems: "0"}}, map[string]string{"cpuset.cpus": "0", "cpuset.mems": "0"}},
		{"pids", specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr[int64](20)}}, map[string]string{"pids.max": "20"}},
		{
			"hugetlb",
			specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 4 * mb}}},
			map[string]string{"hugetlb.2MB.max": "4194304", "hugetlb.2MB.rsvd.max": "4194304"},
		},
	} {
		if !slices.Contains(has, c.controller) {
			t.Logf("controller %q is not enabled in a cgroup above, which the test must not change", c.controller)
			continue
		}
		if err := m.Set(&c.r); err != nil {
			t.Errorf("%s: %v", c.controller, err)
			continue
		}
		for name, want := range c.want {
			if got := file(t, m, "", name); got != want {
				t.Errorf("%s = %q, want %q", name, got, want)
			}
		}
	}
	start(t, m)
	if s, err := m.Stats(); err != nil {
		t.Error(err)
	} else {
		t.Logf("%+v", s)
	}
}

// enabledAbove lists the controllers that the test's own cgroup can have
// without a change to the cgroups above.
func enabledAbove(t *testing.T, dir string) string {
	t.Helper()
	s, err := cgroupfs.ReadFile(filepath.Dir(dir), "cgroup.controllers")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The owner of a delegated v2 cgroup can make others in it, and cannot set its
// limits.
func TestKernelDelegate(t *testing.T) {
	needRoot(t)
	m := created(t)
	dir := m.Paths()[""]
	if dir == "" {
		t.Skip("no cgroup v2 here")
	}
	if err := cgroups.Delegate(m, 65534); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads", "cgroup.max.depth", "cgroup.freeze"} {
		var st unix.Stat_t
		if err := unix.Stat(dir+"/"+name, &st); err != nil {
			t.Error(err)
		}
		if given := !strings.Contains(name, "max") && !strings.Contains(name, "freeze"); given != (st.Uid == 65534) {
			t.Errorf("%s belongs to %d", name, st.Uid)
		}
	}
}

// A runtime that may not make a cgroup continues without one, unless
// config.json asks for a cgroup.
func TestKernelRootless(t *testing.T) {
	needRoot(t)
	name := fmt.Sprintf("berth-cgtest-%d-rootless", os.Getpid())
	free, err := New(Options{ID: name, Rootless: true})
	if err != nil {
		t.Skipf("no cgroups here: %v", err)
	}
	asked, err := New(Options{CgroupsPath: name, ID: name, Rootless: true})
	if err != nil {
		t.Fatal(err)
	}
	asNobody(t, func() {
		if err := free.Create(); err != nil {
			t.Errorf("Create: %v", err)
		}
		if err := asked.Create(); !errors.Is(err, unix.EACCES) {
			t.Errorf("Create of a path that was asked for: %v", err)
		}
	})
	if paths := free.Paths(); len(paths) != 0 {
		t.Errorf("paths %v", paths)
		_ = free.Destroy(context.Background())
	}
	rules := devices.WithDefaults([]specs.LinuxDeviceCgroup{{Access: "rwm"}})
	if err := free.Set(&specs.LinuxResources{Devices: rules}); err != nil {
		t.Errorf("Set of devices: %v", err)
	}
	err = free.Set(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](1 << 30)}})
	if !errors.Is(err, cgroups.ErrNoCgroup) || !errors.Is(err, unix.EACCES) || !strings.Contains(err.Error(), "memory.limit") {
		t.Errorf("Set of a limit: %v", err)
	}
}

// asNobody runs f in a thread that has no right to files of other users.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		if _, err := unix.SetfsuidRetUid(65534); err != nil {
			t.Error(err)
			return
		}
		f()
	}()
	<-done
}

// TestV2Namespace runs the tests again where only cgroup v2 is mounted.
func TestV2Namespace(t *testing.T) {
	needRoot(t)
	if os.Getenv(v2Env) != "" {
		t.Skip("this is where they run again")
	}
	if kind, _ := kindOf(DefaultRoot); kind == unix.CGROUP2_SUPER_MAGIC {
		t.Skip("the host has cgroup v2 alone")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const script = `umount -R -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"`
	c := exec.Command("unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh",
		exe, "-test.run=^TestKernel", "-test.v", "-test.count=1")
	c.Env = append(os.Environ(), v2Env+"=1")
	out, err := c.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("in a namespace with cgroup v2: %v", err)
	}
}
