package libcontainer

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/internal/monitor"
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
			yield(Event{}, opError("watch", c.ID(), err))
			return
		}
		defer w.Close()
		for {
			stats, err := w.Next()
			if errors.Is(err, monitor.ErrStopped) {
				return
			}
			if !yield(Event{Stats: stats}, opError("watch", c.ID(), err)) || err != nil {
				return
			}
		}
	}
}

func (c *Container) watch(ctx context.Context, o EventOptions) (*monitor.Watch, error) {
	pidfd, err := c.state.OpenProcess()
	if err != nil {
		return nil, err
	}
	w, warning, err := monitor.NewWatch(ctx, c.cgroup(), pidfd, o.Interval)
	if warning != nil {
		c.warn(warning)
	}
	return w, err
}
