package ociruntime

import (
	"context"

	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// Stats is what the kernel has counted for a container. Its JSON form is
// runc's.
type Stats struct {
	cgroups.Stats
	// IntelRdt is empty: linux.intelRdt is not supported yet.
	IntelRdt struct{} `json:"intel_rdt"`
	// NetworkInterfaces is always null, as it is with runc for what engines
	// make: they count for themselves.
	NetworkInterfaces []struct{} `json:"network_interfaces"`
}

// Stats tells what the kernel has counted for a container that has not stopped.
func (c *Container) Stats(context.Context) (*Stats, error) {
	s, err := c.c.Stats()
	if err != nil {
		return nil, err
	}
	return &Stats{Stats: *s}, nil
}

// Processes lists the container's processes as the host sees them, ascending;
// none of one that has stopped.
func (c *Container) Processes(context.Context) ([]int, error) { return c.c.Processes() }
