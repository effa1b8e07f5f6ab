package ociruntime

import (
	"context"
	"iter"
	"time"

	"github.com/berth-oci/berth/libcontainer"
)

// EventsOptions select events.
type EventsOptions struct {
	// Interval is the time between two EventStats; 0 for no EventStats.
	Interval time.Duration
}

// EventType is the type of an Event.
type EventType string

// The event types.
const (
	EventStats EventType = "stats" // statistics, at each interval
	EventOOM   EventType = "oom"   // the cgroup is out of memory
)

// Event is an event of a container. Its JSON form is that of runc.
type Event struct {
	Type EventType `json:"type"`
	ID   string    `json:"id"`
	// Data is set for EventStats.
	Data *Stats `json:"data,omitempty"`
}

// Events returns the events of a container until it stops. If ctx ends or something
// fails, the last item has an error and no event. A container that has already stopped
// is libcontainer.ErrNotRunning.
func (c *Container) Events(ctx context.Context, o EventsOptions) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for e, err := range c.c.Events(ctx, libcontainer.EventOptions{Interval: o.Interval}) {
			event := Event{}
			if err == nil {
				event, err = c.event(e)
			}
			if !yield(event, err) || err != nil {
				return
			}
		}
	}
}

func (c *Container) event(e libcontainer.Event) (Event, error) {
	if e.Stats == nil {
		return Event{Type: EventOOM, ID: c.ID()}, nil
	}
	stats, err := c.complete(e.Stats)
	if err != nil {
		return Event{}, err
	}
	return Event{Type: EventStats, ID: c.ID(), Data: stats}, nil
}
