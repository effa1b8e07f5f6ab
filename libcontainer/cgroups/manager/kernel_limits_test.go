package manager

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func file(t *testing.T, m cgroups.Manager, controller, name string) string {
	t.Helper()
	dir := m.Paths()[controller]
	if dir == "" {
		dir = m.Paths()[""]
	}
	s, err := cgroupfs.ReadFile(dir, name)
	if err != nil {
		t.Error(err)
	}
	return s
}

func ptr[T any](v T) *T { return &v }

// needV1 skips unless a controller has a v1 hierarchy.
func needV1(t *testing.T, m cgroups.Manager, controller string) {
	t.Helper()
	if m.Paths()[controller] == "" {
		t.Skipf("no v1 controller %q here", controller)
	}
}

func TestKernelMemoryV1(t *testing.T) {
	m := created(t)
	needV1(t, m, "memory")
	if there, err := cgroupfs.Exists(m.Paths()["memory"], "memory.memsw.limit_in_bytes"); !there || err != nil {
		t.Skip("no swap accounting")
	}
	const mb = 1 << 20
	for _, c := range [][2]int64{{100, 200}, {300, 400}, {100, 200}, {150, 150}, {100, 100}, {100, 400}, {200, 300}, {-1, 0}, {100, 200}, {-1, -1}} {
		r := &specs.LinuxMemory{Limit: ptr(c[0] * mb), Swap: ptr(c[1] * mb)}
		for _, v := range []*int64{r.Limit, r.Swap} {
			if *v < 0 {
				*v = -1
			}
		}
		if err := m.Set(&specs.LinuxResources{Memory: r}); err != nil {
			t.Fatalf("%v: %v", c, err)
		}
		if c[0] < 0 {
			continue
		}
		for name, want := range map[string]int64{"memory.limit_in_bytes": c[0], "memory.memsw.limit_in_bytes": c[1]} {
			if got := file(t, m, "memory", name); got != fmt.Sprint(want*mb) {
				t.Errorf("%v: %s = %s", c, name, got)
			}
		}
	}
	if err := m.Set(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](100 * mb), Swap: ptr[int64](100 * mb)}}); err != nil {
		t.Fatal(err)
	}
	err := m.Set(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](200 * mb)}})
	if !errors.Is(err, unix.EINVAL) || !strings.Contains(err.Error(), "raise memory.swap too") {
		t.Errorf("above memory and swap: %v", err)
	}
	p := start(t, m)
	if got := p.ask(t, "memory"); got != "ok" {
		t.Fatal(got)
	}
	err = m.Set(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](4 * mb)}})
	if swapless() && (!errors.Is(err, unix.EBUSY) || !strings.Contains(err.Error(), "memory.limit: ") || !strings.Contains(err.Error(), "in use")) {
		t.Errorf("below the usage: %v", err)
	}
	s, err := m.Stats()
	if err != nil || s.Memory.Usage.Usage < 16*mb || s.Memory.Usage.Limit != 100*mb || s.Memory.Usage.Max < s.Memory.Usage.Usage || s.Memory.Raw["rss"] == 0 {
		t.Errorf("statistics %+v, %v", s.Memory.Usage, err)
	}
}

// swapless reports that the kernel cannot swap memory out.
func swapless() bool {
	b, _ := os.ReadFile("/proc/swaps")
	return bytes.Count(b, []byte("\n")) <= 1
}

func TestKernelMemorySwitchesV1(t *testing.T) {
	m := created(t)
	needV1(t, m, "memory")
	r := &specs.LinuxMemory{Reservation: ptr[int64](64 << 20), Swappiness: ptr[uint64](7), DisableOOMKiller: ptr(true), UseHierarchy: ptr(true), Kernel: ptr[int64](-1), KernelTCP: ptr[int64](-1)}
	if err := m.Set(&specs.LinuxResources{Memory: r}); err != nil {
		t.Fatal(err)
	}
	if got := file(t, m, "memory", "memory.swappiness"); got != "7" {
		t.Errorf("swappiness %s", got)
	}
	if got := file(t, m, "memory", "memory.oom_control"); !strings.Contains(got, "oom_kill_disable 1") {
		t.Errorf("oom_control %q", got)
	}
}

func TestKernelCPUV1(t *testing.T) {
	m := created(t)
	needV1(t, m, "cpu")
	set := func(c specs.LinuxCPU) error { return m.Set(&specs.LinuxResources{CPU: &c}) }
	for _, c := range []specs.LinuxCPU{
		{Quota: ptr[int64](50000), Period: ptr[uint64](100000), Burst: ptr[uint64](20000)},
		{Quota: ptr[int64](10000), Period: ptr[uint64](20000), Burst: ptr[uint64](5000)},
		{Quota: ptr[int64](500000), Period: ptr[uint64](1000000), Burst: ptr[uint64](400000)},
		{Quota: ptr[int64](10000), Period: ptr[uint64](20000), Burst: ptr[uint64](0)},
	} {
		if err := set(c); err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		for name, want := range map[string]any{"cpu.cfs_quota_us": *c.Quota, "cpu.cfs_period_us": *c.Period, "cpu.cfs_burst_us": *c.Burst} {
			if got := file(t, m, "cpu", name); got != fmt.Sprint(want) {
				t.Errorf("%s = %s, want %v", name, got, want)
			}
		}
	}
	if err := set(specs.LinuxCPU{Burst: ptr[uint64](20000)}); !errors.Is(err, unix.EINVAL) || !strings.Contains(err.Error(), "more than the quota") {
		t.Errorf("burst above the quota: %v", err)
	}
	if there, err := cgroupfs.Exists(m.Paths()["cpu"], "cpu.idle"); !there || err != nil {
		t.Skip("no cpu.idle (Linux 5.15)")
	}
	for _, c := range []specs.LinuxCPU{{Idle: ptr[int64](1), Shares: ptr[uint64](512)}, {Idle: ptr[int64](0), Shares: ptr[uint64](512)}, {Idle: ptr[int64](1)}} {
		if err := set(c); err != nil {
			t.Errorf("idle %d: %v", *c.Idle, err)
		}
	}
	if err := set(specs.LinuxCPU{Shares: ptr[uint64](512)}); !errors.Is(err, unix.EINVAL) || !strings.Contains(err.Error(), "set cpu.idle to 0") {
		t.Errorf("shares of an idle cgroup: %v", err)
	}
}

func TestKernelCpusetV1(t *testing.T) {
	m := created(t)
	needV1(t, m, "cpuset")
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		above, err := cgroupfs.ReadFile(filepath.Dir(filepath.Dir(m.Paths()["cpuset"])), name)
		if got := file(t, m, "cpuset", name); got != above || err != nil {
			t.Errorf("%s = %q, inherited from %q, %v", name, got, above, err)
		}
	}
	if err := m.Set(&specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: "0", Mems: "0"}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		cpus string
		is   error
	}{{"4095", unix.EINVAL}, {"x", unix.EINVAL}, {"4000-4095", unix.EINVAL}} {
		err := m.Set(&specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: c.cpus}})
		if err == nil || !strings.Contains(err.Error(), "cpu.cpus: write") || !strings.Contains(err.Error(), "(") {
			t.Errorf("cpus %q: %v", c.cpus, err)
		}
	}
	s, err := m.Stats()
	if err != nil || !slices.Equal(s.CPUSet.CPUs, []uint16{0}) || s.CPUSet.SchedLoadBalance != 1 || s.CPUSet.SchedRelaxDomainLevel != -1 {
		t.Errorf("statistics %+v, %v", s.CPUSet, err)
	}
}

func TestKernelPidsV1(t *testing.T) {
	m := created(t)
	needV1(t, m, "pids")
	for _, c := range []struct {
		limit int64
		want  string
	}{{5, "5"}, {0, "1"}, {-1, "max"}} {
		err := m.Set(&specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &c.limit}})
		if got := file(t, m, "pids", "pids.max"); err != nil || got != c.want {
			t.Errorf("limit %d: %v, %q", c.limit, err, got)
		}
	}
	start(t, m)
	if s, err := m.Stats(); err != nil || s.Pids.Current == 0 || s.Pids.Limit != 0 {
		t.Errorf("statistics %+v, %v", s, err)
	}
}

func TestKernelBlkioV1(t *testing.T) {
	m := created(t)
	needV1(t, m, "blkio")
	disk := blockDevice(t)
	err := m.Set(&specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{
		ThrottleReadBpsDevice: []specs.LinuxThrottleDevice{{LinuxBlockIODevice: disk, Rate: 1 << 20}},
	}})
	if got := file(t, m, "blkio", "blkio.throttle.read_bps_device"); err != nil || got != fmt.Sprintf("%d:%d 1048576", disk.Major, disk.Minor) {
		t.Errorf("%v, %q", err, got)
	}
	err = m.Set(&specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{
		ThrottleReadBpsDevice: []specs.LinuxThrottleDevice{{LinuxBlockIODevice: specs.LinuxBlockIODevice{Major: 4095, Minor: 1}, Rate: 1}},
	}})
	if !errors.Is(err, unix.ENODEV) && !errors.Is(err, unix.ENXIO) || !strings.Contains(err.Error(), "blockIO.throttleReadBpsDevice[0]") || !strings.Contains(err.Error(), "no such block device") {
		t.Errorf("no such device: %v", err)
	}
	if there, err := cgroupfs.Exists(m.Paths()["blkio"], "blkio.bfq.weight"); there && err == nil {
		if err := m.Set(&specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{Weight: ptr[uint16](500)}}); err != nil {
			t.Error(err)
		}
	}
}

func blockDevice(t *testing.T) specs.LinuxBlockIODevice {
	t.Helper()
	disks, _ := filepath.Glob("/sys/block/*/dev")
	for _, d := range disks {
		var disk specs.LinuxBlockIODevice
		if b, err := os.ReadFile(d); err == nil {
			if n, _ := fmt.Sscanf(string(b), "%d:%d", &disk.Major, &disk.Minor); n == 2 {
				return disk
			}
		}
	}
	t.Skip("no block device here")
	return specs.LinuxBlockIODevice{}
}
