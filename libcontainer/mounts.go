package libcontainer

import (
	"context"
	"fmt"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/setup"
)

// AddMounts mounts file systems in a created, running or paused container, in order.
// After an error none of them remains mounted.
func (c *Container) AddMounts(ctx context.Context, list []config.Mount) error {
	return opError("add mounts to", c.ID(), c.changeMounts(ctx, list, setup.Container.AddMounts))
}

// RemoveMounts unmounts file systems of a container, in order, by their
// Destination. Processes that still use one keep it.
func (c *Container) RemoveMounts(ctx context.Context, list []config.Mount) error {
	return opError("remove mounts from", c.ID(), c.changeMounts(ctx, list, setup.Container.RemoveMounts))
}

func (c *Container) changeMounts(ctx context.Context, list []config.Mount, change func(setup.Container, context.Context) error) error {
	status, err := c.Status()
	switch {
	case err != nil:
		return err
	case status == Stopped || status == Creating:
		return stateError(fmt.Sprintf("cannot change the mounts of a %s container", status))
	}
	own, err := c.Config()
	if err != nil {
		return err
	}
	cfg := *own
	cfg.Mounts = list
	return c.endedMeanwhile(change(c.asSetup(&cfg), ctx))
}
