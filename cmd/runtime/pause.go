package main

import (
	"context"

	"github.com/urfave/cli/v3"
)

func (a *app) pauseCommand() *cli.Command {
	return &cli.Command{
		Name:      "pause",
		Usage:     "freeze all processes of a container",
		ArgsUsage: "ID",
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := exactArgs(cmd, 1); err != nil {
				return err
			}
			c, err := a.container(cmd)
			if err != nil {
				return err
			}
			return c.Pause(ctx)
		},
	}
}
