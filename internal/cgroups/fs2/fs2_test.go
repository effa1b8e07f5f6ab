package fs2

import (
	"context"
	"errors"
	"maps"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func ptr[T any](v T) *T { return &v }

const allControllers = "cpuset cpu io memory hugetlb pids rdma misc"

// fake makes a hierarchy ROOT/a/c with every controller, already enabled in c.
func fake(t *testing.T, files map[string]string) *Manager {
	t.Helper()
	root := t.TempDir()
	dir := root + "/a/c"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{root, root + "/a", dir} {
		put(t, d+"/cgroup.controllers", allControllers+"\n")
		put(t, d+"/cgroup.subtree_control", "")
	}
	put(t, dir+"/cgroup.events", "populated 0\nfrozen 0\n")
	for name, content := range files {
		put(t, dir+"/"+name, content)
	}
	return New(dir, Options{})
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(b), "\n")
}

func TestSet(t *testing.T) {
	for _, c := range []struct {
		name   string
		r      specs.LinuxResources
		before map[string]string
		after  map[string]string
	}{
		{
			"memory",
			specs.LinuxResources{Memory: &specs.LinuxMemory{
				Limit: ptr[int64](100), Reservation: ptr[int64](8192), Swap: ptr[int64](300),
				Kernel: ptr[int64](-1), KernelTCP: ptr[int64](0), DisableOOMKiller: ptr(false), UseHierarchy: ptr(true),
			}},
			map[string]string{"memory.max": "max", "memory.low": "0", "memory.swap.max": "max"},
			map[string]string{"memory.max": "100", "memory.low": "8192", "memory.swap.max": "200"},
		},
		{
			"memory without swap",
			specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](100), Swap: ptr[int64](100)}},
			map[string]string{"memory.max": "max", "memory.swap.max": "max"},
			map[string]string{"memory.max": "100", "memory.swap.max": "0"},
		},
		{
			"memory without swap accounting",
			specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](100), Swap: ptr[int64](100)}},
			map[string]string{"memory.max": "max"},
			map[string]string{"memory.max": "100"},
		},
		{
			"memory unlimited",
			specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](-1)}},
			map[string]string{"memory.max": "5", "memory.swap.max": "5"},
			map[string]string{"memory.max": "max", "memory.swap.max": "max"},
		},
		{
			"swap unlimited",
			specs.LinuxResources{Memory: &specs.LinuxMemory{Swap: ptr[int64](-1)}},
			map[string]string{"memory.max": "5", "memory.swap.max": "5"},
			map[string]string{"memory.max": "5", "memory.swap.max": "max"},
		},
		{
			"swap alone, with the current limit of memory",
			specs.LinuxResources{Memory: &specs.LinuxMemory{Swap: ptr[int64](30)}},
			map[string]string{"memory.max": "20\n", "memory.swap.max": "max"},
			map[string]string{"memory.max": "20\n", "memory.swap.max": "10"},
		},
		{
			"memory of nothing",
			specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](0), Swap: ptr[int64](0), Reservation: ptr[int64](0)}},
			map[string]string{"memory.max": "5", "memory.swap.max": "6"},
			map[string]string{"memory.max": "5", "memory.swap.max": "6"},
		},
		{
			"check passes",
			specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](100), CheckBeforeUpdate: ptr(true)}},
			map[string]string{"memory.max": "max", "memory.current": "100\n"},
			map[string]string{"memory.max": "100"},
		},
		{
			"cpu",
			specs.LinuxResources{CPU: &specs.LinuxCPU{
				Shares: ptr[uint64](1024), Quota: ptr[int64](50000), Period: ptr[uint64](100000), Burst: ptr[uint64](7), Idle: ptr[int64](0), Cpus: "0-1", Mems: "0",
			}},
			map[string]string{"cpu.weight": "", "cpu.max": "", "cpu.max.burst": "", "cpu.idle": "", "cpuset.cpus": "", "cpuset.mems": ""},
			map[string]string{"cpu.weight": "100", "cpu.max": "50000 100000", "cpu.max.burst": "7", "cpu.idle": "0", "cpuset.cpus": "0-1", "cpuset.mems": "0"},
		},
		{"quota alone", specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: ptr[int64](5000)}}, map[string]string{"cpu.max": "max 20000"}, map[string]string{"cpu.max": "5000"}},
		{"quota -1", specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: ptr[int64](-1), Period: ptr[uint64](5)}}, map[string]string{"cpu.max": ""}, map[string]string{"cpu.max": "max 5"}},
		{"period alone", specs.LinuxResources{CPU: &specs.LinuxCPU{Period: ptr[uint64](5000)}}, map[string]string{"cpu.max": "3000 20000\n"}, map[string]string{"cpu.max": "3000 5000"}},
		{
			"cpu of nothing",
			specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: ptr[uint64](0), Quota: ptr[int64](0), Period: ptr[uint64](0), RealtimeRuntime: ptr[int64](0)}},
			map[string]string{"cpu.max": "x", "cpu.weight": "y"},
			map[string]string{"cpu.max": "x", "cpu.weight": "y"},
		},
		{"pids", specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr[int64](10)}}, map[string]string{"pids.max": ""}, map[string]string{"pids.max": "10"}},
		{"pids 0", specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr[int64](0)}}, map[string]string{"pids.max": ""}, map[string]string{"pids.max": "1"}},
		{"pids -1", specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr[int64](-1)}}, map[string]string{"pids.max": ""}, map[string]string{"pids.max": "max"}},
		{
			"io, bfq",
			specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{Weight: ptr[uint16](500)}},
			map[string]string{"io.bfq.weight": "", "io.weight": ""},
			map[string]string{"io.bfq.weight": "500", "io.weight": ""},
		},
		{"io, cost", specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{Weight: ptr[uint16](500)}}, map[string]string{"io.weight": ""}, map[string]string{"io.weight": "4950"}},
		{
			"io, device",
			specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{WeightDevice: []specs.LinuxWeightDevice{
				{LinuxBlockIODevice: specs.LinuxBlockIODevice{Major: 8, Minor: 16}, Weight: ptr[uint16](10)},
			}}},
			map[string]string{"io.weight": ""},
			map[string]string{"io.weight": "8:16 1"},
		},
		{"io rate", specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{ThrottleWriteIOPSDevice: []specs.LinuxThrottleDevice{
			{LinuxBlockIODevice: specs.LinuxBlockIODevice{Major: 8}, Rate: 300},
		}}}, map[string]string{"io.max": ""}, map[string]string{"io.max": "8:0 wiops=300"}},
		{"io no rate", specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{ThrottleReadBpsDevice: []specs.LinuxThrottleDevice{
			{LinuxBlockIODevice: specs.LinuxBlockIODevice{Major: 8}},
		}}}, map[string]string{"io.max": ""}, map[string]string{"io.max": "8:0 rbps=max"}},
		{
			"hugetlb",
			specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 9}}},
			map[string]string{"hugetlb.2MB.max": "", "hugetlb.2MB.rsvd.max": ""},
			map[string]string{"hugetlb.2MB.max": "9", "hugetlb.2MB.rsvd.max": "9"},
		},
		{"rdma", specs.LinuxResources{Rdma: map[string]specs.LinuxRdma{"mlx": {HcaHandles: ptr[uint32](3)}}}, map[string]string{"rdma.max": ""}, map[string]string{"rdma.max": "mlx hca_handle=3"}},
		{
			"unified",
			specs.LinuxResources{Unified: map[string]string{"misc.max": "x 1", "cgroup.max.depth": "5", "memory.high": ""}},
			map[string]string{"misc.max": "", "cgroup.max.depth": "", "memory.high": "x"},
			map[string]string{"misc.max": "x 1", "cgroup.max.depth": "5", "memory.high": ""},
		},
		{
			"unified file without a controller",
			specs.LinuxResources{Unified: map[string]string{"irq.pressure": "0"}},
			map[string]string{"irq.pressure": "1"},
			map[string]string{"irq.pressure": "0"},
		},
		{
			"unified comes last, line by line",
			specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr[int64](1)}, Unified: map[string]string{"pids.max": "2\n3\n"}},
			map[string]string{"pids.max": ""},
			map[string]string{"pids.max": "3"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := fake(t, c.before)
			if err := m.Set(&c.r); err != nil {
				t.Fatal(err)
			}
			for name, want := range c.after {
				if b, _ := os.ReadFile(m.dir + "/" + name); string(b) != want {
					t.Errorf("%s holds %q, want %q", name, b, want)
				}
			}
		})
	}
}

func TestSetRefuses(t *testing.T) {
	for _, c := range []struct {
		r    specs.LinuxResources
		is   error
		want string
	}{
		{specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](-2)}}, unix.EINVAL, "memory.limit: -2: invalid argument (must be positive, or -1 for unlimited)"},
		{specs.LinuxResources{Memory: &specs.LinuxMemory{Reservation: ptr[int64](-2)}}, unix.EINVAL, "memory.reservation: -2: invalid argument (must be positive, or -1 for unlimited)"},
		{specs.LinuxResources{Memory: &specs.LinuxMemory{Swap: ptr[int64](-2)}}, unix.EINVAL, "memory.swap: -2: invalid argument (must be positive, or -1 for unlimited)"},
		{specs.LinuxResources{Memory: &specs.LinuxMemory{Swap: ptr[int64](2)}}, unix.EINVAL, "needs a limit of memory"},
		{specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](3), Swap: ptr[int64](2)}}, unix.EINVAL, "less than the memory.limit of 3"},
		{specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](3), Swap: ptr[int64](9)}}, unix.ENOENT, "swapaccount"},
		{specs.LinuxResources{Memory: &specs.LinuxMemory{Kernel: ptr[int64](2)}}, errors.ErrUnsupported, "memory.kernel:"},
		{specs.LinuxResources{Memory: &specs.LinuxMemory{KernelTCP: ptr[int64](2)}}, errors.ErrUnsupported, "memory.kernelTCP"},
		{specs.LinuxResources{Memory: &specs.LinuxMemory{Swappiness: ptr[uint64](0)}}, errors.ErrUnsupported, "memory.swappiness"},
		{specs.LinuxResources{Memory: &specs.LinuxMemory{DisableOOMKiller: ptr(true)}}, errors.ErrUnsupported, "memory.disableOOMKiller"},
		{specs.LinuxResources{Memory: &specs.LinuxMemory{UseHierarchy: ptr(false)}}, errors.ErrUnsupported, "memory.useHierarchy"},
		{specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](99), CheckBeforeUpdate: ptr(true)}}, unix.EBUSY, "in use, 100 bytes"},
		{specs.LinuxResources{CPU: &specs.LinuxCPU{RealtimeRuntime: ptr[int64](1)}}, errors.ErrUnsupported, "cpu.realtimeRuntime"},
		{specs.LinuxResources{CPU: &specs.LinuxCPU{RealtimePeriod: ptr[uint64](1)}}, errors.ErrUnsupported, "cpu.realtimePeriod"},
		{specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{Weight: ptr[uint16](9)}}, unix.EINVAL, "blockIO.weight: 9"},
		{specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{Weight: ptr[uint16](10)}}, unix.ENOENT, "modprobe bfq"},
		{specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{LeafWeight: ptr[uint16](10)}}, errors.ErrUnsupported, "blockIO.leafWeight"},
		{specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{WeightDevice: []specs.LinuxWeightDevice{{LeafWeight: ptr[uint16](10)}}}}, errors.ErrUnsupported, "blockIO.weightDevice[0].leafWeight"},
		{specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB"}}}, unix.ENOENT, "hugepageLimits[0]"},
		{specs.LinuxResources{Network: &specs.LinuxNetwork{ClassID: ptr[uint32](1)}}, errors.ErrUnsupported, "network.classID"},
		{specs.LinuxResources{Network: &specs.LinuxNetwork{Priorities: make([]specs.LinuxInterfacePriority, 1)}}, errors.ErrUnsupported, "network.priorities"},
		{specs.LinuxResources{Unified: map[string]string{"../../x": "1"}}, unix.EINVAL, `"../../x"`},
		{specs.LinuxResources{Unified: map[string]string{"memory.max/x": "1"}}, unix.EINVAL, `"memory.max/x"`},
		{specs.LinuxResources{Unified: map[string]string{"..": "1"}}, unix.EINVAL, `".."`},
		{specs.LinuxResources{Unified: map[string]string{"tasks": "1"}}, unix.EINVAL, "CONTROLLER.FILE"},
		{specs.LinuxResources{Unified: map[string]string{"blkio.weight": "1"}}, errors.ErrUnsupported, `unified["blkio.weight"]: controller "blkio"`},
		{specs.LinuxResources{Unified: map[string]string{"memory.nonsense": "1"}}, unix.ENOENT, "memory.nonsense"},
		{specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{}}}, errors.ErrUnsupported, "devices"},
	} {
		m := fake(t, map[string]string{"memory.max": "max", "memory.current": "100"})
		err := m.Set(&c.r)
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "set linux.resources.") {
			t.Errorf("error %v, want %v with %q", err, c.is, c.want)
		}
	}
}

func TestSetNothing(t *testing.T) {
	m := New("/nowhere", Options{})
	for _, r := range []*specs.LinuxResources{nil, {}, {
		Memory: &specs.LinuxMemory{}, CPU: &specs.LinuxCPU{}, Pids: &specs.LinuxPids{},
		BlockIO: &specs.LinuxBlockIO{}, Network: &specs.LinuxNetwork{ClassID: ptr[uint32](0)},
	}} {
		if err := m.Set(r); err != nil {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

// Set enables only what it needs, in the cgroups that lack it. Only a kernel
// adds a controller to cgroup.controllers after a write to subtree_control.
func TestEnable(t *testing.T) {
	m := fake(t, map[string]string{"pids.max": "", "cgroup.controllers": "cpu\n"})
	parent := strings.TrimSuffix(m.dir, "/c")
	if err := m.Set(&specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr[int64](3)}}); err != nil {
		t.Fatal(err)
	}
	if got := content(t, parent+"/cgroup.subtree_control"); got != "+pids" {
		t.Errorf("parent enables %q, want +pids", got)
	}
	if got := content(t, parent+"/../cgroup.subtree_control"); got != "" {
		t.Errorf("root enables %q, though the parent has it", got)
	}
	if got := content(t, m.dir+"/cgroup.subtree_control"); got != "" {
		t.Errorf("the container's cgroup enables %q: it could not hold processes", got)
	}

	put(t, parent+"/cgroup.controllers", "")
	if err := enable(m.dir, "io"); err != nil {
		t.Fatal(err)
	}
	if got := content(t, parent+"/../cgroup.subtree_control"); got != "+io" {
		t.Errorf("root enables %q, want +io", got)
	}
	for _, want := range []string{"see /proc/cgroups", `write "+net_cls" to its cgroup.subtree_control`} {
		err := enable(m.dir, "net_cls")
		if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), `controller "net_cls" is not available in the cgroup`) || !strings.Contains(err.Error(), want) {
			t.Errorf("a controller that does not exist: %v", err)
		}
		put(t, parent+"/../cgroup.type", "domain") // the root of a cgroup namespace
	}
}

func TestSetDevices(t *testing.T) {
	m := fake(t, nil)
	var got []specs.LinuxDeviceCgroup
	m.opts.SetDevices = func(dir string, rules []specs.LinuxDeviceCgroup) error {
		if dir != m.dir {
			t.Errorf("called for %q", dir)
		}
		got = rules
		return unix.EPERM
	}
	rules := []specs.LinuxDeviceCgroup{{Access: "rwm"}}
	if err := m.Set(&specs.LinuxResources{Devices: rules}); !errors.Is(err, unix.EPERM) || !reflect.DeepEqual(got, rules) {
		t.Errorf("error %v, rules %v", err, got)
	}
}

func TestCreateRefuses(t *testing.T) {
	m := fake(t, map[string]string{"cgroup.procs": "7\n8\n"})
	dir := m.dir
	if err := cgroups.CheckUnused(m); !errors.Is(err, cgroups.ErrNotEmpty) {
		t.Errorf("CheckUnused: %v", err)
	}
	err := m.Create()
	if !errors.Is(err, cgroups.ErrNotEmpty) || !strings.Contains(err.Error(), "cgroup not empty: 2 processes") || !strings.Contains(err.Error(), dir) {
		t.Errorf("processes: %v", err)
	}
	if len(m.Paths()) != 0 {
		t.Errorf("still has %v", m.Paths())
	}
	if err := cgroups.Kill(m, 0); !errors.Is(err, cgroups.ErrNoCgroup) {
		t.Errorf("Kill of another's processes: %v", err)
	}
	put(t, dir+"/cgroup.procs", "")
	put(t, dir+"/cgroup.events", "populated 0\nfrozen 1\n")
	m = New(dir, Options{})
	if err := cgroups.CheckUnused(m); !errors.Is(err, cgroups.ErrFrozen) {
		t.Errorf("CheckUnused: %v", err)
	}
	if err := m.Create(); !errors.Is(err, cgroups.ErrFrozen) || !strings.Contains(err.Error(), dir) {
		t.Errorf("frozen: %v", err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("Create removed a cgroup that it did not make: %v", err)
	}
	put(t, dir+"/cgroup.events", "populated 0\nfrozen 0\n")
	for _, m := range []*Manager{New(dir, Options{}), New(dir+"/gone", Options{})} {
		if err := cgroups.CheckUnused(m); err != nil {
			t.Errorf("CheckUnused of %v: %v", m.Paths(), err)
		}
	}
}

func TestNoCgroup(t *testing.T) {
	m := New("", Options{})
	m.refused = unix.EACCES
	if len(m.Paths()) != 0 || m.Entry().Dir != "" {
		t.Errorf("paths %v, entry %v", m.Paths(), m.Entry())
	}
	if _, err := m.Processes(); !errors.Is(err, cgroups.ErrNoCgroup) {
		t.Errorf("Processes: %v", err)
	}
	if _, err := m.Stats(); !errors.Is(err, cgroups.ErrNoCgroup) {
		t.Errorf("Stats: %v", err)
	}
	if err := m.Freeze(true); !errors.Is(err, cgroups.ErrNoCgroup) {
		t.Errorf("Freeze: %v", err)
	}
	if err := m.Destroy(context.Background()); err != nil {
		t.Errorf("Destroy: %v", err)
	}
	for _, r := range []specs.LinuxResources{{Pids: &specs.LinuxPids{Limit: ptr[int64](1)}}, {Unified: map[string]string{"pids.max": "1"}}} {
		if err := m.Set(&r); !errors.Is(err, cgroups.ErrNoCgroup) || !errors.Is(err, unix.EACCES) {
			t.Errorf("Set: %v", err)
		}
	}
}

func TestFreezeThawsWhenStuck(t *testing.T) {
	m := fake(t, map[string]string{"cgroup.freeze": "0"})
	m.freezeFor = 5 * time.Millisecond
	err := m.Freeze(true)
	if !errors.Is(err, os.ErrDeadlineExceeded) || !strings.HasPrefix(err.Error(), "freeze cgroup ") {
		t.Errorf("error %v", err)
	}
	if got := content(t, m.dir+"/cgroup.freeze"); got != "0" {
		t.Errorf("cgroup.freeze holds %q", got)
	}
	put(t, m.dir+"/cgroup.events", "populated 1\nfrozen 1\n")
	if err := m.Freeze(true); err != nil || content(t, m.dir+"/cgroup.freeze") != "1" {
		t.Errorf("error %v", err)
	}
	if err := m.Freeze(false); !errors.Is(err, os.ErrDeadlineExceeded) || !strings.HasPrefix(err.Error(), "thaw cgroup ") {
		t.Errorf("a cgroup that never thaws: %v", err)
	}
	put(t, m.dir+"/../cgroup.freeze", "1")
	if err := m.Freeze(false); err != nil {
		t.Errorf("frozen by the cgroup above: %v", err)
	}
}

func TestStats(t *testing.T) {
	pressure := "some avg10=1.00 avg60=0.00 avg300=0.00 total=5\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=6\n"
	files := map[string]string{
		"cpu.stat":            "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 4\nnr_throttled 3\nthrottled_usec 2\n",
		"cpu.pressure":        pressure,
		"memory.stat":         "anon 1\nfile 2\n",
		"memory.max":          "max\n",
		"memory.current":      "100\n",
		"memory.peak":         "200\n",
		"memory.swap.max":     "7\n",
		"memory.swap.current": "11\n",
		"memory.pressure":     pressure,
		"memory.numa_stat":    "anon N0=1 N1=2\nfile N0=3 N1=4\n",
		"rdma.current":        "mlx4_0 hca_handle=1 hca_object=20\n",
		"rdma.max":            "mlx4_0 hca_handle=2 hca_object=max\n",
		"misc.current":        "sev 3\n",
		"misc.max":            "sev 5\n",
		"memory.events":       "low 0\noom 5\noom_kill 4\n",
		"pids.current":        "3\n",
		"pids.max":            "9\n",
		"io.stat":             "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n254:1 \n",
		"io.pressure":         pressure,
		"hugetlb.2MB.current": "1\n", "hugetlb.2MB.rsvd.current": "2\n", "hugetlb.2MB.events": "max 3\n", "hugetlb.1GB.current": "4\n",
	}
	m := fake(t, files)
	got, err := m.Stats()
	if err != nil {
		t.Fatal(err)
	}
	psi := &cgroups.PSI{Some: cgroups.PSITimes{Avg10: 1, Total: 5}, Full: cgroups.PSITimes{Total: 6}}
	entry := func(op string, v uint64) cgroups.BlkioEntry { return cgroups.BlkioEntry{Major: 8, Op: op, Value: v} }
	want := &cgroups.Stats{
		CPU: cgroups.CPUStats{
			Usage:      cgroups.CPUUsage{Total: 30000, User: 20000, Kernel: 10000},
			Throttling: cgroups.Throttling{Periods: 4, ThrottledPeriods: 3, ThrottledTime: 2000},
			PSI:        psi,
		},
		Memory: cgroups.MemoryStats{
			Cache: 2,
			Usage: cgroups.MemoryUsage{Limit: cgroups.Max, Usage: 100, Max: 200},
			Swap:  cgroups.MemoryUsage{Limit: cgroups.Max, Usage: 111},
			Raw:   map[string]uint64{"anon": 1, "file": 2},
			NUMA:  map[string]map[int]uint64{"anon": {0: 1, 1: 2}, "file": {0: 3, 1: 4}},
			PSI:   psi, OOMKills: 4, OOMs: 5,
		},
		Pids: cgroups.PidsStats{Current: 3, Limit: 9},
		Blkio: cgroups.BlkioStats{
			IOServiceBytesRecursive: []cgroups.BlkioEntry{entry("Read", 1), entry("Write", 2)},
			IOServicedRecursive:     []cgroups.BlkioEntry{entry("Read", 3), entry("Write", 4)},
			PSI:                     psi,
		},
		Hugetlb: map[string]cgroups.HugetlbStats{"2MB": {Usage: 2, Failcnt: 3}, "1GB": {Usage: 4}},
		RDMA:    map[string]cgroups.RDMAStats{"mlx4_0": {Handles: cgroups.Count{Usage: 1, Limit: 2}, Objects: cgroups.Count{Usage: 20, Limit: cgroups.Max}}},
		Misc:    map[string]cgroups.Count{"sev": {Usage: 3, Limit: 5}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for name := range maps.Keys(files) {
		if err := os.Remove(m.dir + "/" + name); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := m.Stats(); err != nil || !reflect.DeepEqual(got.CPU, cgroups.CPUStats{}) {
		t.Errorf("without controllers: %+v, %v", got, err)
	}
	if _, err := New(m.dir+"/gone", Options{}).Stats(); !errors.Is(err, unix.ENOENT) {
		t.Errorf("a cgroup that is gone: %v", err)
	}
}
