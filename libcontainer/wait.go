package libcontainer

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

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

// Wait waits until the container's init has ended. This process must have created the
// container, else the error is ErrNotChild. Any number of goroutines may call it, also
// again and after Delete.
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
