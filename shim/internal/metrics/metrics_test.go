package metrics

import (
	"testing"

	"github.com/berth-oci/berth/libcontainer/cgroups"
)

func sample() *cgroups.Stats {
	s := cgroups.NewStats()
	s.CPU.Usage.Total, s.CPU.Usage.Kernel, s.CPU.Usage.User = 9000, 2000, 7000
	s.Memory.Usage = cgroups.MemoryUsage{Usage: 100, Limit: 1000}
	s.Memory.Swap = cgroups.MemoryUsage{Usage: 130, Limit: 1500}
	s.Memory.OOMKills = 2
	s.Memory.Raw = map[string]uint64{"anon": 11, "pgpgin": 12, "total_rss": 13, "pgfault": 14, "workingset_refault_file": 15}
	s.Pids = cgroups.PidsStats{Current: 3, Limit: 7}
	s.Blkio.IOServiceBytesRecursive = []cgroups.BlkioEntry{{Major: 8, Op: "Read", Value: 21}, {Major: 8, Op: "Write", Value: 22}, {Major: 9, Op: "Read", Value: 23}}
	s.Blkio.IOServicedRecursive = []cgroups.BlkioEntry{{Major: 8, Op: "Read", Value: 31}}
	s.Hugetlb["2MB"] = cgroups.HugetlbStats{Usage: 41}
	return s
}

func TestV2(t *testing.T) {
	m := v2(sample())
	for name, pair := range map[string][2]uint64{
		"cpu":         {m.CPU.UsageUsec, 9},
		"user":        {m.CPU.UserUsec, 7},
		"anon":        {m.Memory.Anon, 11},
		"pgfault":     {m.Memory.Pgfault, 14},
		"refault":     {m.Memory.WorkingsetRefault, 15},
		"usage":       {m.Memory.Usage, 100},
		"swap":        {m.Memory.SwapUsage, 30},
		"swap limit":  {m.Memory.SwapLimit, 500},
		"oom":         {m.MemoryEvents.OomKill, 2},
		"pids":        {m.Pids.Limit, 7},
		"devices":     {uint64(len(m.Io.Usage)), 2},
		"read":        {m.Io.Usage[0].Rbytes, 21},
		"written":     {m.Io.Usage[0].Wbytes, 22},
		"reads":       {m.Io.Usage[0].Rios, 31},
		"other":       {m.Io.Usage[1].Rbytes, 23},
		"large pages": {m.Hugetlb[0].Current, 41},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %d, want %d", name, pair[0], pair[1])
		}
	}
}

func TestV2WithoutLimit(t *testing.T) {
	s := sample()
	s.Memory.Usage.Limit, s.Memory.Swap.Limit = cgroups.Max, cgroups.Max
	if m := v2(s); m.Memory.SwapLimit != cgroups.Max {
		t.Errorf("swap limit %d, want none", m.Memory.SwapLimit)
	}
}

func TestV1(t *testing.T) {
	m := v1(sample())
	for name, pair := range map[string][2]uint64{
		"cpu":       {m.CPU.Usage.Total, 9000},
		"pgpgin":    {m.Memory.PgPgIn, 12},
		"total_rss": {m.Memory.TotalRSS, 13},
		"pgfault":   {m.Memory.PgFault, 14},
		"usage":     {m.Memory.Usage.Usage, 100},
		"swap":      {m.Memory.Swap.Usage, 130},
		"oom":       {m.MemoryOomControl.OomKill, 2},
		"blkio":     {uint64(len(m.Blkio.IoServiceBytesRecursive)), 3},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %d, want %d", name, pair[0], pair[1])
		}
	}
}
