package monitor

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/cgroups"
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

// Cgroup returns what Exit reads from the cgroup of a process that has ended.
type Cgroup interface {
	// OOM returns the memory limit that the container has reached, or "".
	OOM() string
	// Stats returns the statistics.
	Stats() (*cgroups.Stats, error)
}

// Exit waits for a process. The kernel reports the exit status of a child once; Exit
// keeps it.
type Exit struct {
	pid    int
	pidfd  *os.File
	cgroup Cgroup
	// wantStats makes the end read the statistics, before a delete in progress removes
	// the cgroup.
	wantStats atomic.Bool

	mu       sync.Mutex
	known    bool
	status   Status
	err      error
	stats    *cgroups.Stats
	statsErr error
}

// NewExit returns an Exit for a process and its pidfd.
func NewExit(pid int, pidfd *os.File, cgroup Cgroup) *Exit {
	return &Exit{pid: pid, pidfd: pidfd, cgroup: cgroup}
}

// Wait waits until the process has ended, and reaps it if it is a child. Any number of
// goroutines may call it, also again. The error is ctx's, or ErrNotChild: another process
// has reaped it, and this kernel keeps no status then.
func (e *Exit) Wait(ctx context.Context) (Status, error) {
	if err := Poll(ctx, e.pidfd); err != nil && !errors.Is(err, os.ErrClosed) {
		return Status{}, err
	}
	status, err := e.Reap()
	if !errors.Is(err, errHidden) {
		return status, err
	}
	err = sys.WithFD(e.pidfd, func(fd int) error { return sys.AwaitHangup(ctx, fd) })
	if err != nil && !errors.Is(err, os.ErrClosed) {
		return Status{}, err
	}
	return e.Reap()
}

// WaitStats waits like Wait, and returns the last statistics of the cgroup too, or the
// error of reading them.
func (e *Exit) WaitStats(ctx context.Context) (Status, *cgroups.Stats, error, error) {
	e.wantStats.Store(true)
	status, err := e.Wait(ctx)
	if err != nil {
		return status, nil, nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stats == nil && e.statsErr == nil { // an earlier Wait did not read them
		e.stats, e.statsErr = e.cgroup.Stats()
	}
	return status, e.stats, e.statsErr, nil
}

// Reap waits for the process like Wait, without a context.
func (e *Exit) Reap() (Status, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.known {
		return e.status, e.err
	}
	e.status, e.err = e.end()
	e.known = !errors.Is(e.err, os.ErrClosed) && !errors.Is(e.err, errHidden)
	if e.status.Signal == unix.SIGKILL {
		e.status.OOM = e.cgroup.OOM()
	}
	if e.known && e.wantStats.Load() {
		e.stats, e.statsErr = e.cgroup.Stats()
	}
	return e.status, e.err
}

// end returns the exit status of a process that has ended, and reaps a child.
func (e *Exit) end() (status Status, err error) {
	e2 := sys.WithFD(e.pidfd, func(fd int) error {
		exit, reapErr := sys.Reap(fd)
		if errors.Is(reapErr, unix.ECHILD) {
			status, err = statusElsewhere(e.pid, fd)
			return nil
		}
		if reapErr != nil {
			return reapErr
		}
		status = Status{Code: exit.Code, Signal: exit.Signal}
		return nil
	})
	return status, errors.Join(err, e2)
}

// Poll waits until the process of a pidfd has ended; it returns ctx's error if ctx ends
// first.
func Poll(ctx context.Context, pidfd *os.File) error {
	return sys.WithFD(pidfd, func(fd int) error { return sys.AwaitReadable(ctx, fd) })
}
