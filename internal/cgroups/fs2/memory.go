package fs2

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/internal/cgroups/counters"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// planMemory ignores a limit of 0, which no process could live under: engines
// send it for "not set".
func planMemory(dir string, r *specs.LinuxResources) ([]cgroupfs.Write, error) {
	mem := r.Memory
	if mem == nil {
		return nil, nil
	}
	if err := refuseMemory(mem); err != nil {
		return nil, err
	}
	var writes []cgroupfs.Write
	swap, err := planSwap(dir, mem)
	if err != nil {
		return nil, err
	}
	if swap != "" {
		// Before the limit: a lower one moves memory to swap.
		writes = append(writes, cgroupfs.Write{
			Field: "memory.swap", File: "memory.swap.max", Value: swap, Pages: true,
			Remedy: map[unix.Errno]string{unix.ENOENT: "the kernel does not account swap: boot it without swapaccount=0, or leave memory.swap out"},
		})
	}
	for _, l := range []struct {
		field, file string
		v           *int64
	}{
		{"memory.limit", "memory.max", mem.Limit},
		{"memory.reservation", "memory.low", mem.Reservation},
	} {
		if !given(l.v) {
			continue
		}
		if err := cgroupfs.CheckLimit(l.field, *l.v); err != nil {
			return nil, err
		}
		writes = append(writes, cgroupfs.Write{Field: l.field, File: l.file, Value: limit(*l.v), Pages: true})
	}
	if mem.CheckBeforeUpdate != nil && *mem.CheckBeforeUpdate {
		err = checkUsage(dir, mem)
	}
	return writes, err
}

func given(v *int64) bool { return v != nil && *v != 0 }

func limit(v int64) string {
	if v == -1 {
		return "max"
	}
	return strconv.FormatInt(v, 10)
}

// refuseMemory refuses settings that v2 does not have.
func refuseMemory(mem *specs.LinuxMemory) error {
	switch {
	case given(mem.Kernel) && *mem.Kernel != -1:
		return cgroupfs.Unsupported("memory.kernel", "cgroup v2 has no limit of kernel memory: leave it out, memory.limit includes it")
	case given(mem.KernelTCP) && *mem.KernelTCP != -1:
		return cgroupfs.Unsupported("memory.kernelTCP", "cgroup v2 has no limit of TCP buffers: leave it out, memory.limit includes it")
	case mem.Swappiness != nil:
		return cgroupfs.Unsupported("memory.swappiness", "cgroup v2 has no swappiness of a cgroup: leave it out")
	case mem.DisableOOMKiller != nil && *mem.DisableOOMKiller:
		return cgroupfs.Unsupported("memory.disableOOMKiller", "cgroup v2 cannot disable it; process.oomScoreAdj can protect a process")
	case mem.UseHierarchy != nil && !*mem.UseHierarchy:
		return cgroupfs.Unsupported("memory.useHierarchy", "cgroup v2 is always hierarchical")
	}
	return nil
}

// planSwap returns the text for memory.swap.max, "" for no write.
func planSwap(dir string, mem *specs.LinuxMemory) (string, error) {
	swap := mem.Swap
	if !given(swap) {
		if mem.Limit == nil || *mem.Limit != -1 {
			return "", nil
		}
		// As on v1: unlimited memory cannot have limited memory and swap.
		swap = mem.Limit
	}
	if err := cgroupfs.CheckLimit("memory.swap", *swap); err != nil {
		return "", err
	}
	max, err := cgroupfs.SwapLimit(*swap, memoryLimit(dir, mem))
	if err != nil {
		return "", err
	}
	if max <= 0 {
		unaccounted, err := withoutSwap(dir)
		if err != nil || unaccounted {
			return "", err // "unlimited", or no limit, on a kernel without swap accounting
		}
	}
	return limit(max), nil
}

// withoutSwap reports whether the kernel accounts the memory of the cgroup, but
// no swap.
func withoutSwap(dir string) (bool, error) {
	swap, err := cgroupfs.Exists(dir, "memory.swap.max")
	if err != nil || swap {
		return false, err
	}
	return cgroupfs.Exists(dir, "memory.max")
}

// memoryLimit returns the limit of memory that will apply: the one given, or
// the current one.
func memoryLimit(dir string, mem *specs.LinuxMemory) int64 {
	if given(mem.Limit) {
		return *mem.Limit
	}
	// The file does not exist until the controller is enabled.
	if n, err := cgroupfs.ReadUint(dir, "memory.max"); err == nil && n <= math.MaxInt64 {
		return int64(n)
	}
	return -1
}

// checkUsage refuses limits below the current usage, as v1 does; v2 would
// accept them and kill processes.
func checkUsage(dir string, mem *specs.LinuxMemory) error {
	if !given(mem.Limit) || *mem.Limit == -1 {
		return nil
	}
	usage, err := cgroupfs.ReadUint(dir, "memory.current")
	if errors.Is(err, unix.ENOENT) {
		return nil // not enabled yet, so the kernel counts nothing
	}
	if err != nil {
		return err
	}
	if uint64(*mem.Limit) < usage {
		return cgroupfs.InField("memory.limit", fmt.Errorf("memory.limit: %d: %w (less than what is in use, %d bytes, and checkBeforeUpdate is set)", *mem.Limit, unix.EBUSY, usage))
	}
	return nil
}

// statMemory reads the counters of the memory controller.
func statMemory(g *cgroupfs.Reader, s *cgroups.Stats) {
	m := &s.Memory
	m.Raw = g.Keyed("memory.stat")
	m.Cache = m.Raw["file"]
	m.Usage = cgroups.MemoryUsage{
		Limit: g.Uint("memory.max"),
		Usage: g.Uint("memory.current"),
		Max:   g.Uint("memory.peak"), // since Linux 5.19
	}
	if swap, ok := g.UintIf("memory.swap.current"); ok {
		// v1 counts memory and swap together, and so do readers of these
		// statistics.
		m.Swap = cgroups.MemoryUsage{
			Limit: sum(g.Uint("memory.swap.max"), m.Usage.Limit),
			Usage: sum(swap, m.Usage.Usage),
		}
	}
	counters.NUMA(g, s, 1)
	events := g.Keyed("memory.events")
	m.OOMKills, m.OOMs = events["oom_kill"], events["oom"]
}

// sum adds two limits; Max stays Max.
func sum(a, b uint64) uint64 {
	if a > cgroups.Max-b {
		return cgroups.Max
	}
	return a + b
}
