package libcontainer

import (
	"github.com/berth-oci/berth/internal/intelrdt"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// Stats returns the statistics of the container's cgroup, also after the container has
// stopped; ErrNotRunning if the cgroup was removed then, as systemd does.
func (c *Container) Stats() (*cgroups.Stats, error) {
	stats, err := c.stats()
	return stats, opError("stats", c.ID(), err)
}

func (c *Container) stats() (*cgroups.Stats, error) {
	status, err := c.Status()
	if err != nil {
		return nil, err
	}
	if status == Stopped {
		return c.ended().Stats()
	}
	stats, err := c.cgroup().Stats()
	return stats, c.cgroupError(err)
}

// Resctrl returns the container's limits and usage in the resctrl file system; nil if
// it has no group there.
func (c *Container) Resctrl() (*intelrdt.Report, error) {
	g := c.state.Resctrl
	if g == nil {
		return nil, nil
	}
	fs, err := intelrdt.Saved(g, c.resctrl)
	if err != nil {
		return nil, opError("stats", c.ID(), intelrdt.FieldError(err))
	}
	r, err := fs.Report(g)
	return r, opError("stats", c.ID(), intelrdt.FieldError(err))
}
