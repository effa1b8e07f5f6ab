package ociruntime

import "context"

// Pause stops all processes of a container that is created or running, until
// Resume; else, paused included, it is libcontainer.ErrNotRunning. When it fails
// none is left stopped.
func (c *Container) Pause(ctx context.Context) error { return c.c.Pause(ctx) }

// Resume lets the processes of a paused container go on; libcontainer.ErrNotPaused
// if it is not paused.
func (c *Container) Resume(ctx context.Context) error { return c.c.Resume(ctx) }
