package ociruntime

import (
	"context"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer"
)

// UpdateOptions say what is changed of a container.
type UpdateOptions struct {
	// Resources are the new limits. What is nil, and 0 in most fields, stays as
	// it is, and so do the device rules, whatever is given for them.
	Resources *specs.LinuxResources
	// L3CacheSchema and MemBwSchema are new lines for the schemata of the
	// container's group in the resctrl file system, as "L3:0=f;1=f0" and
	// "MB:0=50"; empty for no change.
	L3CacheSchema string
	MemBwSchema   string
}

// Update changes a container that is created, running or paused;
// libcontainer.ErrNotRunning if it has stopped. When something is refused
// nothing is changed.
func (c *Container) Update(ctx context.Context, o UpdateOptions) error {
	return c.c.Update(ctx, libcontainer.UpdateOptions{
		Resources: o.Resources,
		IntelRdt:  &specs.LinuxIntelRdt{L3CacheSchema: o.L3CacheSchema, MemBwSchema: o.MemBwSchema},
	})
}
