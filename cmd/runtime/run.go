package main

import (
	"context"
	"errors"
	"os"

	ociruntime "github.com/berth-oci/berth/runtime"
)

func (a *app) runCommand() command {
	return command{
		usage: "create and start a container, wait for it and delete it",
		args:  "ID",
		flags: append(createFlags(),
			flag{name: "detach", short: "d", kind: truth, usage: "return when the container has started; do not delete it"},
			flag{name: "keep", kind: truth, usage: "keep the container when it ends or its program cannot be executed"},
			flag{name: "no-subreaper", kind: truth, usage: "do not adopt and reap orphans of the container"}),
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
			o.Attached = true
			r := &runner{app: a, rt: rt, id: l.arg(0), options: o, keep: l.truth("keep")}
			if l.truth("detach") {
				return r.detached(ctx)
			}
			if o.ConsoleSocket != "" {
				return errNotDetached
			}
			if !l.truth("no-subreaper") {
				if err := becomeSubreaper(); err != nil {
					return err
				}
			}
			return r.foreground(ctx)
		},
	}
}

// errNotDetached is the error of a console socket in the foreground.
var errNotDetached = errors.New("cannot use console socket if runtime will not detach (add --detach)")

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
	fg, err := r.app.newForeground() // without it, a signal would end this process and leave the container
	if err != nil {
		return err
	}
	r.options.Pipes = true
	if err := ownOutput(&r.options.Stdout, &r.options.Stderr); err != nil {
		return err
	}
	startCtx, started := fg.start.begin(ctx)
	defer started()
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
