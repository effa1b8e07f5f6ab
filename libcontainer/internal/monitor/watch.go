package monitor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// ErrStopped means that the container has stopped.
var ErrStopped = errors.New("container has stopped")

// Watch waits for events of a container.
type Watch struct {
	ctx      context.Context
	cgroup   cgroups.Manager
	pidfd    *os.File
	oom      *cgroups.OOMWatch // nil without a memory controller
	interval time.Duration
	due      time.Time // time of the next statistics
}

// NewWatch watches a container by its cgroup and the pidfd of its init. It takes over
// the pidfd, also when it fails. Interval is the time between two statistics; 0 means
// no statistics. Without a memory controller, or without permission to read it, the
// Watch reports no OOM kills, and warning says why.
func NewWatch(ctx context.Context, cgroup cgroups.Manager, pidfd *os.File, interval time.Duration) (w *Watch, warning, err error) {
	w = &Watch{ctx: ctx, cgroup: cgroup, pidfd: pidfd, interval: interval, due: time.Now().Add(interval)}
	w.oom, err = cgroups.WatchOOM(cgroup)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
		warning, err = fmt.Errorf("OOM kills cannot be reported: %w", err), nil
	}
	if err != nil {
		w.Close()
		return nil, warning, err
	}
	return w, warning, nil
}

// Close ends the watch.
func (w *Watch) Close() {
	if w.oom != nil {
		w.oom.Close() //nolint:errcheck // only read from
	}
	if w.pidfd != nil {
		w.pidfd.Close()
	}
}

// Next waits for the next event. It returns statistics when they are due, nil for an
// OOM kill, and ErrStopped if the container has stopped.
func (w *Watch) Next() (*cgroups.Stats, error) {
	for {
		stopped, err := w.wait()
		if err != nil {
			return nil, err
		}
		if w.oom != nil {
			// Checked also when the container has stopped: an OOM kill may be why.
			happened, err := w.oom.Happened()
			if happened || err != nil {
				return nil, err
			}
		}
		if stopped {
			return nil, ErrStopped
		}
		if w.interval > 0 && !time.Now().Before(w.due) {
			return w.tick()
		}
	}
}

// tick returns the statistics that are due.
func (w *Watch) tick() (*cgroups.Stats, error) {
	w.due = time.Now().Add(w.interval)
	stats, err := w.cgroup.Stats()
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) {
		// delete removed the cgroup, or init left it and the cgroup was removed.
		if ended, e := state.WaitExit(w.pidfd, 0); ended || e != nil {
			return nil, cmp.Or(e, ErrStopped)
		}
	}
	return stats, err
}

// wait waits until an event is possible, and reports whether the container has
// stopped.
func (w *Watch) wait() (stopped bool, err error) {
	fds := []unix.PollFd{sys.PollFd(w.pidfd, unix.POLLIN)}
	if w.oom != nil {
		fds = append(fds, w.oom.PollFd())
	}
	var due time.Time
	if w.interval > 0 {
		due = w.due
	}
	if ready, err := sys.AwaitAny(w.ctx, due, fds...); err != nil || !ready {
		return false, cmp.Or(w.ctx.Err(), err)
	}
	if _, err := unix.Poll(fds[:1], 0); err != nil && !errors.Is(err, unix.EINTR) {
		return false, fmt.Errorf("poll: %w", err)
	}
	return fds[0].Revents != 0, w.ctx.Err()
}
