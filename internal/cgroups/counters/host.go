package counters

import (
	"fmt"
	"strings"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// Host sets the memory statistics of the whole host, for the root cgroup of v2.
func Host(s *cgroups.Stats) error {
	text, err := sys.ReadFile("/proc/meminfo")
	if err != nil {
		return err
	}
	return hostMemory(string(text), &s.Memory)
}

// hostMemory counts what memory.current counts of a cgroup, page cache included. The
// unit of meminfo is kB (proc(5)).
func hostMemory(meminfo string, m *cgroups.MemoryStats) error {
	kB := map[string]uint64{}
	for line := range strings.Lines(meminfo) {
		key, value, _ := strings.Cut(line, ":")
		number, found := strings.CutSuffix(strings.TrimSpace(value), " kB")
		if !found {
			continue
		}
		n, err := cgroupfs.ParseUint(number)
		if err != nil {
			return fmt.Errorf("read %q: %w", "/proc/meminfo", err)
		}
		kB[key] = n
	}
	usage := (kB["MemTotal"] - kB["MemFree"]) << 10
	m.Usage = cgroups.MemoryUsage{Limit: cgroups.Max, Usage: usage}
	m.Swap = cgroups.MemoryUsage{Limit: cgroups.Max, Usage: usage + (kB["SwapTotal"]-kB["SwapFree"])<<10}
	return nil
}
