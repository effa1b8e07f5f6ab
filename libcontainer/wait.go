package libcontainer

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/internal/monitor"
)

// Ended waits until the container's init has ended, or ctx ends. Unlike Wait it works in
// any process, and returns no exit status.
func (c *Container) Ended(ctx context.Context) error {
	pidfd, err := c.state.OpenProcess()
	if errors.Is(err, ErrNotRunning) {
		return nil
	}
	if err == nil {
		defer pidfd.Close()
		err = monitor.Poll(ctx, pidfd)
	}
	return opError("wait", c.ID(), err)
}

// ExitStatus is the exit status of a process.
type ExitStatus struct {
	// Code is the exit code, meaningless if Signal is not 0.
	Code int
	// Signal is the signal that killed it.
	Signal unix.Signal
	// OOM is the memory limit, if the signal is SIGKILL and the kernel OOM-killed
	// processes of the container; else "".
	OOM string
}

// Shell returns the status as shells and container engines encode it: the code, or 128
// plus the number of the signal.
func (s ExitStatus) Shell() int {
	if s.Signal != 0 {
		return 128 + int(s.Signal)
	}
	return s.Code
}

// Wait waits until the container's init has ended. Any number of goroutines may call it,
// also again and after Delete. In a process that is not the parent of init, the kernel
// may have no exit status: on Linux before 6.15 the error is ErrNotChild if the parent
// reaps init at once; on every kernel it is ErrNotRunning if init has been reaped before
// the first Wait of this handle.
func (c *Container) Wait(ctx context.Context) (ExitStatus, error) {
	e, err := c.waiter()
	if err != nil {
		return ExitStatus{}, opError("wait", c.ID(), err)
	}
	status, err := e.Wait(ctx)
	c.waited(err)
	return ExitStatus(status), opError("wait", c.ID(), err)
}

// WaitStats is Wait, and returns the last statistics of the container's cgroup, too. If
// they cannot be read, they are nil and statsErr says why: ErrNotRunning if the cgroup
// was removed, as systemd does when the last process has ended.
func (c *Container) WaitStats(ctx context.Context) (status ExitStatus, stats *cgroups.Stats, statsErr, err error) {
	e, err := c.waiter()
	if err != nil {
		return ExitStatus{}, nil, nil, opError("wait", c.ID(), err)
	}
	s, stats, statsErr, err := e.WaitStats(ctx)
	c.waited(err)
	return ExitStatus(s), stats, opError("stats", c.ID(), statsErr), opError("wait", c.ID(), err)
}

// waited ends what is watched for Wait, if init has ended.
func (c *Container) waited(err error) {
	if ch := c.child(); ch != nil && err == nil {
		ch.witness.Close()
	}
}

// waiter returns what waits for init: that of the process that created the container, or
// one of this handle.
func (c *Container) waiter() (*monitor.Exit, error) {
	now, err := c, error(nil)
	if !c.state.Complete {
		var status Status
		if now, status, err = c.look(); err == nil && status == Creating {
			err = stateError("cannot wait for a container that is being created")
		}
	}
	if ch := now.child(); ch != nil {
		return ch.exit, nil // even after Delete
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.exit != nil || err != nil {
		return c.exit, err
	}
	pidfd, _, err := now.state.OpenInit()
	if err != nil {
		return nil, err
	}
	c.exit = monitor.NewExit(now.state.Pid, pidfd, now.ended())
	return c.exit, nil
}

// ended reads the cgroup for what has ended in it.
func (c *Container) ended() ended {
	e := ended{state: c.state, log: c.log}
	if ch := c.child(); ch != nil {
		e.witness = ch.witness
	}
	return e
}
