package ociruntime

import (
	"context"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer"
)

// UpdateOptions are the changes of Update.
type UpdateOptions struct {
	// Resources are the new limits. A nil field, and in most fields 0, means no change.
	// Device rules are ignored: they never change.
	Resources *specs.LinuxResources
	// L3CacheSchema and MemBwSchema are new lines for the schemata file of the
	// container's resctrl group, like "L3:0=f;1=f0" and "MB:0=50"; empty for no change.
	L3CacheSchema string
	MemBwSchema   string
}

// Update changes the limits of a created, running or paused container. If one limit is
// refused, none is changed. The error is libcontainer.ErrNotRunning if the container
// has stopped.
func (c *Container) Update(ctx context.Context, o UpdateOptions) error {
	return c.c.Update(ctx, libcontainer.UpdateOptions{
		Resources: o.Resources,
		IntelRdt:  &specs.LinuxIntelRdt{L3CacheSchema: o.L3CacheSchema, MemBwSchema: o.MemBwSchema},
	})
}
