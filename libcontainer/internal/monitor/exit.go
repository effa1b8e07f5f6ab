package monitor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// ErrNotChild means that the process is not a child of this one, so the kernel reports
// its exit status to another process.
var ErrNotChild = errors.New("not a child of this process")

// Status is the exit status of a process.
type Status struct {
	// Code is the exit code, meaningless if Signal is not 0.
	Code int
	// Signal is the signal that killed it.
	Signal unix.Signal
	// OOM says which memory limit was reached, if the signal is SIGKILL and the
	// kernel has OOM-killed processes of the container.
	OOM string
}

// Exit waits for a child process. The kernel reports the exit status once; Exit keeps
// it.
type Exit struct {
	pidfd *os.File
	oom   func() string

	mu     sync.Mutex
	reaped bool
	status Status
	err    error
}

// NewExit returns an Exit for the process of a pidfd. Oom returns the memory limit that
// the container has reached, or "".
func NewExit(pidfd *os.File, oom func() string) *Exit { return &Exit{pidfd: pidfd, oom: oom} }

// Wait waits until the process has ended, and reaps it. Any number of goroutines may
// call it, also again. The error is ctx's, or ErrNotChild.
func (e *Exit) Wait(ctx context.Context) (Status, error) {
	if err := Poll(ctx, e.pidfd); err != nil && !errors.Is(err, os.ErrClosed) {
		return Status{}, err
	}
	return e.Reap()
}

// Reap waits for the process like Wait, without a context.
func (e *Exit) Reap() (Status, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.reaped {
		return e.status, e.err
	}
	e.status, e.err = reap(e.pidfd)
	e.reaped = !errors.Is(e.err, os.ErrClosed)
	if e.status.Signal == unix.SIGKILL {
		e.status.OOM = e.oom()
	}
	return e.status, e.err
}

// reap returns the exit status of a child, and reaps it.
func reap(pidfd *os.File) (Status, error) {
	var exit sys.Exit
	err := sys.WithFD(pidfd, func(fd int) (err error) {
		exit, err = sys.Reap(fd)
		return err
	})
	if errors.Is(err, unix.ECHILD) {
		return Status{}, fmt.Errorf("%w: someone else has waited for it", ErrNotChild)
	}
	if err != nil {
		return Status{}, fmt.Errorf("waitid: %w", err)
	}
	return Status{Code: exit.Code, Signal: exit.Signal}, nil
}

// Poll waits until the process of a pidfd has ended; it returns ctx's error if ctx ends
// first.
func Poll(ctx context.Context, pidfd *os.File) error {
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
