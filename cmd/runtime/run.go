package main

import (
	"context"
	"errors"
	"os"

	"github.com/urfave/cli/v3"

	ociruntime "github.com/berth-oci/berth/runtime"
)

func (a *app) runCommand() *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "create and start a container, wait for it and delete it",
		ArgsUsage: "ID",
		Flags: append(createFlags(),
			&cli.BoolFlag{Name: "detach", Aliases: []string{"d"}, Usage: "return when the container has started; do not delete it"},
			&cli.BoolFlag{Name: "keep", Usage: "keep the container when it ends or its program cannot be executed"},
			&cli.BoolFlag{Name: "no-subreaper", Usage: "do not adopt and reap orphans of the container"}),
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

type runner struct {
	app     *app
	rt      *ociruntime.Runtime
	id      string
	options ociruntime.CreateOptions
	keep    bool
}

// detached returns when the program runs.
func (r *runner) detached(ctx context.Context) error {
	r.options.ConsoleRequired = true
	c, err := r.rt.Create(ctx, r.id, r.options)
	if err != nil {
		return err
	}
	n, err := r.app.notify(c, c.Pid())
	if err == nil {
		err = c.Start(ctx)
	}
	if err != nil {
		return errors.Join(err, r.delete(ctx, c))
	}
	r.app.awaitReady(ctx, c, n)
	return nil
}

// delete deletes the container unless --keep is set.
func (r *runner) delete(ctx context.Context, c *ociruntime.Container) error {
	if r.keep {
		return nil
	}
	return c.Delete(ctx, ociruntime.DeleteOptions{Force: true})
}

// foreground runs a container to its end and returns its exit code.
func (r *runner) foreground(ctx context.Context) error {
	fg := r.app.newForeground()
	r.options.Pipes = true
	if err := ownOutput(&r.options.Stdout, &r.options.Stderr); err != nil {
		return err
	}
	startCtx, started := fg.starting(ctx)
	defer started()
	<-fg.notified // a signal before this ends the process, without a container to clean up
	c, err := r.rt.Create(startCtx, r.id, r.options)
	if err != nil {
		return err
	}
	// This process is the service's main process, because it forwards signals. It does
	// so before the program is ready, too.
	n, err := r.app.notify(c, os.Getpid())
	if err == nil {
		err = fg.show(c) // first: the program may ask for its size
	}
	if err == nil {
		err = c.Start(startCtx)
	}
	started()
	if err != nil {
		return errors.Join(err, fg.hide(), r.delete(ctx, c)) // delete closes the console
	}
	fg.orphans = &reaper{init: c.Pid()}
	last := r.app.relay(ctx, c, n)
	status, err := fg.wait(ctx, c)
	fg.orphans.stop()
	return exitOf(status, errors.Join(err, r.delete(ctx, c), last()))
}
