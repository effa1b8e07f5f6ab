package libcontainer

import (
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/internal/monitor"
)

// memory returns the memory statistics of the container's cgroup. For a systemd unit
// they come from the witness: systemd can remove the cgroup at any moment.
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

// outOfMemory returns the limit for which the kernel OOM-killed processes of the
// container; "" if it killed none.
func (c *Container) outOfMemory() string {
	mem, err := c.memory()
	if err != nil || mem.OOMKills == 0 {
		return "" // without the cgroup the count is unknown
	}
	return monitor.Limit(mem)
}
