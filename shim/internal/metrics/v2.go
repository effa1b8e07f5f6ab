package metrics

import (
	stats "github.com/containerd/cgroups/v3/cgroup2/stats"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// namesV2 are counters with a name that is newer than that of their field.
var namesV2 = map[protoreflect.Name]string{
	"workingset_refault":  "workingset_refault_file",
	"workingset_activate": "workingset_activate_file",
}

func v2(s *cgroups.Stats) *stats.Metrics {
	m := &stats.Metrics{
		Pids: &stats.PidsStat{Current: s.Pids.Current, Limit: s.Pids.Limit},
		CPU: &stats.CPUStat{
			UsageUsec: s.CPU.Usage.Total / 1000, UserUsec: s.CPU.Usage.User / 1000, SystemUsec: s.CPU.Usage.Kernel / 1000,
			NrPeriods: s.CPU.Throttling.Periods, NrThrottled: s.CPU.Throttling.ThrottledPeriods,
			ThrottledUsec: s.CPU.Throttling.ThrottledTime / 1000, PSI: pressure(s.CPU.PSI),
		},
		Memory: memoryV2(&s.Memory),
		MemoryEvents: &stats.MemoryEvents{
			Oom: s.Memory.OOMs, OomKill: s.Memory.OOMKills,
		},
		Io: &stats.IOStat{Usage: ioV2(&s.Blkio), PSI: pressure(s.Blkio.PSI)},
	}
	for size, h := range s.Hugetlb {
		m.Hugetlb = append(m.Hugetlb, &stats.HugeTlbStat{Pagesize: size, Current: h.Usage, Max: h.Max, Failcnt: h.Failcnt})
	}
	return m
}

func memoryV2(s *cgroups.MemoryStats) *stats.MemoryStat {
	m := &stats.MemoryStat{
		Usage: s.Usage.Usage, UsageLimit: s.Usage.Limit, MaxUsage: s.Usage.Max,
		// Stats count memory and swap together.
		SwapUsage: less(s.Swap.Usage, s.Usage.Usage), SwapLimit: s.Swap.Limit, PSI: pressure(s.PSI),
	}
	if s.Swap.Limit != cgroups.Max {
		m.SwapLimit = less(s.Swap.Limit, s.Usage.Limit)
	}
	fill(m, s.Raw, namesV2)
	return m
}

// less subtracts counters that were not read at the same moment.
func less(a, b uint64) uint64 {
	if a < b {
		return 0
	}
	return a - b
}

func pressure(p *cgroups.PSI) *stats.PSIStats {
	if p == nil {
		return nil
	}
	return &stats.PSIStats{Some: times(&p.Some), Full: times(&p.Full)}
}

func times(t *cgroups.PSITimes) *stats.PSIData {
	return &stats.PSIData{Avg10: t.Avg10, Avg60: t.Avg60, Avg300: t.Avg300, Total: t.Total}
}

// ioV2 makes one entry of the counters of a device, which Stats have as in v1.
func ioV2(s *cgroups.BlkioStats) []*stats.IOEntry {
	type device struct{ major, minor uint64 }
	found := make(map[device]*stats.IOEntry)
	var list []*stats.IOEntry
	entry := func(b cgroups.BlkioEntry) *stats.IOEntry {
		d := device{b.Major, b.Minor}
		if found[d] == nil {
			found[d] = &stats.IOEntry{Major: b.Major, Minor: b.Minor}
			list = append(list, found[d])
		}
		return found[d]
	}
	for _, b := range s.IOServiceBytesRecursive {
		switch b.Op {
		case "Read":
			entry(b).Rbytes = b.Value
		case "Write":
			entry(b).Wbytes = b.Value
		}
	}
	for _, b := range s.IOServicedRecursive {
		switch b.Op {
		case "Read":
			entry(b).Rios = b.Value
		case "Write":
			entry(b).Wios = b.Value
		}
	}
	return list
}
