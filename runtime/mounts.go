package ociruntime

import (
	"context"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/specconv"
)

// AddMounts mounts file systems in a created or running container, in order, like the
// mounts of config.json. If one fails, it unmounts the earlier ones.
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

// RemoveMounts unmounts file systems in a container, in order. It uses their
// destinations alone. Unmounts are lazy: a process that uses a mount keeps it.
func (c *Container) RemoveMounts(ctx context.Context, list []specs.Mount) error {
	places, err := specconv.MountPoints(list)
	if err != nil {
		return errorOf("remove mounts from", c.ID(), err)
	}
	return c.c.RemoveMounts(ctx, places)
}
