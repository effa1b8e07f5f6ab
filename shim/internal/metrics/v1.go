package metrics

import (
	"os"
	"path/filepath"
	"strconv"

	stats "github.com/containerd/cgroups/v3/cgroup1/stats"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// namesV1 are counters with another name than their field.
var namesV1 = map[protoreflect.Name]string{
	"pg_pg_in": "pgpgin", "pg_pg_out": "pgpgout", "pg_fault": "pgfault", "pg_maj_fault": "pgmajfault",
	"total_pg_pg_in": "total_pgpgin", "total_pg_pg_out": "total_pgpgout",
	"total_pg_fault": "total_pgfault", "total_pg_maj_fault": "total_pgmajfault",
	"hierarchical_swap_limit": "hierarchical_memsw_limit",
}

func v1(s *cgroups.Stats) *stats.Metrics {
	m := &stats.Metrics{
		Pids: &stats.PidsStat{Current: s.Pids.Current, Limit: s.Pids.Limit},
		CPU: &stats.CPUStat{
			Usage: &stats.CPUUsage{
				Total: s.CPU.Usage.Total, Kernel: s.CPU.Usage.Kernel, User: s.CPU.Usage.User, PerCPU: s.CPU.Usage.PerCPU,
			},
			Throttling: &stats.Throttle{
				Periods: s.CPU.Throttling.Periods, ThrottledPeriods: s.CPU.Throttling.ThrottledPeriods,
				ThrottledTime: s.CPU.Throttling.ThrottledTime,
			},
		},
		Memory:           memoryV1(&s.Memory),
		MemoryOomControl: &stats.MemoryOomControl{OomKill: s.Memory.OOMKills},
		Blkio:            blkioV1(&s.Blkio),
	}
	for size, h := range s.Hugetlb {
		m.Hugetlb = append(m.Hugetlb, &stats.HugetlbStat{Pagesize: size, Usage: h.Usage, Max: h.Max, Failcnt: h.Failcnt})
	}
	return m
}

func memoryV1(s *cgroups.MemoryStats) *stats.MemoryStat {
	m := &stats.MemoryStat{
		Usage: memoryEntry(s.Usage), Swap: memoryEntry(s.Swap), Kernel: memoryEntry(s.Kernel), KernelTCP: memoryEntry(s.KernelTCP),
	}
	fill(m, s.Raw, namesV1)
	return m
}

func memoryEntry(u cgroups.MemoryUsage) *stats.MemoryEntry {
	return &stats.MemoryEntry{Limit: u.Limit, Usage: u.Usage, Max: u.Max, Failcnt: u.Failcnt}
}

func blkioV1(s *cgroups.BlkioStats) *stats.BlkIOStat {
	return &stats.BlkIOStat{
		IoServiceBytesRecursive: blkioEntries(s.IOServiceBytesRecursive),
		IoServicedRecursive:     blkioEntries(s.IOServicedRecursive),
		IoQueuedRecursive:       blkioEntries(s.IOQueueRecursive),
		IoServiceTimeRecursive:  blkioEntries(s.IOServiceTimeRecursive),
		IoWaitTimeRecursive:     blkioEntries(s.IOWaitTimeRecursive),
		IoMergedRecursive:       blkioEntries(s.IOMergedRecursive),
		IoTimeRecursive:         blkioEntries(s.IOTimeRecursive),
		SectorsRecursive:        blkioEntries(s.SectorsRecursive),
	}
}

func blkioEntries(list []cgroups.BlkioEntry) []*stats.BlkIOEntry {
	var out []*stats.BlkIOEntry
	for _, b := range list {
		out = append(out, &stats.BlkIOEntry{Op: b.Op, Device: deviceName(b), Major: b.Major, Minor: b.Minor, Value: b.Value})
	}
	return out
}

// deviceName returns the path of a block device; "" if sysfs does not know it.
func deviceName(b cgroups.BlkioEntry) string {
	number := strconv.FormatUint(b.Major, 10) + ":" + strconv.FormatUint(b.Minor, 10)
	target, err := os.Readlink("/sys/dev/block/" + number)
	if err != nil {
		return ""
	}
	return "/dev/" + filepath.Base(target)
}
