package ociruntime

import "context"

// Pause freezes all processes of a created or running container until Resume. The error
// is libcontainer.ErrInvalidState for a paused container, libcontainer.ErrNotRunning
// for a stopped one. If Pause fails, all processes run.
func (c *Container) Pause(ctx context.Context) error { return c.c.Pause(ctx) }

// Resume thaws a paused container. The error is libcontainer.ErrNotPaused if it is not
// paused.
func (c *Container) Resume(ctx context.Context) error { return c.c.Resume(ctx) }
