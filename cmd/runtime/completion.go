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

// describeCompletion sets the help of the command that prints the scripts.
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

// takesContainer reports whether the first argument is the ID of a container that exists.
func (c *command) takesContainer() bool {
	return strings.HasPrefix(c.args, "ID") && c.name != "create" && c.name != "run"
}

// complete prints the commands or flags that can follow on the command line.
func complete(ctx context.Context, cmd *cli.Command) {
	root := cmd.Root()
	out := root.Writer
	root.Writer = unmarked{out}
	cli.DefaultCompleteWithFlags(ctx, cmd)
	root.Writer = out
}

// unmarked removes the back quotes around the names of values in help texts, which zsh
// and fish would show.
type unmarked struct{ io.Writer }

func (u unmarked) Write(text []byte) (int, error) {
	_, err := u.Writer.Write(bytes.ReplaceAll(text, []byte("`"), nil))
	return len(text), err
}

// completeID prints what can follow on the command line: a flag, or the ID of a
// container with its status. It prints nothing without containers, or if they cannot be
// read.
func (a *app) completeID(ctx context.Context, cmd *cli.Command, c *command) {
	// The last argument requests the completion. The one before it may be an incomplete
	// or a complete flag: the shell drops candidates that do not fit.
	if typed := os.Args[len(os.Args)-2]; strings.HasPrefix(typed, "-") {
		complete(ctx, cmd)
	}
	if cmd.NArg() > 0 {
		return
	}
	states, err := a.states(lineOf(cmd, c))
	if err != nil {
		return
	}
	for _, s := range states {
		fmt.Fprintf(cmd.Root().Writer, "%s:%s\n", s.ID, s.Status)
	}
}
