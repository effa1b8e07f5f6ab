package libcontainer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// Limits of waiting in Delete.
const (
	deleteLock   = 10 * time.Second
	deleteExit   = 10 * time.Second
	deleteCgroup = 30 * time.Second // systemd takes its time on a busy host
)

// Delete removes a container that is stopped or was not started; with force
// any, killing its processes.
func (c *Container) Delete(ctx context.Context, force bool) error {
	return opError("delete", c.ID(), "", c.delete(ctx, force))
}

func (c *Container) delete(ctx context.Context, force bool) error {
	wait := deleteLock
	if force || !c.state.Complete { // whoever creates it may never come to an end
		wait = 0
	}
	l, err := lockDir(c.dir, wait)
	if errors.Is(err, errLocked) && force {
		// A create that hangs ends when its stub is killed.
		if err := c.kill(); err != nil {
			return err
		}
		l, err = lockDir(c.dir, deleteLock)
	}
	if errors.Is(err, ErrNotExist) && force {
		return nil // it is gone already: a hook that failed has ended it
	}
	if err != nil {
		return err
	}
	defer l.unlock()
	if c, err = c.current(); err != nil {
		return err
	}
	status, err := c.statusLocked()
	if err != nil {
		return err
	}
	if (status == Running || status == Paused) && !force {
		return stateError(fmt.Sprintf("cannot delete container %s that is not stopped: %s (--force kills it)", c.ID(), status))
	}
	if status != Stopped {
		if err := c.kill(); err != nil {
			return err
		}
	}
	return c.destroy(ctx)
}

// kill ends the first process and waits for that.
func (c *Container) kill() error {
	pidfd, err := c.state.openProcess()
	if errors.Is(err, ErrNotRunning) {
		return nil
	}
	if err != nil {
		return err
	}
	defer pidfd.Close()
	if err := c.signal(unix.SIGKILL); err != nil && !errors.Is(err, ErrNotRunning) {
		return err
	}
	gone, err := waitExit(pidfd, int(deleteExit.Milliseconds()))
	if err == nil && !gone {
		err = fmt.Errorf("process %d still runs %s after SIGKILL", c.state.Pid, deleteExit)
	}
	return err
}

// destroy removes what is left of a container without a process.
func (c *Container) destroy(ctx context.Context) error {
	if c.child != nil {
		if err := c.forgetChild(); err != nil {
			return err
		}
	}
	if err := destroyCgroup(ctx, c.cgroup()); err != nil {
		return err
	}
	if err := c.state.SharedRoot.remove(ctx, c.dir, c.log); err != nil {
		return err
	}
	if err := c.removeResctrl(); err != nil {
		return err
	}
	cfg, err := c.poststopConfig()
	if err != nil {
		c.warn(fmt.Errorf("poststop hooks: %w", err))
	}
	if err := removeState(c.dir); err != nil {
		return err
	}
	c.poststop(ctx, cfg)
	return nil
}

// destroyCgroup kills what is left in a cgroup (processes that shared the pid
// namespace of others) and removes it.
func destroyCgroup(ctx context.Context, cg cgroups.Manager) error {
	if pids, err := cg.Processes(); err == nil && len(pids) > 0 {
		if err := cgroups.Kill(cg, unix.SIGKILL); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, deleteCgroup)
	defer cancel()
	return cg.Destroy(ctx)
}

// removeState removes a container's directory, its state file last, so that
// what is left by one who died on the way can still be deleted. The container may
// have put more into the directory that it sees of it.
func removeState(dir string) error {
	for _, name := range stateFiles {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("remove state %q: %w", filepath.Join(dir, name), err)
		}
	}
	if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove state %q: %w", dir, err)
	}
	return nil
}

// RemoveLeftover removes the directory of a container that has no state: its
// create was killed at its very beginning. That there is none is no error.
func RemoveLeftover(root, id string) error {
	if err := ValidateID(id); err != nil {
		return err
	}
	dir := filepath.Join(root, id)
	l, err := lockDir(dir, deleteLock)
	if errors.Is(err, ErrNotExist) {
		return nil
	}
	if err != nil {
		return opError("delete", id, "", err)
	}
	defer l.unlock()
	if _, err := readState(dir); !errors.Is(err, ErrNotExist) {
		return err
	}
	return opError("delete", id, "", removeState(dir))
}
