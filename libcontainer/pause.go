package libcontainer

import (
	"context"
)

// Pause freezes all processes of a created or running container, and waits until they
// are frozen. After an error all of them run. A paused container is ErrInvalidState,
// a stopped one ErrNotRunning.
func (c *Container) Pause(ctx context.Context) error {
	return opError("pause", c.ID(), c.freeze(ctx, true))
}

// Resume thaws the processes of a paused container; ErrNotPaused if it is not paused.
func (c *Container) Resume(ctx context.Context) error {
	return opError("resume", c.ID(), c.freeze(ctx, false))
}

func (c *Container) freeze(ctx context.Context, frozen bool) error {
	c, l, status, err := c.lockStatus(ctx)
	if err != nil {
		return err
	}
	defer l.Unlock()
	switch {
	case frozen && status == Paused:
		return stateError("container is already paused")
	case frozen && status != Created && status != Running:
		return ErrNotRunning
	case !frozen && status != Paused:
		return ErrNotPaused
	}
	return c.cgroupError(c.cgroup().Freeze(frozen))
}
