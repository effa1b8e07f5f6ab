package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v3"
)

// definition returns all commands and flags, for the module that parses command lines,
// prints help and completes.
func (a *app) definition() *cli.Command {
	root := &cli.Command{
		Name:           "berth",
		Usage:          "run containers from OCI bundles",
		Flags:          flagsOf(globalFlags),
		HideVersion:    true,
		Before:         a.beforeAll,
		Action:         noCommand,
		OnUsageError:   usageError,
		ExitErrHandler: func(context.Context, *cli.Command, error) {}, // main handles errors: the default exits the process

		EnableShellCompletion:           true,
		ShellComplete:                   complete,
		ConfigureShellCompletionCommand: describeCompletion,
	}
	for _, known := range commands {
		root.Commands = append(root.Commands, a.define(a.command(known.name)))
	}
	return root
}

// define returns the definition of a command.
func (a *app) define(c *command) *cli.Command {
	d := &cli.Command{
		Name:            c.name,
		Usage:           c.usage,
		ArgsUsage:       c.args,
		Description:     c.description,
		Flags:           flagsOf(c.flags),
		OnUsageError:    usageError,
		HideHelpCommand: true, // "h" and "help" are valid IDs
		ShellComplete:   complete,
		Action:          func(ctx context.Context, cmd *cli.Command) error { return c.run(ctx, lineOf(cmd, c)) },
		// With --help the module takes the first argument, such as an ID, for a subcommand.
		CommandNotFound: func(ctx context.Context, cmd *cli.Command, _ string) {
			cli.ShowCommandHelp(ctx, cmd.Root(), c.name) //nolint:errcheck // the command exists
		},
	}
	if c.stopAfter > 0 {
		d.StopOnNthArg = &c.stopAfter
	}
	if c.takesContainer() {
		d.ShellComplete = func(ctx context.Context, cmd *cli.Command) { a.completeID(ctx, cmd, c) }
	}
	return d
}

// flagsOf converts flags to those of the module.
func flagsOf(list []flag) []cli.Flag {
	flags := make([]cli.Flag, len(list))
	for i, f := range list {
		flags[i] = f.define()
	}
	return flags
}

func (f flag) define() cli.Flag {
	var aliases []string
	if f.short != "" {
		aliases = []string{f.short}
	}
	if f.kind == truth {
		value, _ := f.value.(bool)
		return &cli.BoolFlag{Name: f.name, Aliases: aliases, Usage: f.usage, Hidden: f.hidden, Local: f.local, Value: value}
	}
	return &valueFlag{
		GenericFlag: cli.GenericFlag{
			Name: f.name, Aliases: aliases, Usage: f.usage, Hidden: f.hidden, Local: f.local,
			Value: &flagValue{kind: f.kind, standard: f.value},
		},
		repeated: f.kind == texts || f.kind == numbers,
	}
}

// beforeAll runs before every command.
func (a *app) beforeAll(ctx context.Context, root *cli.Command) (context.Context, error) {
	return ctx, a.before(lineOf(root, nil))
}

// lineOf returns the line that the module has parsed; c is nil for the root.
func lineOf(cmd *cli.Command, c *command) *line {
	l := &line{command: c, args: cmd.Args().Slice(), out: cmd.Root().Writer}
	l.take(cmd.Root(), globalFlags)
	if c != nil {
		l.flags = c.flags
		l.take(cmd, c.flags)
	}
	return l
}

// take sets the flags that the module has set.
func (l *line) take(cmd *cli.Command, flags []flag) {
	for i := range flags {
		if f := &flags[i]; cmd.IsSet(f.name) {
			l.set(f, cmd.Value(f.name))
		}
	}
}

// noCommand runs for a missing or unknown command.
func noCommand(_ context.Context, cmd *cli.Command) error {
	if name := cmd.Args().First(); name != "" {
		return unknownCommand(name)
	}
	return cli.ShowRootCommandHelp(cmd)
}

func usageError(_ context.Context, cmd *cli.Command, err error, _ bool) error {
	return fmt.Errorf("%w (see: %s --help)", err, cmd.FullName())
}
