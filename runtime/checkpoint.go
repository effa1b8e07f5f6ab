package ociruntime

import (
	"context"
	"io"
	"log/slog"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer"
	"github.com/berth-oci/berth/libcontainer/config"
)

// Checkpoint saves the processes of a running or paused container as an image on disk,
// from which Runtime.Restore makes a container. It needs CRIU. Unless LeaveRunning or
// PreDump is set, it then deletes the container. After an error the container continues.
// The error is libcontainer.ErrInvalidState for a container that does not run.
func (c *Container) Checkpoint(ctx context.Context, o libcontainer.CheckpointOptions) error {
	return c.c.Checkpoint(ctx, o)
}

// RestoreOptions describe a container that is restored. The fields that CreateOptions has
// too mean the same.
type RestoreOptions struct {
	libcontainer.CriuOptions
	Bundle     string
	ConfigFile string
	Spec       *specs.Spec
	// Stdin, Stdout and Stderr replace those of the checkpointed container.
	Stdin           io.Reader
	Stdout          io.Writer
	Stderr          io.Writer
	Pipes           bool
	ConsoleSocket   string
	ConsoleRequired bool
	PidFile         string
	NoPivot         bool
	Hooks           map[config.HookKind][]config.HookFunction
	// LSMProfile and LSMMountContext replace the labels of the image; see
	// libcontainer.RestoreOptions.
	LSMProfile      string
	LSMMountContext string
}

// create returns the options that concern the configuration and the descriptors.
func (o *RestoreOptions) create() CreateOptions {
	return CreateOptions{
		Bundle: o.Bundle, ConfigFile: o.ConfigFile, Spec: o.Spec, Stdin: o.Stdin, Stdout: o.Stdout, Stderr: o.Stderr,
		Pipes: o.Pipes, ConsoleSocket: o.ConsoleSocket, ConsoleRequired: o.ConsoleRequired, PidFile: o.PidFile,
		NoPivot: o.NoPivot, Hooks: o.Hooks,
	}
}

// Restore makes a container from an image that Container.Checkpoint has written, and from
// a bundle. It needs CRIU. The processes run when Restore returns; the container is like
// any other. If Restore fails or ctx ends, nothing is left of the container, except the
// image. The errors are those of Create.
func (r *Runtime) Restore(ctx context.Context, id string, o RestoreOptions) (*Container, error) {
	c, err := r.restore(ctx, id, o)
	return c, errorOf("restore", id, err)
}

func (r *Runtime) restore(ctx context.Context, id string, o RestoreOptions) (*Container, error) {
	create := o.create()
	return r.make(ctx, id, &create, func(cfg *config.Config, files libcontainer.IO, log *slog.Logger) (*libcontainer.Container, error) {
		return libcontainer.Restore(ctx, libcontainer.RestoreOptions{
			CriuOptions: o.CriuOptions, Root: r.root, ID: id, Config: cfg, IO: files, Rootless: r.opts.Rootless,
			LSMProfile: o.LSMProfile, LSMMountContext: o.LSMMountContext, Resctrl: r.opts.Resctrl, Log: log,
		})
	})
}
