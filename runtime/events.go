package ociruntime

import (
	"context"
	"iter"
	"time"

	"github.com/berth-oci/berth/libcontainer"
)

// EventsOptions say which events are told.
type EventsOptions struct {
	// Interval is the time between two statistics; 0 is for none.
	Interval time.Duration
}

// EventType is a kind of events.
type EventType string

// The kinds of events.
const (
	EventStats EventType = "stats" // it is time for statistics
	EventOOM   EventType = "oom"   // memory has run out
)

// Event is something that has happened in a container. Its JSON form is runc's.
type Event struct {
	Type EventType `json:"type"`
	ID   string    `json:"id"`
	// Data is of EventStats.
	Data *Stats `json:"data,omitempty"`
}

// Events tells what happens in a container that has not stopped, until it
// stops, or until ctx ends, whose error is the last then.
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
