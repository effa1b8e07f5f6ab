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

// Events returns the events of a container until it stops or ctx ends; then the last
// error is that of ctx.
func (c *Container) Events(ctx context.Context, o EventsOptions) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for e, err := range c.c.Events(ctx, libcontainer.EventOptions{Interval: o.Interval}) {
			event := Event{Type: EventOOM, ID: c.ID()}
			if e.Stats != nil {
				event.Type = EventStats
				event.Data, err = c.complete(e.Stats)
			}
			if !yield(event, err) {
				return
			}
		}
	}
}
