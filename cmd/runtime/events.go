package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

func (a *app) eventsCommand() command {
	return command{
		usage: "print statistics and OOM events of a container, one JSON object a line",
		args:  "ID",
		flags: []flag{
			{name: "interval", kind: duration, value: 5 * time.Second, usage: "print statistics every `TIME`, such as 500ms"},
			{name: "stats", kind: truth, usage: "print statistics once"},
		},
		run: func(ctx context.Context, l *line) error {
			if err := exactArgs(l, 1); err != nil {
				return err
			}
			if l.duration("interval") <= 0 {
				return errors.New("duration interval must be greater than 0")
			}
			c, err := a.container(l)
			if err != nil {
				return err
			}
			if l.truth("stats") {
				err = printStats(ctx, l.out, c)
			} else {
				err = printEvents(ctx, l.out, c, l.duration("interval"))
			}
			if errors.Is(err, libcontainer.ErrNotRunning) {
				return fmt.Errorf("container with id %s is not running", c.ID())
			}
			return err
		},
	}
}

func printStats(ctx context.Context, w io.Writer, c *ociruntime.Container) error {
	status, err := c.Status()
	if err != nil {
		return err
	}
	if status == libcontainer.Stopped {
		return libcontainer.ErrNotRunning // like runc, though the cgroup may still be there
	}
	stats, err := c.Stats(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(ociruntime.Event{Type: ociruntime.EventStats, ID: c.ID(), Data: stats})
}

func printEvents(ctx context.Context, w io.Writer, c *ociruntime.Container, interval time.Duration) error {
	for event, err := range c.Events(ctx, ociruntime.EventsOptions{Interval: interval}) {
		if err == nil {
			err = json.NewEncoder(w).Encode(event)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
