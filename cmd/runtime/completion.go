package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
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
		return fmt.Errorf("no completion for shell %q: want one of %s", cmd.Args().First(), strings.Join(shells, ", "))
	}
}

// completeBy has the commands complete flags, and those that take the id of a
// container that exists, ids.
func (a *app) completeBy(commands []*cli.Command) {
	for _, c := range commands {
		c.ShellComplete = complete
		isNew := c.Name == "create" || c.Name == "run"
		if strings.HasPrefix(c.ArgsUsage, "ID") && !isNew {
			c.ShellComplete = a.completeID
		}
	}
}

// complete prints the commands or flags that the command line may go on with.
func complete(ctx context.Context, cmd *cli.Command) {
	root := cmd.Root()
	out := root.Writer
	root.Writer = unmarked{out}
	cli.DefaultCompleteWithFlags(ctx, cmd)
	root.Writer = out
}

// unmarked leaves out the marks that the words for values have in what flags
// say of themselves: zsh and fish show that.
type unmarked struct{ io.Writer }

func (u unmarked) Write(text []byte) (int, error) {
	_, err := u.Writer.Write(bytes.ReplaceAll(text, []byte("`"), nil))
	return len(text), err
}

// completeID prints what the command line may go on with: a flag, or the id of
// a container with its status. That there is none, or that they cannot be
// read, leaves nothing to complete.
func (a *app) completeID(ctx context.Context, cmd *cli.Command) {
	// The last argument is the one that asks for completion. A flag before it
	// may be begun, or be whole: the shell leaves out what does not fit.
	if typed := os.Args[len(os.Args)-2]; strings.HasPrefix(typed, "-") {
		complete(ctx, cmd)
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
