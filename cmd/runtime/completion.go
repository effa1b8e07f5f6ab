package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v3"
)

// describeCompletion says what the command is for that prints the scripts.
func describeCompletion(cmd *cli.Command) {
	cmd.Hidden = false
	cmd.Usage = "print a script that completes commands, flags and container ids: source <(berth completion bash)"
	var shells []string
	for _, shell := range cmd.Commands {
		shells = append(shells, shell.Name)
	}
	cmd.ArgsUsage = strings.Join(shells, "|")
	cmd.Action = func(_ context.Context, cmd *cli.Command) error {
		return fmt.Errorf("no completion for shell %q: known are %s", cmd.Args().First(), strings.Join(shells, ", "))
	}
}

// completeByID has those commands complete ids that take one of a container
// that exists.
func (a *app) completeByID(commands []*cli.Command) {
	for _, c := range commands {
		isNew := c.Name == "create" || c.Name == "run"
		if strings.HasPrefix(c.ArgsUsage, "ID") && !isNew {
			c.ShellComplete = a.completeID
		}
	}
}

// completeID prints what the command line may go on with: a flag, or the id of
// a container with its status. That there is none, or that they cannot be
// read, leaves nothing to complete.
func (a *app) completeID(ctx context.Context, cmd *cli.Command) {
	// The last argument is the one that asks for completion. A flag before it
	// may be begun, or be whole: the shell leaves out what does not fit.
	if typed := os.Args[len(os.Args)-2]; strings.HasPrefix(typed, "-") {
		cli.DefaultCompleteWithFlags(ctx, cmd)
	}
	if cmd.NArg() > 0 {
		return
	}
	states, err := a.states(cmd)
	if err != nil {
		return
	}
	for _, s := range states {
		fmt.Fprintf(cmd.Root().Writer, "%s:%s\n", s.ID, s.Status)
	}
}
