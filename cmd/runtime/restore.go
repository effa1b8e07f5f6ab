package main

import (
	"context"
	"errors"
	"os"

	ociruntime "github.com/berth-oci/berth/runtime"
)

func (a *app) restoreCommand() command {
	return command{
		usage: "restore a container from an image of checkpoint, wait for it and delete it",
		args:  "ID",
		flags: append(criuFlags(),
			flag{name: "bundle", short: "b", usage: "use the bundle in `DIR` (default: the current directory)"},
			flag{name: "console-socket", usage: "send the terminal to the unix socket `PATH`"},
			flag{name: "detach", short: "d", kind: truth, usage: "return when the container runs; do not delete it"},
			flag{name: "pid-file", usage: "write the process ID to `FILE`"},
			flag{name: "no-pivot", kind: truth, usage: "restore on a host in a ramdisk, where pivot_root fails"},
			flag{name: "no-subreaper", kind: truth, usage: "do not adopt and reap orphans of the container"},
			flag{name: "lsm-profile", usage: "replace the security label of the image by `TYPE:NAME`: apparmor or selinux"},
			flag{name: "lsm-mount-context", usage: "replace the SELinux context of the image's mounts by `CONTEXT`"}),
		run: func(ctx context.Context, l *line) error {
			if err := exactArgs(l, 1); err != nil {
				return err
			}
			rt, err := a.creator(l)
			if err != nil {
				return err
			}
			if err := closeOnExec(); err != nil {
				return err
			}
			r := &restorer{app: a, rt: rt, id: l.arg(0), options: restoreOptions(l)}
			if l.truth("detach") {
				r.options.ConsoleRequired = true
				_, err := rt.Restore(ctx, r.id, r.options)
				return err
			}
			if r.options.ConsoleSocket != "" {
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

func restoreOptions(l *line) ociruntime.RestoreOptions {
	return ociruntime.RestoreOptions{
		CriuOptions:     criuOptions(l),
		Bundle:          l.text("bundle"),
		Stdin:           os.Stdin,
		Stdout:          os.Stdout,
		Stderr:          os.Stderr,
		ConsoleSocket:   l.text("console-socket"),
		PidFile:         l.text("pid-file"),
		NoPivot:         l.truth("no-pivot"),
		LSMProfile:      l.text("lsm-profile"),
		LSMMountContext: l.text("lsm-mount-context"),
	}
}

type restorer struct {
	app     *app
	rt      *ociruntime.Runtime
	id      string
	options ociruntime.RestoreOptions
}

// foreground restores a container, waits for its end and returns its exit code.
func (r *restorer) foreground(ctx context.Context) error {
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
	c, err := r.rt.Restore(startCtx, r.id, r.options)
	started()
	if err != nil {
		return err
	}
	fg.orphans = &reaper{init: c.Pid()}
	if err := fg.show(c); err != nil {
		fg.orphans.stop()
		return errors.Join(err, fg.hide(), c.Delete(ctx, ociruntime.DeleteOptions{Force: true}))
	}
	status, err := fg.wait(ctx, c)
	fg.orphans.stop()
	return exitOf(status, errors.Join(err, c.Delete(ctx, ociruntime.DeleteOptions{Force: true})))
}
