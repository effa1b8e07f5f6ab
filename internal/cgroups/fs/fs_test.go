package fs

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func ptr[T any](v T) *T { return &v }

// fake makes a directory for each controller, with the files that it needs.
func fake(t *testing.T, files map[string]string) *Manager {
	t.Helper()
	root := t.TempDir()
	paths := map[string]string{}
	for _, row := range rows() {
		paths[row.controller] = root + "/" + row.controller + "/c"
	}
	for _, c := range []string{"devices", "freezer", "cpuacct", "misc", "name=systemd"} {
		paths[c] = root + "/" + c + "/c"
	}
	paths[""] = root + "/unified/c"
	for _, dir := range paths {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range files {
		controller, file, _ := strings.Cut(name, "/")
		if err := os.WriteFile(paths[controller]+"/"+file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return New(paths, Options{})
}

func content(t *testing.T, m *Manager, name string) string {
	t.Helper()
	controller, file, _ := strings.Cut(name, "/")
	b, err := os.ReadFile(m.paths[controller] + "/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(b), "\n")
}

// untouched is the content of the files before the test, to see writes.
const untouched = "untouched"

func TestSet(t *testing.T) {
	for _, c := range []struct {
		name  string
		r     specs.LinuxResources
		files map[string]string // file: its content after Set
	}{
		{"memory", specs.LinuxResources{Memory: &specs.LinuxMemory{
			Limit: ptr[int64](100), Reservation: ptr[int64](50), Swap: ptr[int64](200), Kernel: ptr[int64](7), KernelTCP: ptr[int64](8),
			Swappiness: ptr[uint64](0), DisableOOMKiller: ptr(true), UseHierarchy: ptr(true), CheckBeforeUpdate: ptr(true),
		}}, map[string]string{
			"memory/memory.limit_in_bytes": "100", "memory/memory.soft_limit_in_bytes": "50", "memory/memory.memsw.limit_in_bytes": "200",
			"memory/memory.kmem.limit_in_bytes": "7", "memory/memory.kmem.tcp.limit_in_bytes": "8",
			"memory/memory.swappiness": "0", "memory/memory.oom_control": "1", "memory/memory.use_hierarchy": "1",
		}},
		{"memory, little", specs.LinuxResources{Memory: &specs.LinuxMemory{
			Limit: ptr[int64](0), Reservation: ptr[int64](0), Swap: ptr[int64](0), DisableOOMKiller: ptr(false),
		}}, map[string]string{
			"memory/memory.limit_in_bytes": untouched, "memory/memory.soft_limit_in_bytes": untouched, "memory/memory.memsw.limit_in_bytes": untouched,
			"memory/memory.oom_control": "0",
		}},
		{"memory unlimited takes swap along", specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](-1)}}, map[string]string{
			"memory/memory.limit_in_bytes": "-1", "memory/memory.memsw.limit_in_bytes": "-1",
		}},
		{"memory unlimited, swap given", specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](-1), Swap: ptr[int64](5)}}, map[string]string{
			"memory/memory.limit_in_bytes": "-1", "memory/memory.memsw.limit_in_bytes": "5",
		}},
		{"memory unlimited without swap accounting", specs.LinuxResources{Memory: &specs.LinuxMemory{
			Limit: ptr[int64](-1), Swap: ptr[int64](-1), Kernel: ptr[int64](-1), KernelTCP: ptr[int64](-1),
		}}, map[string]string{"memory/memory.limit_in_bytes": "-1"}},
		{"cpu", specs.LinuxResources{CPU: &specs.LinuxCPU{
			Shares: ptr[uint64](512), Quota: ptr[int64](50000), Period: ptr[uint64](100000), Burst: ptr[uint64](1000), Idle: ptr[int64](1),
			RealtimeRuntime: ptr[int64](900), RealtimePeriod: ptr[uint64](1000), Cpus: "0-1", Mems: "0",
		}}, map[string]string{
			"cpu/cpu.shares": "512", "cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000", "cpu/cpu.cfs_burst_us": "1000", "cpu/cpu.idle": "1",
			"cpu/cpu.rt_runtime_us": "900", "cpu/cpu.rt_period_us": "1000", "cpuset/cpuset.cpus": "0-1", "cpuset/cpuset.mems": "0",
		}},
		{"cpu, little", specs.LinuxResources{CPU: &specs.LinuxCPU{
			Shares: ptr[uint64](0), Quota: ptr[int64](-7), Period: ptr[uint64](0), Idle: ptr[int64](0), RealtimePeriod: ptr[uint64](0),
		}}, map[string]string{
			"cpu/cpu.shares": untouched, "cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": untouched, "cpu/cpu.idle": "0",
			"cpu/cpu.rt_period_us": untouched, "cpuset/cpuset.cpus": untouched,
		}},
		{"pids", specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr[int64](10)}}, map[string]string{"pids/pids.max": "10"}},
		{"pids 0", specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr[int64](0)}}, map[string]string{"pids/pids.max": "1"}},
		{"pids -1", specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr[int64](-1)}}, map[string]string{"pids/pids.max": "max"}},
		{"pids absent", specs.LinuxResources{Pids: &specs.LinuxPids{}}, map[string]string{"pids/pids.max": untouched}},
		{"blkio bfq", specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{
			Weight:       ptr[uint16](10),
			WeightDevice: []specs.LinuxWeightDevice{{LinuxBlockIODevice: specs.LinuxBlockIODevice{Major: 8, Minor: 16}, Weight: ptr[uint16](1000)}},
		}}, map[string]string{"blkio/blkio.bfq.weight": "10", "blkio/blkio.bfq.weight_device": "8:16 1000"}},
		{"blkio throttle", specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{
			ThrottleReadBpsDevice: device(8, 0, 600), ThrottleWriteBpsDevice: device(8, 0, 0),
			ThrottleReadIOPSDevice: device(8, 1, 5), ThrottleWriteIOPSDevice: device(259, 0, 1<<40),
		}}, map[string]string{
			"blkio/blkio.throttle.read_bps_device": "8:0 600", "blkio/blkio.throttle.write_bps_device": "8:0 0",
			"blkio/blkio.throttle.read_iops_device": "8:1 5", "blkio/blkio.throttle.write_iops_device": "259:0 1099511627776",
		}},
		{"hugetlb", specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 9}, {Pagesize: "64KB", Limit: 0}}}, map[string]string{
			"hugetlb/hugetlb.2MB.limit_in_bytes": "9", "hugetlb/hugetlb.2MB.rsvd.limit_in_bytes": "9", "hugetlb/hugetlb.64KB.limit_in_bytes": "0",
		}},
		{
			"rdma",
			specs.LinuxResources{Rdma: map[string]specs.LinuxRdma{"mlx5_1": {HcaHandles: ptr[uint32](3), HcaObjects: ptr[uint32](10000)}}},
			map[string]string{"rdma/rdma.max": "mlx5_1 hca_handle=3 hca_object=10000"},
		},
		{
			"rdma, one",
			specs.LinuxResources{Rdma: map[string]specs.LinuxRdma{"rxe3": {HcaObjects: ptr[uint32](0)}}},
			map[string]string{"rdma/rdma.max": "rxe3 hca_object=0"},
		},
		{
			"network",
			specs.LinuxResources{Network: &specs.LinuxNetwork{ClassID: ptr[uint32](1048577), Priorities: []specs.LinuxInterfacePriority{{Name: "eth0", Priority: 500}}}},
			map[string]string{"net_cls/net_cls.classid": "1048577", "net_prio/net_prio.ifpriomap": "eth0 500"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := maps.Clone(c.files)
			for name := range files {
				files[name] = untouched
			}
			m := fake(t, files)
			if err := m.Set(&c.r); err != nil {
				t.Fatal(err)
			}
			for name, want := range c.files {
				if got := content(t, m, name); got != want {
					t.Errorf("%s holds %q, want %q", name, got, want)
				}
			}
		})
	}
}

func device(major, minor int64, rate uint64) []specs.LinuxThrottleDevice {
	return []specs.LinuxThrottleDevice{{LinuxBlockIODevice: specs.LinuxBlockIODevice{Major: major, Minor: minor}, Rate: rate}}
}

func TestSetNothing(t *testing.T) {
	m := New(nil, Options{})
	for _, r := range []*specs.LinuxResources{nil, {}, {Memory: &specs.LinuxMemory{}, CPU: &specs.LinuxCPU{}, Pids: &specs.LinuxPids{}, BlockIO: &specs.LinuxBlockIO{}, Network: &specs.LinuxNetwork{}}} {
		if err := m.Set(r); err != nil {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestSetRefuses(t *testing.T) {
	weight := func(w uint16) *specs.LinuxBlockIO { return &specs.LinuxBlockIO{Weight: &w} }
	for _, c := range []struct {
		r    specs.LinuxResources
		is   error
		want string
	}{
		{specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](-2)}}, unix.EINVAL, "memory.limit: -2: invalid argument (must be positive, or -1 for unlimited)"},
		{specs.LinuxResources{Memory: &specs.LinuxMemory{Swap: ptr[int64](-2)}}, unix.EINVAL, "memory.swap: -2: invalid argument (must be positive, or -1 for unlimited)"},
		{specs.LinuxResources{Memory: &specs.LinuxMemory{Swap: ptr[int64](2)}}, unix.ENOENT, "swapaccount=1"},
		{specs.LinuxResources{Memory: &specs.LinuxMemory{Kernel: ptr[int64](2)}}, unix.ENOENT, "no limit of kernel memory"},
		{specs.LinuxResources{Memory: &specs.LinuxMemory{Swappiness: ptr[uint64](101)}}, unix.EINVAL, "memory.swappiness: 101"},
		{specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: ptr[uint64](1)}}, unix.EINVAL, "the minimum allowed cpu-shares is 2"},
		{specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: ptr[uint64](262145)}}, unix.EINVAL, "the maximum allowed cpu-shares is 262144"},
		{specs.LinuxResources{CPU: &specs.LinuxCPU{RealtimeRuntime: ptr[int64](1)}}, unix.ENOENT, "cpu.realtimeRuntime"},
		{specs.LinuxResources{BlockIO: weight(9)}, unix.EINVAL, "blockIO.weight: 9"},
		{specs.LinuxResources{BlockIO: weight(1001)}, unix.EINVAL, "blockIO.weight: 1001"},
		{specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{LeafWeight: ptr[uint16](10)}}, unix.ENOENT, "blockIO.leafWeight"},
		{specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{WeightDevice: make([]specs.LinuxWeightDevice, 1)}}, unix.EINVAL, "blockIO.weightDevice[0]"},
		{specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "../x"}}}, unix.EINVAL, "hugepageLimits[0].pageSize"},
		{specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB"}}}, unix.ENOENT, "hugepageLimits[0]"},
		{specs.LinuxResources{Rdma: map[string]specs.LinuxRdma{"x": {}}}, unix.EINVAL, `rdma["x"]`},
		{specs.LinuxResources{Unified: map[string]string{"memory.max": "1"}}, errors.ErrUnsupported, "unified"},
		{specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{}}}, errors.ErrUnsupported, "devices"},
	} {
		m := fake(t, nil)
		err := m.Set(&c.r)
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "set linux.resources.") {
			t.Errorf("error %v, want %v with %q", err, c.is, c.want)
		}
	}
}

// An invalid later value prevents all writes.
func TestSetChecksFirst(t *testing.T) {
	m := fake(t, map[string]string{"pids/pids.max": untouched, "cpu/cpu.shares": untouched})
	err := m.Set(&specs.LinuxResources{
		CPU: &specs.LinuxCPU{Shares: ptr[uint64](5)}, Pids: &specs.LinuxPids{Limit: ptr[int64](5)},
		BlockIO: &specs.LinuxBlockIO{Weight: ptr[uint16](1)},
	})
	if err == nil || content(t, m, "pids/pids.max") != untouched || content(t, m, "cpu/cpu.shares") != untouched {
		t.Errorf("written before the check: %v", err)
	}
}

func TestSetWithoutController(t *testing.T) {
	m := New(map[string]string{"pids": t.TempDir()}, Options{})
	err := m.Set(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](1)}})
	if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), `memory.limit: controller "memory"`) {
		t.Errorf("error %v", err)
	}
	// Without the controller, every process has net class 0.
	if err := m.Set(&specs.LinuxResources{Network: &specs.LinuxNetwork{ClassID: ptr[uint32](0)}}); err != nil {
		t.Error(err)
	}
}

func TestSetDevices(t *testing.T) {
	m := fake(t, nil)
	var gotDir string
	var got []specs.LinuxDeviceCgroup
	m.opts.SetDevices = func(dir string, rules []specs.LinuxDeviceCgroup) error {
		gotDir, got = dir, rules
		return unix.EPERM
	}
	rules := []specs.LinuxDeviceCgroup{{Access: "rwm"}}
	if err := m.Set(&specs.LinuxResources{Devices: rules}); !errors.Is(err, unix.EPERM) {
		t.Errorf("error %v", err)
	}
	if gotDir != m.paths["devices"] || !reflect.DeepEqual(got, rules) {
		t.Errorf("called with %q, %v", gotDir, got)
	}
}

func TestCreateInheritsCpuset(t *testing.T) {
	root := t.TempDir()
	for _, f := range []string{"cpuset.cpus", "cpuset.mems"} {
		if err := os.WriteFile(root+"/"+f, []byte("0-3\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// This is not a cgroup file system, which fills new directories: make the
	// files.
	dir := root + "/a/b"
	for _, d := range []string{root + "/a", dir} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
		for f, v := range map[string]string{"cpuset.cpus": "\n", "cpuset.mems": "\n", "cgroup.procs": ""} {
			if err := os.WriteFile(d+"/"+f, []byte(v), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(root+"/a/cpuset.cpus", []byte("2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := New(map[string]string{"cpuset": dir}, Options{}).Create(); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"a/cpuset.cpus": "2\n", "a/cpuset.mems": "0-3", "a/b/cpuset.cpus": "2", "a/b/cpuset.mems": "0-3"} {
		if b, _ := os.ReadFile(root + "/" + file); string(b) != want {
			t.Errorf("%s holds %q, want %q", file, b, want)
		}
	}
}

func TestCreateUndoes(t *testing.T) {
	m := fake(t, map[string]string{"pids/cgroup.procs": "1\n"})
	for c, dir := range m.paths {
		if c != "pids" {
			if err := os.RemoveAll(filepath.Dir(dir)); err != nil {
				t.Fatal(err)
			}
		}
	}
	delete(m.paths, "cpuset")  // has files that only the kernel makes
	delete(m.paths, "freezer") // likewise
	delete(m.paths, "")
	paths := m.Paths()
	err := m.Create()
	if !errors.Is(err, cgroups.ErrNotEmpty) || !strings.Contains(err.Error(), "1 process") || !strings.Contains(err.Error(), paths["pids"]) {
		t.Errorf("error %v", err)
	}
	if len(m.Paths()) != 0 {
		t.Errorf("has %v", m.Paths())
	}
	if err := cgroups.Kill(m, 0); !errors.Is(err, cgroups.ErrNoCgroup) {
		t.Errorf("Kill of another's processes: %v", err)
	}
	if err := m.Destroy(context.Background()); err != nil {
		t.Errorf("Destroy: %v", err)
	}
	for c, dir := range paths {
		if _, err := os.Stat(filepath.Dir(dir)); c != "pids" && !os.IsNotExist(err) {
			t.Errorf("%s is left", dir)
		}
	}
}

func TestTolerate(t *testing.T) {
	dir := t.TempDir()
	denied := &fs.PathError{Op: "mkdir", Path: dir, Err: unix.EACCES}
	m := New(map[string]string{"pids": dir + "/p", "memory": dir + "/m"}, Options{Tolerate: true})
	if !m.tolerates(denied) || m.tolerates(unix.ENOSPC) {
		t.Error("tolerates the wrong errors")
	}
	m.drop(dir+"/m", denied)
	if want := map[string]string{"pids": dir + "/p"}; !reflect.DeepEqual(m.Paths(), want) {
		t.Errorf("paths %v", m.Paths())
	}
	err := m.Set(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](1)}})
	if !errors.Is(err, cgroups.ErrNoCgroup) || !errors.Is(err, unix.EACCES) {
		t.Errorf("error %v does not have the reason why the cgroup is missing", err)
	}
	if err := m.Set(&specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{Access: "rwm"}}}); err != nil {
		t.Errorf("devices without a cgroup: %v", err)
	}
	if m := New(nil, Options{}); m.tolerates(denied) {
		t.Error("tolerates though not asked to")
	}
}

func TestNoCgroup(t *testing.T) {
	m := New(nil, Options{})
	if err := m.Create(); err != nil {
		t.Error(err)
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
	if e := m.Entry(); e.Dir != "" || e.Files != nil {
		t.Errorf("Entry: %+v", e)
	}
}

func TestEntry(t *testing.T) {
	m := New(map[string]string{"": "/u", "cpu": "/c", "cpuacct": "/c", "pids": "/p"}, Options{})
	if want := (cgroups.Entry{Dir: "/u", Files: []string{"/c/tasks", "/p/tasks"}}); !reflect.DeepEqual(m.Entry(), want) {
		t.Errorf("Entry = %+v, want %+v", m.Entry(), want)
	}
}

func TestFreeze(t *testing.T) {
	m := fake(t, map[string]string{"freezer/freezer.state": "THAWED\n"})
	for _, c := range []struct {
		frozen bool
		want   string
	}{{true, "FROZEN"}, {true, "FROZEN"}, {false, "THAWED"}} {
		if err := m.Freeze(c.frozen); err != nil || content(t, m, "freezer/freezer.state") != c.want {
			t.Errorf("Freeze(%v): %v, state %q", c.frozen, err, content(t, m, "freezer/freezer.state"))
		}
	}
}

// stuck is a freezer in which some task never stops.
type stuck struct{ writes []string }

func (s *stuck) read() (string, error)    { return "FREEZING", nil }
func (s *stuck) write(state string) error { s.writes = append(s.writes, state); return nil }

func TestFreezeThawsWhenStuck(t *testing.T) {
	var s stuck
	err := freeze(&s, 100*time.Millisecond)
	if !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "uninterruptible") {
		t.Errorf("error %v", err)
	}
	if n := len(s.writes); n < 3 || s.writes[n-2] != "FROZEN" || s.writes[n-1] != "THAWED" {
		t.Errorf("writes %q", s.writes)
	}
}

func TestFreezeV2Fallback(t *testing.T) {
	dir := t.TempDir()
	for name, s := range map[string]string{"cgroup.freeze": "0", "cgroup.events": "populated 1\nfrozen 0\n"} {
		if err := os.WriteFile(dir+"/"+name, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	m := New(map[string]string{"": dir, "pids": dir + "/p"}, Options{})
	m.freezeFor = 5 * time.Millisecond
	err := m.Freeze(true)
	if !errors.Is(err, os.ErrDeadlineExceeded) || !strings.HasPrefix(err.Error(), "freeze cgroup ") {
		t.Errorf("a cgroup that never freezes: %v", err)
	}
	if b, _ := os.ReadFile(dir + "/cgroup.freeze"); string(b) != "0" {
		t.Errorf("not thawed after that: %q", b)
	}
}

func TestStats(t *testing.T) {
	m := fake(t, map[string]string{
		"cpu/cpu.stat":                                    "nr_periods 10\nnr_throttled 2\nthrottled_time 77\n",
		"cpuacct/cpuacct.usage":                           "1000\n",
		"cpuacct/cpuacct.usage_percpu":                    "400 600 \n",
		"cpuacct/cpuacct.usage_all":                       "cpu user system\n0 300 100\n1 500 100\n",
		"cpuacct/cpuacct.stat":                            "user 3\nsystem 2\n",
		"cpuset/cpuset.cpus":                              "0-1\n",
		"cpuset/cpuset.mems":                              "0\n",
		"cpuset/cpuset.sched_load_balance":                "1\n",
		"cpuset/cpuset.sched_relax_domain_level":          "-1\n",
		"memory/memory.stat":                              "cache 5\nrss 6\nhierarchical_memory_limit 9223372036854771712\n",
		"memory/memory.usage_in_bytes":                    "11\n",
		"memory/memory.max_usage_in_bytes":                "12\n",
		"memory/memory.limit_in_bytes":                    "13\n",
		"memory/memory.failcnt":                           "14\n",
		"memory/memory.memsw.limit_in_bytes":              "15\n",
		"memory/memory.kmem.usage_in_bytes":               "16\n",
		"memory/memory.kmem.tcp.failcnt":                  "17\n",
		"memory/memory.numa_stat":                         "total=3 N0=2 N1=1\n",
		"memory/memory.oom_control":                       "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
		"pids/pids.current":                               "4\n",
		"pids/pids.max":                                   "max\n",
		"blkio/blkio.bfq.io_service_bytes_recursive":      "Total 0\n",
		"blkio/blkio.throttle.io_service_bytes_recursive": "8:0 Read 4096\n8:0 Write 1\nTotal 4097\n",
		"blkio/blkio.bfq.io_serviced_recursive":           "8:0 Read 1\n",
		"blkio/blkio.throttle.io_serviced_recursive":      "8:0 Read 9\n",
		"blkio/blkio.io_service_bytes_recursive":          "Total 0\n",
		"blkio/blkio.io_queued_recursive":                 "Total 0\n",
		"blkio/blkio.io_service_time_recursive":           "Total 0\n",
		"blkio/blkio.io_wait_time_recursive":              "Total 0\n",
		"blkio/blkio.io_merged_recursive":                 "Total 0\n",
		"blkio/blkio.time_recursive":                      "8:0 123\n",
		"hugetlb/hugetlb.2MB.usage_in_bytes":              "1\n",
		"hugetlb/hugetlb.2MB.failcnt":                     "2\n",
		"hugetlb/hugetlb.1GB.usage_in_bytes":              "3\n",
		"hugetlb/hugetlb.1GB.rsvd.usage_in_bytes":         "4\n",
		"hugetlb/hugetlb.1GB.rsvd.max_usage_in_bytes":     "5\n",
		"rdma/rdma.current":                               "mlx4_0 hca_handle=1 hca_object=20\n",
		"misc/misc.current":                               "sev 3\n",
	})
	got, err := m.Stats()
	if err != nil {
		t.Fatal(err)
	}
	entry := func(op string, v uint64) cgroups.BlkioEntry { return cgroups.BlkioEntry{Major: 8, Op: op, Value: v} }
	want := &cgroups.Stats{
		CPU: cgroups.CPUStats{
			Usage: cgroups.CPUUsage{
				Total: 1000, PerCPU: []uint64{400, 600}, PerCPUUser: []uint64{300, 500},
				PerCPUKernel: []uint64{100, 100}, User: 30000000, Kernel: 20000000,
			},
			Throttling: cgroups.Throttling{Periods: 10, ThrottledPeriods: 2, ThrottledTime: 77},
		},
		CPUSet: cgroups.CPUSetStats{CPUs: []uint16{0, 1}, Mems: []uint16{0}, SchedLoadBalance: 1, SchedRelaxDomainLevel: -1},
		Memory: cgroups.MemoryStats{
			Cache:     5,
			Usage:     cgroups.MemoryUsage{Usage: 11, Max: 12, Limit: 13, Failcnt: 14},
			Swap:      cgroups.MemoryUsage{Limit: 15},
			Kernel:    cgroups.MemoryUsage{Usage: 16},
			KernelTCP: cgroups.MemoryUsage{Failcnt: 17},
			Raw:       map[string]uint64{"cache": 5, "rss": 6, "hierarchical_memory_limit": 9223372036854771712},
			NUMA:      map[string]map[int]uint64{"total": {0: 2 * uint64(os.Getpagesize()), 1: uint64(os.Getpagesize())}},
			OOMKills:  3,
		},
		Pids: cgroups.PidsStats{Current: 4},
		Blkio: cgroups.BlkioStats{
			IOServiceBytesRecursive: []cgroups.BlkioEntry{entry("Read", 4096), entry("Write", 1)},
			IOServicedRecursive:     []cgroups.BlkioEntry{entry("Read", 1)},
			IOTimeRecursive:         []cgroups.BlkioEntry{entry("", 123)},
		},
		Hugetlb: map[string]cgroups.HugetlbStats{"2MB": {Usage: 1, Failcnt: 2}, "1GB": {Usage: 4, Max: 5}},
		RDMA:    map[string]cgroups.RDMAStats{"mlx4_0": {Handles: cgroups.Count{Usage: 1, Limit: cgroups.Max}, Objects: cgroups.Count{Usage: 20, Limit: cgroups.Max}}},
		Misc:    map[string]cgroups.Count{"sev": {Usage: 3, Limit: cgroups.Max}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestStatsOfNothing(t *testing.T) {
	m := fake(t, nil)
	if _, err := m.Stats(); err != nil {
		t.Errorf("a kernel without the files: %v", err)
	}
	if err := os.RemoveAll(m.paths["memory"]); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Stats(); !errors.Is(err, unix.ENOENT) {
		t.Errorf("a cgroup that is gone: %v", err)
	}
}
