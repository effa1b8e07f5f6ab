package ociruntime

import (
	"context"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/specconv"
)

// AddMounts mounts file systems in a container that runs, or is created, in
// order, as config.json's mounts are when it is made. When one fails, those
// before it are taken out again.
func (c *Container) AddMounts(ctx context.Context, list []specs.Mount) error {
	own, err := c.c.Config()
	if err != nil {
		return err
	}
	converted, err := specconv.ConvertMounts(list, own)
	if err != nil {
		return errorOf("add mounts to", c.ID(), err)
	}
	return c.c.AddMounts(ctx, converted)
}

// RemoveMounts takes mounts out of a container, in order, by their
// destinations alone. What still uses one keeps it.
func (c *Container) RemoveMounts(ctx context.Context, list []specs.Mount) error {
	places, err := specconv.MountPoints(list)
	if err != nil {
		return errorOf("remove mounts from", c.ID(), err)
	}
	return c.c.RemoveMounts(ctx, places)
}
