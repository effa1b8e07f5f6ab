package ociruntime

import (
	"context"

	"github.com/berth-oci/berth/internal/intelrdt"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// Stats is what the kernel has counted for a container. Its JSON form is
// runc's.
type Stats struct {
	cgroups.Stats
	// IntelRdt is empty in a container that is in no group of resctrl.
	IntelRdt intelrdt.Report `json:"intel_rdt"`
	// NetworkInterfaces is always null, as it is with runc for what engines
	// make: they count for themselves.
	NetworkInterfaces []struct{} `json:"network_interfaces"`
}

// Stats tells what the kernel has counted for a container that has not stopped;
// libcontainer.ErrNotRunning if it has.
func (c *Container) Stats(context.Context) (*Stats, error) {
	s, err := c.c.Stats()
	if err != nil {
		return nil, err
	}
	return c.complete(s)
}

// complete adds to the statistics of a cgroup what is counted elsewhere.
func (c *Container) complete(s *cgroups.Stats) (*Stats, error) {
	all := &Stats{Stats: *s}
	rdt, err := c.c.Resctrl()
	if rdt != nil {
		all.IntelRdt = *rdt
	}
	return all, err
}

// Processes lists the container's processes as the host sees them, ascending;
// none of one that has stopped.
func (c *Container) Processes(context.Context) ([]int, error) { return c.c.Processes() }
