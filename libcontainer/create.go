package libcontainer

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/monitor"
	"github.com/berth-oci/berth/libcontainer/internal/setup"
)

// IO is what a program begins with.
type IO struct {
	// Stdio are the program's descriptors 0, 1 and 2; nil is the null device.
	// With a terminal they are not used.
	Stdio [3]*os.File
	// ExtraFiles become descriptors 3, 4, ….
	ExtraFiles []*os.File
	// Console receives the master side of the program's terminal, if it has one.
	// The file is the receiver's.
	Console func(*os.File) error
}

// CreateOptions say how a container is created.
type CreateOptions struct {
	// Root is the state root, an existing directory.
	Root string
	ID   string
	// Config is kept, and must not be changed afterwards.
	Config *config.Config
	IO
	// Detach lets any process start the container. Otherwise only the
	// Container returned can, and when this process dies before that, the
	// container does too.
	Detach bool
	// Rootless tolerates that cgroups cannot be made.
	Rootless bool
	// Resctrl is where the resctrl file system is mounted. Empty: it is looked
	// for, if the configuration asks for one.
	Resctrl string
	// Log gets warnings, and at debug level steps and system calls. It may
	// be nil.
	Log *slog.Logger
}

// Create makes a container: everything but running its program. When it fails
// nothing is left of it.
func Create(ctx context.Context, o CreateOptions) (*Container, error) {
	if err := ValidateID(o.ID); err != nil {
		return nil, err
	}
	if err := probe.CheckKernel(); err != nil {
		return nil, opError("create", o.ID, err)
	}
	s := setup.Container{ID: o.ID, Dir: filepath.Join(o.Root, o.ID), Config: o.Config, Log: o.Log}
	made, err := s.Create(ctx, setup.CreateOptions{
		IO: setup.IO(o.IO), Detach: o.Detach, Rootless: o.Rootless, Resctrl: o.Resctrl,
	})
	if err != nil {
		return nil, opError("create", o.ID, err)
	}
	c := &Container{
		dir: made.Dir, state: made.State, log: o.Log, config: made.Config, filter: made.Filter, witness: made.Witness, child: made.Child,
	}
	c.exit = monitor.NewExit(made.Child.Pidfd, c.outOfMemory)
	c.attached.Store(!o.Detach)
	return c, nil
}
