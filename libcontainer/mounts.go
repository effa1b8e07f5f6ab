package libcontainer

import (
	"context"
	"errors"
	"fmt"

	"github.com/berth-oci/berth/libcontainer/config"
)

// AddMounts mounts file systems in a container that runs, or is created, in
// order. When one fails, those before it are taken out again.
func (c *Container) AddMounts(ctx context.Context, list []config.Mount) error {
	return opError("add mounts to", c.ID(), "", c.changeMounts(ctx, inAddMounts, list))
}

// RemoveMounts takes mounts out of a container, in order, by their
// Destination. What still uses one keeps it.
func (c *Container) RemoveMounts(ctx context.Context, list []config.Mount) error {
	return opError("remove mounts from", c.ID(), "", c.changeMounts(ctx, inRemoveMounts, list))
}

func (c *Container) changeMounts(ctx context.Context, op operation, list []config.Mount) error {
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
	r := newRun(steps[:], job{op: op, ctx: ctx, id: c.ID(), dir: c.dir, cfg: &cfg, log: c.log}, values{state: c.state})
	err = r.walk()
	r.release()
	if err != nil {
		return c.endedMeanwhile(err)
	}
	return errors.Join(r.child.Close(), r.child.Reap(), r.child.Release())
}
