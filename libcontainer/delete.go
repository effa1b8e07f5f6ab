package libcontainer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/internal/setup"
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// Limits of waiting in Delete.
const (
	deleteLock = 10 * time.Second
	deleteExit = 10 * time.Second
	// forceLock is how long a forced delete waits for another command, once the
	// container's init has been killed.
	forceLock = 500 * time.Millisecond
	// stuckAfter is how long a killed process is waited for until it is looked at
	// what keeps it.
	stuckAfter = time.Second
)

// Delete removes a container that is stopped or was not started; with force
// any, killing its processes.
func (c *Container) Delete(ctx context.Context, force bool) error {
	return opError("delete", c.ID(), c.delete(ctx, force))
}

func (c *Container) delete(ctx context.Context, force bool) error {
	l, err := c.lockToDelete(force)
	if errors.Is(err, ErrNotExist) && force {
		return nil // it is gone already: a hook that failed has ended it
	}
	if err != nil {
		return err
	}
	defer l.Unlock()
	now, err := c.current()
	if errors.Is(err, ErrNotExist) && force {
		return nil
	}
	if err != nil {
		return err
	}
	c = now
	if !force {
		if err := c.mayDelete(); err != nil {
			return err
		}
	}
	stuck, err := c.kill()
	if err != nil {
		return err
	}
	return c.destroy(ctx, force, stuck)
}

// mayDelete refuses a container that runs.
func (c *Container) mayDelete() error {
	status, err := c.statusLocked()
	if err == nil && (status == Running || status == Paused) {
		err = stateError(fmt.Sprintf("cannot delete container %s that is not stopped: %s (--force kills it)", c.ID(), status))
	}
	return err
}

// lockToDelete locks the container. With force it ends a create that hangs by
// killing its stub. A command that keeps the lock nevertheless, because it is in a
// call that the kernel does not end, cannot bring the container back: then the
// lock is nil. undo() and write() look whether that has happened.
func (c *Container) lockToDelete(force bool) (*state.Lock, error) {
	wait := deleteLock
	if force || !c.state.Complete { // whoever creates it may never come to an end
		wait = 0
	}
	l, err := state.LockDir(c.dir, wait)
	if !errors.Is(err, state.ErrLocked) || !force {
		return l, err
	}
	for end := time.Now().Add(deleteLock); errors.Is(err, state.ErrLocked) && time.Now().Before(end); {
		now, e := c.current()
		if e != nil {
			return nil, e
		}
		if _, e := now.kill(); e != nil {
			return nil, e
		}
		l, err = state.LockDir(c.dir, forceLock)
		if errors.Is(err, state.ErrLocked) && now.state.Pid != 0 {
			c.warn(fmt.Errorf("container %q: %w and does not come to an end: deleted nevertheless", c.ID(), state.ErrLocked))
			return nil, nil
		}
	}
	return l, err
}

// kill kills the init process and waits for its end. It reports whether the
// process is stuck in a call that the kernel does not end: such a process never
// returns to user mode.
func (c *Container) kill() (stuck bool, err error) {
	pidfd, err := c.state.OpenProcess()
	if errors.Is(err, ErrNotRunning) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer pidfd.Close()
	if err := c.signal(unix.SIGKILL); err != nil && !errors.Is(err, ErrNotRunning) {
		return false, err
	}
	for end := time.Now().Add(deleteExit); time.Now().Before(end); {
		gone, err := state.WaitExit(pidfd, int(stuckAfter.Milliseconds()))
		if gone || err != nil {
			return false, err
		}
		if c.isStuck() {
			return true, nil
		}
	}
	return false, fmt.Errorf("process %d still runs %s after SIGKILL", c.state.Pid, deleteExit)
}

// destroy removes what is left of a container without a process, or whose
// processes are stuck.
func (c *Container) destroy(ctx context.Context, force, stuck bool) error {
	if c.child != nil && stuck {
		go c.forgetChild() //nolint:errcheck // to reap it may take for ever
	} else if c.child != nil {
		if err := c.forgetChild(); err != nil {
			return err
		}
	}
	if err := c.removeCgroup(ctx, force, stuck); err != nil {
		return err
	}
	if err := setup.RemoveSharedRoot(ctx, c.state.SharedRoot, c.dir, c.log); err != nil {
		return err
	}
	if err := c.removeResctrl(); err != nil {
		return err
	}
	cfg, err := c.poststopConfig()
	if err != nil {
		c.warn(fmt.Errorf("poststop hooks: %w", err))
	}
	removed, err := state.Remove(c.dir)
	if err == nil && removed {
		c.poststop(ctx, cfg)
	}
	return err
}

// removeCgroup removes the cgroup. With force, one with processes that are stuck
// is left behind, and reported.
func (c *Container) removeCgroup(ctx context.Context, force, stuck bool) error {
	cg := c.cgroup()
	if stuck {
		ctx, cancel := context.WithTimeout(ctx, forceLock)
		defer cancel()
		if err := cg.Destroy(ctx); err != nil {
			c.warnStuck()
		}
		return nil
	}
	if !force {
		return state.DestroyCgroup(ctx, cg, state.DestroyTime)
	}
	err := state.DestroyCgroup(ctx, cg, stuckAfter)
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case c.isStuck():
		c.warnStuck()
		return nil
	}
	return state.DestroyCgroup(ctx, cg, state.DestroyTime)
}

// RemoveLeftover removes the directory of a container that has no state: its
// create was killed at its very beginning. That there is none is no error.
func RemoveLeftover(root, id string) error {
	if err := ValidateID(id); err != nil {
		return err
	}
	dir := filepath.Join(root, id)
	l, err := state.LockDir(dir, deleteLock)
	if errors.Is(err, ErrNotExist) {
		return nil
	}
	if err != nil {
		return opError("delete", id, err)
	}
	defer l.Unlock()
	if _, err := state.Read(dir); !errors.Is(err, ErrNotExist) {
		return opError("delete", id, err)
	}
	_, err = state.Remove(dir)
	return opError("delete", id, err)
}

// forgetChild ends the connection to a stub that was never started, and reaps
// the process, which has been killed or has ended.
func (c *Container) forgetChild() error {
	c.witness.Close()
	var err error
	if c.attached.Swap(false) {
		err = c.child.Close()
	}
	if _, e := c.exit.Reap(); !errors.Is(e, ErrNotChild) { // nobody else has
		err = errors.Join(err, e)
	}
	if e := c.child.Release(); !errors.Is(e, os.ErrClosed) { // a delete that failed is repeated
		err = errors.Join(err, e)
	}
	return err
}
