package libcontainer

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"

	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/checkpoint"
	"github.com/berth-oci/berth/libcontainer/internal/setup"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// RestoreOptions are the options of Restore.
type RestoreOptions struct {
	CriuOptions
	// Root is the state root, an existing directory.
	Root string
	ID   string
	// Config must not be changed after the call. The sources of bind mounts, the
	// namespaces to join and the limits are those of Config; everything else is in the
	// image.
	Config *config.Config
	// IO are the files that replace those of the checkpointed container: pipes, and files
	// that are not in its mounts. ExtraFiles must be empty. Console receives the terminal
	// of a container that has one.
	IO
	// Rootless skips cgroups that the user may not make.
	Rootless bool
	// LSMProfile replaces the labels of the image: "apparmor:NAME" or "selinux:LABEL". The
	// restored processes must have it, or else the profile and the label of Config.
	LSMProfile string
	// LSMMountContext replaces the SELinux context of the image's mounts.
	LSMMountContext string
	// Resctrl is as in CreateOptions.
	Resctrl string
	// Log gets warnings, and at debug level steps and system calls. May be nil.
	Log *slog.Logger
}

// Restore makes a container from an image that Checkpoint has written. It runs when
// Restore returns. After an error nothing of it remains, except the image. The errors are
// those of Create.
func Restore(ctx context.Context, o RestoreOptions) (*Container, error) {
	if err := ValidateID(o.ID); err != nil {
		return nil, err
	}
	c, err := restore(ctx, &o)
	return c, opError("restore", o.ID, err)
}

func restore(ctx context.Context, o *RestoreOptions) (*Container, error) {
	if err := errors.Join(stub.CheckArchitecture(), probe.CheckKernel()); err != nil {
		return nil, err
	}
	if len(o.ExtraFiles) > 0 {
		return nil, errors.New("ExtraFiles cannot be restored")
	}
	if err := errors.Join((*checkpoint.Options)(&o.CriuOptions).Check(), checkpoint.CheckConfig(o.Config)); err != nil {
		return nil, err
	}
	s := setup.Container{ID: o.ID, Dir: filepath.Join(o.Root, o.ID), Config: o.Config, Log: o.Log, Resctrl: o.Resctrl}
	made, err := s.Restore(ctx, setup.RestoreOptions{
		IO: setup.IO(o.IO), Options: checkpoint.Options(o.CriuOptions), Rootless: o.Rootless,
		LSMProfile: o.LSMProfile, LSMMountContext: o.LSMMountContext,
	})
	if err != nil {
		return nil, err
	}
	c := &Container{
		dir: made.Dir, state: made.State, log: o.Log, config: made.Config, filter: made.Filter, resctrl: o.Resctrl,
	}
	c.made = remember(c.state, made, false, o.Log)
	return c, nil
}
