package main

import (
	"context"

	"github.com/urfave/cli/v3"

	ociruntime "github.com/berth-oci/berth/runtime"
)

func (a *app) deleteCommand() *cli.Command {
	return &cli.Command{
		Name:      "delete",
		Usage:     "delete a stopped container",
		ArgsUsage: "ID",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "force", Aliases: []string{"f"}, Usage: "kill a container that runs; ignore one that does not exist"},
			regexFlag(),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := exactArgs(cmd, 1); err != nil {
				return err
			}
			rt, err := a.runtime(cmd)
			if err != nil {
				return err
			}
			if err := closeOnExec(); err != nil {
				return err
			}
			o := ociruntime.DeleteOptions{Force: cmd.Bool("force")}
			if cmd.Bool("regex") {
				return a.eachContainer(cmd, func(c *ociruntime.Container) error { return c.Delete(ctx, o) })
			}
			return otherRoot(cmd, rt.Delete(ctx, cmd.Args().First(), o))
		},
	}
}
