package main

import (
	"context"

	"github.com/urfave/cli/v3"
)

func (a *app) startCommand() *cli.Command {
	return &cli.Command{
		Name:      "start",
		Usage:     "run the program of a created container",
		ArgsUsage: "ID",
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := exactArgs(cmd, 1); err != nil {
				return err
			}
			c, err := a.container(cmd)
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
