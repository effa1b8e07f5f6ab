package main

import (
	"context"
)

func (a *app) startCommand() command {
	return command{
		usage: "run the program of a created container",
		args:  "ID",
		run: func(ctx context.Context, l *line) error {
			if err := exactArgs(l, 1); err != nil {
				return err
			}
			c, err := a.container(l)
			if err != nil {
				return err
			}
			if err := closeOnExec(); err != nil {
				return err
			}
			n, err := a.notify(c, c.Pid())
			if err != nil {
				return err
			}
			if err := c.Start(ctx); err != nil {
				return err
			}
			a.awaitReady(ctx, c, n)
			return nil
		},
	}
}
