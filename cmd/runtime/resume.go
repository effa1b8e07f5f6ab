package main

import (
	"context"
)

func (a *app) resumeCommand() command {
	return command{
		usage: "resume all processes of a paused container",
		args:  "ID",
		run: func(ctx context.Context, l *line) error {
			if err := exactArgs(l, 1); err != nil {
				return err
			}
			c, err := a.container(l)
			if err != nil {
				return err
			}
			return c.Resume(ctx)
		},
	}
}
