package main

import (
	"context"

	ociruntime "github.com/berth-oci/berth/runtime"
)

func (a *app) deleteCommand() command {
	return command{
		usage: "delete a stopped container",
		args:  "ID",
		flags: []flag{
			{name: "force", short: "f", kind: truth, usage: "kill a container that runs; ignore one that does not exist"},
			regexFlag(),
		},
		run: func(ctx context.Context, l *line) error {
			if err := exactArgs(l, 1); err != nil {
				return err
			}
			rt, err := a.runtime(l)
			if err != nil {
				return err
			}
			if err := closeOnExec(); err != nil {
				return err
			}
			o := ociruntime.DeleteOptions{Force: l.truth("force")}
			if l.truth("regex") {
				return a.eachContainer(l, func(c *ociruntime.Container) error { return c.Delete(ctx, o) })
			}
			return otherRoot(l, rt.Delete(ctx, l.arg(0), o))
		},
	}
}
