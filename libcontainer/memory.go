package libcontainer

import (
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/internal/monitor"
)

// memory returns what was counted of memory in the container's cgroup. A unit's,
// which can go at any moment, is not asked: its files would be missing one by one.
func (c *Container) memory() (cgroups.MemoryStats, error) {
	if c.witness != nil {
		return c.witness.Seen(), nil
	}
	stats, err := c.cgroup().Stats()
	if err != nil {
		return cgroups.MemoryStats{}, err
	}
	return stats.Memory, nil
}

// outOfMemory says because of which limit the kernel has OOM-killed processes of
// the container; empty if it has not.
func (c *Container) outOfMemory() string {
	mem, err := c.memory()
	if err != nil || mem.OOMKills == 0 {
		return "" // the cgroup is gone, and nothing else knows
	}
	return monitor.Limit(mem)
}
