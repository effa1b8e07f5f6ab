package fs

import (
	"fmt"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// Stats implements cgroups.Manager. A value that the kernel does not count is
// 0.
func (m *Manager) Stats() (*cgroups.Stats, error) {
	if len(m.paths) == 0 {
		return nil, fmt.Errorf("read statistics: %w", cgroups.ErrNoCgroup)
	}
	s := cgroups.NewStats()
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
		{"", statPressure},
	} {
		dir := m.paths[row.controller]
		if dir == "" {
			continue
		}
		g := cgroupfs.NewReader(dir)
		row.read(g, s)
		if err := g.Err(); err != nil {
			return nil, fmt.Errorf("read statistics: %w", err)
		}
	}
	return s, nil
}

// statPressure reads PSI, which v1 lacks, from the v2 hierarchy. It needs no
// controller there.
func statPressure(g *cgroupfs.Reader, s *cgroups.Stats) {
	s.CPU.PSI = cgroups.ParsePSI(g.Text("cpu.pressure"))
	s.Memory.PSI = cgroups.ParsePSI(g.Text("memory.pressure"))
	s.Blkio.PSI = cgroups.ParsePSI(g.Text("io.pressure"))
}
