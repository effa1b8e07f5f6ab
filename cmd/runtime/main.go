// Command runtime is berth, an OCI container runtime with the commands of runc, built
// on package runtime.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v3"
)

// Set by the linker.
var (
	version = "unknown"
	commit  = ""
)

func main() { os.Exit(run(os.Args)) }

// run returns the exit code.
func run(args []string) int {
	app := &app{}
	err := app.command().Run(context.Background(), args)
	var exit exitCode
	if errors.As(err, &exit) {
		return int(exit)
	}
	if err == nil {
		return 0
	}
	app.report(err)
	var unknown unknownCommand
	if errors.As(err, &unknown) {
		return 3
	}
	var help cli.ExitCoder // from the help for an unknown command
	if errors.As(err, &help) {
		return help.ExitCode()
	}
	var exec execFailure
	if errors.As(err, &exec) {
		return 255
	}
	return 1
}

// exitCode is the exit code of a container's program, not an error of berth.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// unknownCommand is the name of a command that does not exist.
type unknownCommand string

// Error ends in runc's words, which test suites look for.
func (u unknownCommand) Error() string {
	remedy := "see berth --help"
	if u == "checkpoint" || u == "restore" {
		remedy = "berth cannot checkpoint and restore containers yet; " + remedy
	}
	return fmt.Sprintf("unknown command %q (%s): No help topic for '%s'", string(u), remedy, string(u))
}

// command returns the definition of all commands and flags.
func (a *app) command() *cli.Command {
	commands := []*cli.Command{
		a.createCommand(), a.deleteCommand(), a.execCommand(), a.featuresCommand(), a.killCommand(), a.listCommand(), a.mountsCommand(),
		a.pauseCommand(), a.resumeCommand(), a.runCommand(), a.specCommand(), a.startCommand(), a.stateCommand(),
		a.eventsCommand(), a.psCommand(), a.updateCommand(),
	}
	for _, c := range commands {
		c.OnUsageError = usageError
		c.HideHelpCommand = true // "h" and "help" are valid IDs
	}
	a.enableCompletion(commands)
	return &cli.Command{
		Name:           "berth",
		Usage:          "run containers from OCI bundles",
		Commands:       commands,
		Flags:          a.flags(),
		HideVersion:    true,
		Before:         a.before,
		Action:         noCommand,
		OnUsageError:   usageError,
		ExitErrHandler: func(context.Context, *cli.Command, error) {}, // main handles errors: the default exits the process

		EnableShellCompletion:           true,
		ShellComplete:                   complete,
		ConfigureShellCompletionCommand: describeCompletion,
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

// exactArgs checks the number of arguments.
func exactArgs(cmd *cli.Command, n int) error {
	if cmd.NArg() == n {
		return nil
	}
	return wrongArgs(cmd, "exactly", n)
}

// argsBetween checks that there are least to most arguments.
func argsBetween(cmd *cli.Command, least, most int) error {
	switch {
	case cmd.NArg() < least:
		return wrongArgs(cmd, "a minimum of", least)
	case cmd.NArg() > most:
		return wrongArgs(cmd, "a maximum of", most)
	}
	return nil
}

func wrongArgs(cmd *cli.Command, how string, n int) error {
	return fmt.Errorf("%q requires %s %d argument(s) (see: %s --help)", cmd.Name, how, n, cmd.FullName())
}
