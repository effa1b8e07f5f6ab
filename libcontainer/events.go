package libcontainer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// EventOptions say which events are told.
type EventOptions struct {
	// Interval is the time between two statistics; 0 is for none.
	Interval time.Duration
}

// Event is something that has happened in a container: with Stats it is time
// for them, without memory has run out.
type Event struct {
	Stats *cgroups.Stats
}

// Events tells what happens in a container that has not stopped, until it
// stops, or ctx ends, which is the last error then. What happened before the
// call is not told.
func (c *Container) Events(ctx context.Context, o EventOptions) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		w, err := c.watch(ctx, o)
		if err != nil {
			yield(Event{}, opError("watch", c.ID(), "", err))
			return
		}
		defer w.close()
		for {
			event, err := w.next()
			if errors.Is(err, errStopped) {
				return
			}
			if !yield(event, opError("watch", c.ID(), "", err)) || err != nil {
				return
			}
		}
	}
}

// errStopped means that the container has stopped.
var errStopped = errors.New("container has stopped")

// watch waits for what happens in a container.
type watch struct {
	ctx      context.Context
	cgroup   cgroups.Manager
	pidfd    *os.File
	oom      *cgroups.OOMWatch // nil without a memory controller
	interval time.Duration
	due      time.Time // of the next statistics
	// done can be read when ctx has ended; nil if it never does.
	done     *os.File
	stopDone func()
}

func (c *Container) watch(ctx context.Context, o EventOptions) (_ *watch, err error) {
	w := &watch{ctx: ctx, cgroup: c.cgroup(), interval: o.Interval, due: time.Now().Add(o.Interval)}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.pidfd, err = c.state.openProcess(); err != nil {
		return nil, err
	}
	w.oom, err = cgroups.WatchOOM(w.cgroup)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
		c.warn(fmt.Errorf("OOM events cannot be reported: %w", err))
	} else if err != nil {
		return nil, err
	}
	w.done, w.stopDone, err = sys.DoneFile(ctx)
	return w, err
}

func (w *watch) close() {
	if w.stopDone != nil {
		w.stopDone()
	}
	if w.oom != nil {
		w.oom.Close() //nolint:errcheck // it was only read
	}
	if w.pidfd != nil {
		w.pidfd.Close()
	}
}

// next waits for the next event.
func (w *watch) next() (Event, error) {
	for {
		stopped, err := w.wait()
		if err != nil {
			return Event{}, err
		}
		if w.oom != nil {
			// Asked also when the container has stopped: that may be why.
			happened, err := w.oom.Happened()
			if happened || err != nil {
				return Event{}, err
			}
		}
		if stopped {
			return Event{}, errStopped
		}
		if w.interval > 0 && !time.Now().Before(w.due) {
			return w.tick()
		}
	}
}

// tick gives the statistics that are due.
func (w *watch) tick() (Event, error) {
	w.due = time.Now().Add(w.interval)
	stats, err := w.cgroup.Stats()
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) {
		// It is deleted, unless its init has moved itself out of the cgroup.
		if ended, e := waitExit(w.pidfd, 0); ended || e != nil {
			return Event{}, cmp.Or(e, errStopped)
		}
	}
	return Event{Stats: stats}, err
}

// wait waits until something may have happened, and tells whether the
// container has stopped.
func (w *watch) wait() (stopped bool, err error) {
	fds := []unix.PollFd{sys.PollFd(w.pidfd, unix.POLLIN), sys.PollFd(w.done, unix.POLLIN)}
	if w.oom != nil {
		fds = append(fds, w.oom.PollFd())
	}
	timeout := -1
	if w.interval > 0 {
		timeout = int(max(0, time.Until(w.due)).Milliseconds()) + 1
	}
	if _, err := unix.Poll(fds, timeout); err != nil && !errors.Is(err, unix.EINTR) {
		return false, fmt.Errorf("poll: %w", err)
	}
	if err := w.ctx.Err(); err != nil {
		return false, err
	}
	return fds[0].Revents != 0, nil
}
