package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"time"

	"github.com/urfave/cli/v3"
	"golang.org/x/sys/unix"

	ociruntime "github.com/berth-oci/berth/runtime"
)

func (a *app) runCommand() *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "create a container and start it; wait for it, and delete it, unless detached",
		ArgsUsage: "ID",
		Flags: append(createFlags(),
			&cli.BoolFlag{Name: "detach", Aliases: []string{"d"}, Usage: "return when the container is started"}),
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
			if cmd.Bool("detach") {
				o.ConsoleRequired = true
				_, err := rt.Run(ctx, cmd.Args().First(), o)
				return err
			}
			if o.ConsoleSocket != "" {
				return errors.New("cannot use console socket if runtime will not detach")
			}
			return a.foreground(ctx, rt, cmd.Args().First(), o)
		},
	}
}

// All signals are passed on, but to ask for one takes the Go runtime two
// switches between threads, for all of them most of a millisecond: those that
// are sent to programs that have hardly begun are asked for first, the others
// only if the program goes on for a while.
var firstSignals = [...]os.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH, unix.SIGCONT,
}

const moreSignals = 5 * time.Millisecond

// foreground runs a container to its end and gives its exit code.
func (a *app) foreground(ctx context.Context, rt *ociruntime.Runtime, id string, o ociruntime.CreateOptions) error {
	signals := make(chan os.Signal, 128)
	notified := make(chan struct{})
	go func() {
		signal.Notify(signals, firstSignals[:]...)
		close(notified)
	}()
	o.Attached, o.Pipes = true, true
	c, err := rt.Create(ctx, id, o)
	if err != nil {
		return err
	}
	<-notified
	fg, err := a.takeTerminal(c) // first: the program may ask for its size
	if err == nil {
		err = c.Start(ctx)
	}
	if err != nil {
		err = errors.Join(err, c.Delete(ctx, ociruntime.DeleteOptions{Force: true}))
		if fg != nil {
			err = errors.Join(err, fg.Close())
		}
		return err
	}
	go a.forward(ctx, signals, c, fg)
	more := time.AfterFunc(moreSignals, func() { signal.Notify(signals) })
	status, err := c.Wait(ctx)
	more.Stop()
	if fg != nil {
		err = errors.Join(err, fg.Close())
	}
	err = errors.Join(err, c.Delete(ctx, ociruntime.DeleteOptions{Force: true}))
	if err == nil && status.Shell() != 0 {
		return exitCode(status.Shell())
	}
	return err
}

// takeTerminal shows the program's terminal here, if it has one.
func (a *app) takeTerminal(c *ociruntime.Container) (*ociruntime.Foreground, error) {
	if c.Console() == nil {
		return nil, nil
	}
	host, err := ociruntime.HostTerminal(os.Stdin, os.Stdout, os.Stderr)
	if err != nil {
		return nil, err
	}
	return c.Console().Foreground(host, os.Stdin, os.Stdout)
}

// forward passes signals on to the program.
func (a *app) forward(ctx context.Context, signals <-chan os.Signal, c *ociruntime.Container, fg *ociruntime.Foreground) {
	for s := range signals {
		sig, ok := s.(unix.Signal)
		switch {
		case !ok || sig == unix.SIGCHLD || sig == unix.SIGURG: // SIGURG is the Go scheduler's
		case sig == unix.SIGWINCH && fg != nil:
			if err := fg.Resize(); err != nil {
				a.log.Warn(oneLine(err))
			}
		case sig == unix.SIGWINCH:
		default:
			if err := c.Kill(ctx, sig); err != nil {
				a.log.Warn(oneLine(err))
			}
		}
	}
}
