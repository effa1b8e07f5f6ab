package libcontainer

import (
	"context"
	"time"

	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// current gives the container for the holder of its lock: what was loaded while
// it was being created is not what came of it.
func (c *Container) current() (*Container, error) {
	if c.state.Complete {
		return c, nil
	}
	s, err := state.Read(c.dir)
	if err != nil {
		return nil, err
	}
	return &Container{dir: c.dir, state: s, log: c.log, owner: c.owner}, nil
}

// verbLock is how long Pause, Resume and Update wait for another command on
// the container.
const verbLock = 10 * time.Second

// lockStatus locks the container for a change, and gives it as it is and its
// status, which are its own until the lock is given back.
func (c *Container) lockStatus(ctx context.Context) (*Container, *state.Lock, Status, error) {
	l, err := state.LockDir(c.dir, verbLock)
	if err != nil {
		return nil, nil, "", err
	}
	status := Status("")
	now, err := c.current()
	if err == nil {
		status, err = now.statusLocked()
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		l.Unlock()
		return nil, nil, "", err
	}
	return now, l, status, nil
}
