package main

import (
	"context"
	"os"

	"github.com/urfave/cli/v3"

	ociruntime "github.com/berth-oci/berth/runtime"
)

// createFlags returns the flags that create and run share.
func createFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "bundle", Aliases: []string{"b"}, Usage: "use the bundle in `DIR` (default: the current directory)"},
		&cli.StringFlag{Name: "config", Usage: "read the configuration from `FILE`, relative to the bundle (default: config.json)"},
		&cli.StringFlag{Name: "console-socket", Usage: "send the terminal to the unix socket `PATH`"},
		&cli.StringFlag{Name: "pidfd-socket", Usage: "send a pidfd of the process to the unix socket `PATH`"},
		&cli.StringFlag{Name: "pid-file", Usage: "write the process ID to `FILE`"},
		&cli.IntFlag{Name: "preserve-fds", Usage: "pass on `N` more descriptors, from 3 or after those of LISTEN_FDS"},
		&cli.BoolFlag{Name: "no-pivot", Usage: "move the root onto / instead of pivot_root (for a host in a ramdisk; protects less)"},
		&cli.BoolFlag{Name: "no-new-keyring", Usage: "keep the caller's session keyring"},
	}
}

func (a *app) createCommand() *cli.Command {
	return &cli.Command{
		Name:      "create",
		Usage:     "create a container",
		ArgsUsage: "ID",
		Flags:     createFlags(),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := exactArgs(cmd, 1); err != nil {
				return err
			}
			rt, err := a.runtime(cmd)
			if err != nil {
				return err
			}
			o, err := createOptions(cmd)
			if err != nil {
				return err
			}
			o.ConsoleRequired = true
			_, err = rt.Create(ctx, cmd.Args().First(), o)
			return err
		},
	}
}

// createOptions converts the flags. The program gets this process's standard input and
// output.
func createOptions(cmd *cli.Command) (ociruntime.CreateOptions, error) {
	in, err := ociruntime.InheritedFiles(cmd.Int("preserve-fds"))
	if err != nil {
		return ociruntime.CreateOptions{}, err
	}
	if err := closeOnExec(); err != nil {
		return ociruntime.CreateOptions{}, err
	}
	return ociruntime.CreateOptions{
		Bundle:        cmd.String("bundle"),
		ConfigFile:    cmd.String("config"),
		ConsoleSocket: cmd.String("console-socket"),
		PidFile:       cmd.String("pid-file"),
		PidfdSocket:   cmd.String("pidfd-socket"),
		Stdin:         os.Stdin,
		Stdout:        os.Stdout,
		Stderr:        os.Stderr,
		ExtraFiles:    in.Files,
		ListenFDs:     in.ListenFDs,
		Notify:        notifySocket() != "",
		NoPivot:       cmd.Bool("no-pivot"),
		SharedKeyring: cmd.Bool("no-new-keyring"),
	}, nil
}
