package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/urfave/cli/v3"
)

func (a *app) stateCommand() *cli.Command {
	return &cli.Command{
		Name:      "state",
		Usage:     "print the state of a container",
		ArgsUsage: "ID",
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := exactArgs(cmd, 1); err != nil {
				return err
			}
			c, err := a.container(cmd)
			if err != nil {
				return err
			}
			state, err := c.State()
			if err != nil {
				return err
			}
			b, err := json.MarshalIndent(state, "", "  ")
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.Root().Writer, "%s", b)
			return err
		},
	}
}
