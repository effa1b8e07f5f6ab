package ociruntime

import "context"

// Pause stops all processes of a container that is created or running, until
// Resume. A paused container is libcontainer.ErrInvalidState, a stopped one
// libcontainer.ErrNotRunning. When it fails, all of them run.
func (c *Container) Pause(ctx context.Context) error { return c.c.Pause(ctx) }

// Resume lets the processes of a paused container go on; libcontainer.ErrNotPaused
// if it is not paused.
func (c *Container) Resume(ctx context.Context) error { return c.c.Resume(ctx) }
