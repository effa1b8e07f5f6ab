package fs

import (
	"os"
	"strconv"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/internal/cgroups/counters"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// notSupported is the kernel's own ENOTSUPP, which is not in any C library.
// Writes to memory.kmem.limit_in_bytes return it since Linux 5.16.
const notSupported = unix.Errno(524)

// memsw is the file with the limit of memory and swap together. It exists if
// the kernel accounts swap (CONFIG_MEMCG_SWAP, and no swapaccount=0).
const memsw = "memory.memsw.limit_in_bytes"

// planMemory ignores a limit of 0, which no process could live under: engines
// send it for "not set".
func planMemory(dir string, r *specs.LinuxResources) ([]cgroupfs.Write, error) {
	mem := r.Memory
	if mem == nil {
		return nil, nil
	}
	p := memoryPlan{dir: dir}
	p.limit(mem.Reservation, cgroupfs.Write{Field: "memory.reservation", File: "memory.soft_limit_in_bytes"})
	p.limit(mem.Limit, cgroupfs.Write{
		Field: "memory.limit", File: "memory.limit_in_bytes", InUse: "memory.usage_in_bytes",
		Remedy: map[unix.Errno]string{
			unix.EBUSY:  "less than what is in use and cannot be reclaimed",
			unix.EINVAL: "more than the limit of memory and swap together: raise memory.swap too",
		},
	})
	p.limit(p.swap(mem), cgroupfs.Write{
		Field: "memory.swap", File: memsw, InUse: "memory.memsw.usage_in_bytes",
		Remedy: map[unix.Errno]string{
			unix.EBUSY:  "less than what is in use and cannot be reclaimed",
			unix.EINVAL: "it counts memory and swap, and is less than memory.limit",
			unix.ENOENT: "the kernel does not account swap: boot it with swapaccount=1, or leave memory.swap out",
		},
	})
	const gone = "this kernel has no limit of kernel memory: leave it out, memory.limit includes it"
	for _, k := range []struct {
		v           *int64
		field, file string
	}{
		{mem.Kernel, "memory.kernel", "memory.kmem.limit_in_bytes"},
		{mem.KernelTCP, "memory.kernelTCP", "memory.kmem.tcp.limit_in_bytes"},
	} {
		if p.unlimitedWithout(k.v, k.file) {
			continue
		}
		p.limit(k.v, cgroupfs.Write{
			Field: k.field, File: k.file,
			Remedy: map[unix.Errno]string{notSupported: gone, unix.EOPNOTSUPP: gone, unix.ENOENT: gone},
		})
	}
	p.switches(mem)
	return p.writes, p.err
}

type memoryPlan struct {
	dir    string
	writes []cgroupfs.Write
	err    error
}

func (p *memoryPlan) limit(v *int64, w cgroupfs.Write) {
	if v == nil || *v == 0 || p.err != nil {
		return
	}
	p.err = cgroupfs.CheckLimit(w.Field, *v)
	w.Value, w.Pages = strconv.FormatInt(*v, 10), true
	p.writes = append(p.writes, w)
}

// swap returns the limit of memory and swap together.
func (p *memoryPlan) swap(mem *specs.LinuxMemory) *int64 {
	swap := mem.Swap
	if swap != nil && *swap == 0 {
		swap = nil
	}
	if swap == nil && mem.Limit != nil && *mem.Limit == -1 {
		// The kernel requires that memory alone does not exceed memory and
		// swap.
		swap = mem.Limit
	}
	if p.unlimitedWithout(swap, memsw) {
		return nil
	}
	return swap
}

// unlimitedWithout reports whether v means "unlimited", and the kernel has no such
// limit.
func (p *memoryPlan) unlimitedWithout(v *int64, file string) bool {
	if v == nil || *v != -1 || p.err != nil {
		return false
	}
	there, err := cgroupfs.Exists(p.dir, file)
	p.err = err
	return err == nil && !there
}

// switches adds the settings that are not limits.
func (p *memoryPlan) switches(mem *specs.LinuxMemory) {
	add := func(field, file, value string, remedy map[unix.Errno]string) {
		p.writes = append(p.writes, cgroupfs.Write{Field: field, File: file, Value: value, Remedy: remedy})
	}
	if mem.Swappiness != nil {
		if *mem.Swappiness > 100 {
			// The kernel accepts up to 200, the specification does not.
			p.err = cgroupfs.Invalid("memory.swappiness", *mem.Swappiness, "0 to 100")
		}
		add("memory.swappiness", "memory.swappiness", strconv.FormatUint(*mem.Swappiness, 10), nil)
	}
	if mem.DisableOOMKiller != nil {
		p.writes = append(p.writes, cgroupfs.Write{
			Field: "memory.disableOOMKiller", File: "memory.oom_control", Row: "oom_kill_disable", Value: bit(*mem.DisableOOMKiller),
		})
	}
	if mem.UseHierarchy != nil {
		add("memory.useHierarchy", "memory.use_hierarchy", bit(*mem.UseHierarchy),
			map[unix.Errno]string{unix.EINVAL: "since Linux 5.11 it is always true"})
	}
}

func bit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// statMemory reads the counters of the memory controller.
func statMemory(g *cgroupfs.Reader, s *cgroups.Stats) {
	m := &s.Memory
	m.Raw = g.Keyed("memory.stat")
	m.Cache = m.Raw["cache"]
	for _, f := range []struct {
		prefix string
		to     *cgroups.MemoryUsage
	}{
		{"memory.", &m.Usage},
		{"memory.memsw.", &m.Swap},
		{"memory.kmem.", &m.Kernel},
		{"memory.kmem.tcp.", &m.KernelTCP},
	} {
		*f.to = cgroups.MemoryUsage{
			Limit:   g.Uint(f.prefix + "limit_in_bytes"),
			Usage:   g.Uint(f.prefix + "usage_in_bytes"),
			Max:     g.Uint(f.prefix + "max_usage_in_bytes"),
			Failcnt: g.Uint(f.prefix + "failcnt"),
		}
	}
	counters.NUMA(g, s, uint64(os.Getpagesize()))
	m.OOMKills = g.Keyed("memory.oom_control")["oom_kill"] // since Linux 4.13
}
