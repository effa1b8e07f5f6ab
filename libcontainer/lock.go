package libcontainer

import (
	"context"
	"time"

	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// current returns the container with its present state, for the holder of the lock:
// create may have been in progress during Load.
func (c *Container) current() (*Container, error) {
	if c.state.Complete {
		return c, nil
	}
	s, err := state.Read(c.dir)
	if err != nil {
		return nil, err
	}
	return &Container{dir: c.dir, state: s, log: c.log, owner: c.owner, made: c.made, resctrl: c.resctrl}, nil
}

// changeLock is how long Pause, Resume and Update wait for another command on the
// container.
const changeLock = 10 * time.Second

// lockStatus locks the container for a change, and returns it with its present state
// and status, which no other command changes before Unlock.
func (c *Container) lockStatus(ctx context.Context) (*Container, *state.Lock, Status, error) {
	l, err := state.LockDir(c.dir, changeLock)
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
