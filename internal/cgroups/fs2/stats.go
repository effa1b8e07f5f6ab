package fs2

import (
	"fmt"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/internal/cgroups/counters"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// Stats implements cgroups.Manager. A value that no enabled controller counts
// is 0.
func (m *Manager) Stats() (*cgroups.Stats, error) {
	if m.dir == "" {
		return nil, fmt.Errorf("read statistics: %w", m.absent())
	}
	s, g := cgroups.NewStats(), new(cgroupfs.Reader)
	err := g.In(m.dir, func(g *cgroupfs.Reader) {
		statCPU(g, s)
		statMemory(g, s)
		statPids(g, s)
		statIO(g, s)
		statHugetlb(g, s)
		counters.RDMA(g, s)
		counters.Misc(g, s)
		counters.PSI(g, s)
	})
	if err != nil {
		return nil, fmt.Errorf("read statistics: %w", err)
	}
	return s, nil
}
