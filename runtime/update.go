package ociruntime

import (
	"context"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// UpdateOptions say what is changed of a container.
type UpdateOptions struct {
	// Resources are the new limits. What is nil, and 0 in most fields, stays as
	// it is, and so do the device rules, whatever is given for them.
	Resources *specs.LinuxResources
}

// Update changes a container that is created, running or paused. When
// something is refused nothing is changed.
func (c *Container) Update(ctx context.Context, o UpdateOptions) error {
	return c.c.Update(ctx, o.Resources)
}
