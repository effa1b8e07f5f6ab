package libcontainer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// ExitStatus tells how a process ended.
type ExitStatus struct {
	// Code is the exit code, meaningless if Signal is not 0.
	Code int
	// Signal is the signal that killed it.
	Signal unix.Signal
	// OOM is the reason why memory was short, when it was SIGKILL and the
	// kernel has killed processes of the container for want of memory.
	OOM string
}

// Shell gives the status as shells, and container engines, encode it: the
// code, or 128 and the number of the signal.
func (s ExitStatus) Shell() int {
	if s.Signal != 0 {
		return 128 + int(s.Signal)
	}
	return s.Code
}

// Wait waits for the end of the container's first process, which must be a
// child of this process: the container was created by it. The status can be
// asked for again, and by many goroutines, also when the container has been
// deleted.
func (c *Container) Wait(ctx context.Context) (ExitStatus, error) {
	if c.end == nil {
		return ExitStatus{}, opError("wait", c.ID(), "", ErrNotChild)
	}
	status, err := c.end.wait(ctx)
	if err == nil {
		c.witness.close()
	}
	return status, opError("wait", c.ID(), "", err)
}

// ending is the end of a process in a container that is a child of this one.
// The kernel tells once how it ended; here it is remembered.
type ending struct {
	c     *Container
	pidfd *os.File

	mu     sync.Mutex
	reaped bool
	status ExitStatus
	err    error
}

func (e *ending) wait(ctx context.Context) (ExitStatus, error) {
	if err := pollExit(ctx, e.pidfd); err != nil && !errors.Is(err, os.ErrClosed) {
		return ExitStatus{}, err
	}
	return e.reap()
}

// reap waits for the process, unless it has been reaped.
func (e *ending) reap() (ExitStatus, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.reaped {
		return e.status, e.err
	}
	e.status, e.err = reap(e.pidfd)
	e.reaped = !errors.Is(e.err, os.ErrClosed)
	if e.status.Signal == unix.SIGKILL {
		e.status.OOM = e.c.outOfMemory()
	}
	return e.status, e.err
}

// reap takes the exit status of a child that has ended.
func reap(pidfd *os.File) (ExitStatus, error) {
	var exit sys.Exit
	err := sys.WithFD(pidfd, func(fd int) (err error) {
		exit, err = sys.Reap(fd)
		return err
	})
	if errors.Is(err, unix.ECHILD) {
		return ExitStatus{}, fmt.Errorf("%w: someone else has waited for it", ErrNotChild)
	}
	if err != nil {
		return ExitStatus{}, fmt.Errorf("waitid: %w", err)
	}
	return ExitStatus{Code: exit.Code, Signal: exit.Signal}, nil
}

// pollExit returns when the process has ended, or with ctx's error.
func pollExit(ctx context.Context, pidfd *os.File) error {
	done, stop, err := sys.DoneFile(ctx)
	if err != nil {
		return err
	}
	defer stop()
	return sys.WithFD(pidfd, func(fd int) error {
		for {
			fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, sys.PollFd(done, unix.POLLIN)}
			if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
				return fmt.Errorf("poll pidfd: %w", err)
			}
			switch {
			case fds[0].Revents != 0:
				return nil
			case fds[1].Revents != 0:
				return ctx.Err()
			}
		}
	})
}
