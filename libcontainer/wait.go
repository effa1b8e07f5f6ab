package libcontainer

import (
	"context"
	"errors"
	"fmt"
	"os"

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
// child of this process: the container was created by it.
func (c *Container) Wait(ctx context.Context) (ExitStatus, error) {
	if c.child == nil {
		return ExitStatus{}, opError("wait", c.ID(), "", ErrNotChild)
	}
	status, err := c.awaitChild(ctx, c.child.Pidfd)
	return status, opError("wait", c.ID(), "", err)
}

// awaitChild waits for the end of a child in the container, and reaps it.
func (c *Container) awaitChild(ctx context.Context, pidfd *os.File) (ExitStatus, error) {
	if err := pollExit(ctx, pidfd); err != nil {
		return ExitStatus{}, err
	}
	status, err := reap(pidfd)
	if status.Signal == unix.SIGKILL {
		status.OOM = c.outOfMemory()
	}
	return status, err
}

// reap takes the exit status of a child that has ended.
func reap(pidfd *os.File) (ExitStatus, error) {
	exit, err := sys.Reap(int(pidfd.Fd()))
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
	for {
		fds := []unix.PollFd{sys.PollFd(pidfd, unix.POLLIN), sys.PollFd(done, unix.POLLIN)}
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
}
