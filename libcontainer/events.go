package libcontainer

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/internal/monitor"
)

// EventOptions are the options of Events.
type EventOptions struct {
	// Interval is the time between two statistics; 0 means no statistics.
	Interval time.Duration
}

// Event is an event of a container: statistics, or an OOM kill if Stats is nil.
type Event struct {
	Stats *cgroups.Stats
}

// Events returns the later events of a container until it stops. The sequence ends with
// an error if ctx ends, or if the container has already stopped (ErrNotRunning).
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
