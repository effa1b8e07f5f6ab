package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

func (a *app) eventsCommand() *cli.Command {
	return &cli.Command{
		Name:      "events",
		Usage:     "print statistics and OOM events of a container, one JSON object a line",
		ArgsUsage: "ID",
		Flags: []cli.Flag{
			&cli.DurationFlag{Name: "interval", Value: 5 * time.Second, Usage: "print statistics every `TIME`, such as 500ms"},
			&cli.BoolFlag{Name: "stats", Usage: "print statistics once"},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := exactArgs(cmd, 1); err != nil {
				return err
			}
			if cmd.Duration("interval") <= 0 {
				return errors.New("duration interval must be greater than 0")
			}
			c, err := a.container(cmd)
			if err != nil {
				return err
			}
			if cmd.Bool("stats") {
				err = printStats(ctx, cmd.Root().Writer, c)
			} else {
				err = printEvents(ctx, cmd.Root().Writer, c, cmd.Duration("interval"))
			}
			if errors.Is(err, libcontainer.ErrNotRunning) {
				return fmt.Errorf("container with id %s is not running", c.ID())
			}
			return err
		},
	}
}

func printStats(ctx context.Context, w io.Writer, c *ociruntime.Container) error {
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
