package libcontainer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/internal/setup"
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// Time limits of Delete.
const (
	deleteLock = 10 * time.Second
	deleteExit = 10 * time.Second
	// forceLock is the limit for a forced delete to wait for another command after
	// it has killed init.
	forceLock = 500 * time.Millisecond
	// hungAfter is how long delete waits for a killed process before it checks
	// whether the process hangs.
	hungAfter = time.Second
)

// Delete removes a stopped or created container; with force it removes any, and kills
// its processes. Without force a running or paused container is ErrInvalidState. With
// force a container that does not exist is no error.
func (c *Container) Delete(ctx context.Context, force bool) error {
	return opError("delete", c.ID(), c.delete(ctx, force))
}

func (c *Container) delete(ctx context.Context, force bool) error {
	l, err := c.lockToDelete(force)
	if errors.Is(err, ErrNotExist) && force {
		return nil // start deletes a container whose hook failed
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
	// Between kill and destroy no collection may take the child that both look up.
	defer runtime.KeepAlive(c.child())
	if !force {
		if err := c.mayDelete(); err != nil {
			return err
		}
	}
	hung, err := c.kill()
	if err != nil {
		return err
	}
	return c.destroy(ctx, force, hung)
}

// mayDelete refuses a container that runs.
func (c *Container) mayDelete() error {
	status, err := c.statusLocked()
	if err == nil && (status == Running || status == Paused) {
		err = stateError(fmt.Sprintf("cannot delete container %s that is not stopped: %s (--force kills it)", c.ID(), status))
	}
	return err
}

// lockToDelete locks the container. With force it ends a create that hangs by killing
// the stub. If another command still keeps the lock, because it hangs in a system call,
// the returned lock is nil: such a create checks with StillThere that the container was
// not deleted.
func (c *Container) lockToDelete(force bool) (*state.Lock, error) {
	wait := deleteLock
	if force || !c.state.Complete { // create may never end
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
			c.warn(fmt.Errorf("container %q: another command keeps the lock and does not end: deleted nevertheless", c.ID()))
			return nil, nil
		}
	}
	return l, err
}

// kill kills init and waits for its end. It reports whether init hangs in a system call:
// such a process never returns to user mode.
func (c *Container) kill() (hung bool, err error) {
	pidfd, alive, err := c.state.OpenInit()
	if errors.Is(err, ErrNotRunning) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer pidfd.Close()
	if !alive { // its threads may still be ending, and it cannot be reaped before
		if _, err := state.WaitExit(pidfd, int(hungAfter.Milliseconds())); err != nil {
			return false, err
		}
		return false, c.reapAdopted(pidfd)
	}
	if err := c.signal(unix.SIGKILL); err != nil && !errors.Is(err, ErrNotRunning) {
		return false, err
	}
	for end := time.Now().Add(deleteExit); time.Now().Before(end); {
		gone, err := state.WaitExit(pidfd, int(hungAfter.Milliseconds()))
		if gone && err == nil {
			err = c.reapAdopted(pidfd)
		}
		if gone || err != nil {
			return false, err
		}
		if c.hangs() {
			return true, nil
		}
		if err := c.killCgroup(); err != nil {
			return false, err
		}
	}
	return false, fmt.Errorf("process %d still runs %s after SIGKILL", c.state.Pid, deleteExit)
}

// killCgroup kills what is left in the cgroup. An exiting init waits until all processes of
// its pid namespace are reaped, and a traced one is reaped by its tracer first: by CRIU
// after an interrupted restore, which is in the cgroup but not in the pid namespace.
func (c *Container) killCgroup() error {
	err := cgroups.Kill(c.cgroup(), unix.SIGKILL)
	if noCgroup(err) {
		return nil
	}
	return err
}

// reapAdopted reaps an init that has ended and is a child of this process, which has no
// Exit for it: this is a subreaper (PR_SET_CHILD_SUBREAPER), or the handle that Create
// returned is gone.
func (c *Container) reapAdopted(pidfd *os.File) error {
	if c.child() != nil {
		return nil // destroy reaps it
	}
	return sys.ReapEnded(int(pidfd.Fd()))
}

// destroy removes the resources of a container without processes, or with processes
// that hang.
func (c *Container) destroy(ctx context.Context, force, hung bool) error {
	if ch := c.child(); ch != nil && hung {
		go ch.forget() //nolint:errcheck // reaping may never end
	} else if ch != nil {
		if err := ch.forget(); err != nil {
			return err
		}
	}
	if err := c.removeCgroup(ctx, force, hung); err != nil {
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

// removeCgroup removes the cgroup. With force it leaves a cgroup whose processes hang,
// and logs a warning.
func (c *Container) removeCgroup(ctx context.Context, force, hung bool) error {
	cg := c.cgroup()
	if hung {
		ctx, cancel := context.WithTimeout(ctx, forceLock)
		defer cancel()
		if err := cg.Destroy(ctx); err != nil {
			c.warnHung()
		}
		return nil
	}
	if !force {
		return state.DestroyCgroup(ctx, cg, state.DestroyTime)
	}
	err := state.DestroyCgroup(ctx, cg, hungAfter)
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case c.hangs():
		c.warnHung()
		return nil
	}
	return state.DestroyCgroup(ctx, cg, state.DestroyTime)
}

// RemoveLeftover removes a container's directory without a state file, which a create
// leaves that is killed right after it made the directory. A directory that does not
// exist is no error.
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
