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
			&cli.BoolFlag{Name: "detach", Aliases: []string{"d"}, Usage: "return when the container is started"},
			&cli.BoolFlag{Name: "keep", Usage: "do not delete the container at its end, or when its program cannot be executed"},
			&cli.BoolFlag{Name: "no-subreaper", Usage: "leave orphans of the container's to others to reap"}),
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
			o.Attached = true
			r := &runner{app: a, rt: rt, id: cmd.Args().First(), options: o, keep: cmd.Bool("keep")}
			if cmd.Bool("detach") {
				return r.detached(ctx)
			}
			if o.ConsoleSocket != "" {
				return errors.New("cannot use console socket if runtime will not detach")
			}
			if !cmd.Bool("no-subreaper") {
				if err := becomeSubreaper(); err != nil {
					return err
				}
			}
			return r.foreground(ctx)
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

// runner runs one container.
type runner struct {
	app     *app
	rt      *ociruntime.Runtime
	id      string
	options ociruntime.CreateOptions
	keep    bool
}

// detached returns when the container is started.
func (r *runner) detached(ctx context.Context) error {
	r.options.ConsoleRequired = true
	c, err := r.rt.Create(ctx, r.id, r.options)
	if err != nil {
		return err
	}
	if err := c.Start(ctx); err != nil {
		return errors.Join(err, r.delete(ctx, c))
	}
	return nil
}

// delete deletes the container unless it is to be kept.
func (r *runner) delete(ctx context.Context, c *ociruntime.Container) error {
	if r.keep {
		return nil
	}
	return c.Delete(ctx, ociruntime.DeleteOptions{Force: true})
}

// foreground runs a container to its end and gives its exit code.
func (r *runner) foreground(ctx context.Context) error {
	signals := make(chan os.Signal, 128)
	notified := make(chan struct{})
	go func() {
		signal.Notify(signals, firstSignals[:]...)
		close(notified)
	}()
	r.options.Pipes = true
	c, err := r.rt.Create(ctx, r.id, r.options)
	if err != nil {
		return err
	}
	<-notified
	fg, err := r.app.takeTerminal(c) // first: the program may ask for its size
	if err == nil {
		err = c.Start(ctx)
	}
	if err != nil {
		err = errors.Join(err, r.delete(ctx, c))
		if fg != nil {
			err = errors.Join(err, fg.Close())
		}
		return err
	}
	strangers := &reaper{init: c.Pid()}
	go r.app.forward(ctx, signals, c, fg, strangers)
	more := time.AfterFunc(moreSignals, func() {
		signal.Notify(signals)
		signals <- unix.SIGCHLD // who has ended before
	})
	status, err := c.Wait(ctx)
	more.Stop()
	if fg != nil {
		err = errors.Join(err, fg.Close())
	}
	strangers.stop()
	err = errors.Join(err, r.delete(ctx, c))
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
func (a *app) forward(ctx context.Context, signals <-chan os.Signal, c *ociruntime.Container, fg *ociruntime.Foreground, strangers *reaper) {
	for s := range signals {
		sig, ok := s.(unix.Signal)
		switch {
		case !ok || sig == unix.SIGURG: // the Go scheduler's
		case sig == unix.SIGCHLD:
			if err := strangers.reap(); err != nil {
				a.log.Warn(oneLine(err))
			}
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
