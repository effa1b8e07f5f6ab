package main

import (
	"context"
	"os"

	ociruntime "github.com/berth-oci/berth/runtime"
)

// createFlags returns the flags that create and run share.
func createFlags() []flag {
	return []flag{
		{name: "bundle", short: "b", usage: "use the bundle in `DIR` (default: the current directory)"},
		{name: "config", usage: "read the configuration from `FILE`, relative to the bundle (default: config.json)"},
		{name: "console-socket", usage: "send the terminal to the unix socket `PATH`"},
		{name: "pidfd-socket", usage: "send a pidfd of the process to the unix socket `PATH`"},
		{name: "pid-file", usage: "write the process ID to `FILE`"},
		{name: "preserve-fds", kind: number, usage: "pass on `N` more descriptors, from 3 or after those of LISTEN_FDS"},
		{name: "no-pivot", kind: truth, usage: "move the root onto / instead of pivot_root (for a host in a ramdisk; protects less)"},
		{name: "no-new-keyring", kind: truth, usage: "keep the caller's session keyring"},
	}
}

func (a *app) createCommand() command {
	return command{
		usage: "create a container",
		args:  "ID",
		flags: createFlags(),
		run: func(ctx context.Context, l *line) error {
			if err := exactArgs(l, 1); err != nil {
				return err
			}
			rt, err := a.creator(l)
			if err != nil {
				return err
			}
			o, err := createOptions(l)
			if err != nil {
				return err
			}
			o.ConsoleRequired = true
			_, err = rt.Create(ctx, l.arg(0), o)
			return err
		},
	}
}

// createOptions converts the flags. The program gets this process's standard input and
// output.
func createOptions(l *line) (ociruntime.CreateOptions, error) {
	in, err := ociruntime.InheritedFiles(l.number("preserve-fds"))
	if err != nil {
		return ociruntime.CreateOptions{}, err
	}
	if err := closeOnExec(); err != nil {
		return ociruntime.CreateOptions{}, err
	}
	return ociruntime.CreateOptions{
		Bundle:        l.text("bundle"),
		ConfigFile:    l.text("config"),
		ConsoleSocket: l.text("console-socket"),
		PidFile:       l.text("pid-file"),
		PidfdSocket:   l.text("pidfd-socket"),
		Stdin:         os.Stdin,
		Stdout:        os.Stdout,
		Stderr:        os.Stderr,
		ExtraFiles:    in.Files,
		ListenFDs:     in.ListenFDs,
		Notify:        notifySocket() != "",
		NoPivot:       l.truth("no-pivot"),
		SharedKeyring: l.truth("no-new-keyring"),
	}, nil
}
