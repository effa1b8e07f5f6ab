package ociruntime

import (
	"context"

	"github.com/berth-oci/berth/internal/intelrdt"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// Stats are the statistics of a container. Their JSON form is that of runc.
type Stats struct {
	cgroups.Stats
	// IntelRdt is empty for a container without a resctrl group.
	IntelRdt intelrdt.Report `json:"intel_rdt"`
	// NetworkInterfaces is always null, as with runc for containers of engines, which
	// count themselves.
	NetworkInterfaces []struct{} `json:"network_interfaces"`
}

// Stats returns the statistics of a container. They are final after it has stopped,
// and remain until Delete; if systemd made the cgroup it removes it at that moment, and
// the error is libcontainer.ErrNotRunning.
func (c *Container) Stats(context.Context) (*Stats, error) {
	s, err := c.c.Stats()
	if err != nil {
		return nil, err
	}
	return c.complete(s)
}

// complete adds the statistics of resctrl to those of the cgroup.
func (c *Container) complete(s *cgroups.Stats) (*Stats, error) {
	all := &Stats{Stats: *s}
	rdt, err := c.c.Resctrl()
	if rdt != nil {
		all.IntelRdt = *rdt
	}
	return all, err
}

// Processes returns the process IDs of the container on the host, ascending. A container
// that has stopped can have left some, if it had no pid namespace of its own.
func (c *Container) Processes(context.Context) ([]int, error) { return c.c.Processes() }
