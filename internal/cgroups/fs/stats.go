package fs

import (
	"fmt"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/internal/cgroups/counters"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// Stats implements cgroups.Manager. A value that the kernel does not count is
// 0.
func (m *Manager) Stats() (*cgroups.Stats, error) {
	if len(m.paths) == 0 {
		return nil, fmt.Errorf("read statistics: %w", cgroups.ErrNoCgroup)
	}
	s := cgroups.NewStats()
	var g cgroupfs.Reader
	for _, row := range []struct {
		controller string
		read       func(*cgroupfs.Reader, *cgroups.Stats)
	}{
		{"cpu", statCPU},
		{"cpuacct", statCpuacct},
		{"cpuset", statCpuset},
		{"memory", statMemory},
		{"pids", statPids},
		{"blkio", statBlkio},
		{"hugetlb", statHugetlb},
		{"rdma", counters.RDMA},
		{"misc", counters.Misc},
		{"", counters.PSI}, // which v1 lacks
	} {
		dir := m.paths[row.controller]
		if dir == "" {
			continue
		}
		if err := g.In(dir, func(g *cgroupfs.Reader) { row.read(g, s) }); err != nil {
			return nil, fmt.Errorf("read statistics: %w", err)
		}
	}
	return s, nil
}
