package libcontainer

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/internal/monitor"
)

// Ended returns when the container's first process has ended, or with ctx's
// error. Unlike Wait it is for any process, and does not know the exit status.
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
	if c.exit == nil {
		return ExitStatus{}, opError("wait", c.ID(), ErrNotChild)
	}
	status, err := c.exit.Wait(ctx)
	if err == nil {
		c.witness.Close()
	}
	return ExitStatus(status), opError("wait", c.ID(), err)
}
