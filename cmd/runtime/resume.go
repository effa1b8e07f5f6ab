package main

import (
	"context"

	"github.com/urfave/cli/v3"
)

func (a *app) resumeCommand() *cli.Command {
	return &cli.Command{
		Name:      "resume",
		Usage:     "resume all processes of a paused container",
		ArgsUsage: "ID",
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := exactArgs(cmd, 1); err != nil {
				return err
			}
			c, err := a.container(cmd)
			if err != nil {
				return err
			}
			return c.Resume(ctx)
		},
	}
}
