package main

import (
	"context"
)

func (a *app) pauseCommand() command {
	return command{
		usage: "freeze all processes of a container",
		args:  "ID",
		run: func(ctx context.Context, l *line) error {
			if err := exactArgs(l, 1); err != nil {
				return err
			}
			c, err := a.container(l)
			if err != nil {
				return err
			}
			return c.Pause(ctx)
		},
	}
}
