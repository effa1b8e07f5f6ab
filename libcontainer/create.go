package libcontainer

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/setup"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// IO has the descriptors of a program.
type IO struct {
	// Stdio are the program's descriptors 0, 1 and 2; nil means the null device.
	// Unused if the program has a terminal.
	Stdio [3]*os.File
	// ExtraFiles become descriptors 3, 4, ….
	ExtraFiles []*os.File
	// Console receives the master side of the program's terminal, and closes it. It
	// must be set if process.terminal is.
	Console func(*os.File) error
}

// CreateOptions are the options of Create.
type CreateOptions struct {
	// Root is the state root, an existing directory.
	Root string
	ID   string
	// Config must not be changed after the call.
	Config *config.Config
	IO
	// Detach lets any process start the container. Without it only the returned
	// Container can, and if this process dies before, the container ends.
	Detach bool
	// DieWithParent kills the container when this process ends, however it ends.
	DieWithParent bool
	// Rootless skips cgroups that the user may not make.
	Rootless bool
	// Resctrl is the mount point of the resctrl file system. If empty, Create
	// searches for it when the configuration needs it.
	Resctrl string
	// Log gets warnings, and at debug level steps and system calls. May be nil.
	Log *slog.Logger
}

// Create makes a container, up to but without running its program; see Start. After an
// error nothing of the container remains. The error is ErrExist if the ID is in use,
// ErrInvalidID, or ErrInvalidSpec for a fault in the configuration; those of
// process.args[0] are those of Exec.
func Create(ctx context.Context, o CreateOptions) (*Container, error) {
	if err := ValidateID(o.ID); err != nil {
		return nil, err
	}
	if err := errors.Join(stub.CheckArchitecture(), probe.CheckKernel()); err != nil {
		return nil, opError("create", o.ID, err)
	}
	if err := checkGuard(&o); err != nil {
		return nil, opError("create", o.ID, err)
	}
	s := setup.Container{ID: o.ID, Dir: filepath.Join(o.Root, o.ID), Config: o.Config, Log: o.Log, Resctrl: o.Resctrl}
	made, err := s.Create(ctx, setup.CreateOptions{
		IO: setup.IO(o.IO), Detach: o.Detach, Rootless: o.Rootless,
	})
	if err != nil {
		return nil, opError("create", o.ID, err)
	}
	c := &Container{
		dir: made.Dir, state: made.State, log: o.Log, config: made.Config, filter: made.Filter, resctrl: o.Resctrl,
	}
	c.made = remember(c.state, made, !o.Detach, o.Log)
	if o.DieWithParent {
		if c.made.guard, err = startGuard(ctx, made.Child, &o, c.dir); err != nil {
			err = errors.Join(err, c.delete(context.WithoutCancel(ctx), true))
			return nil, opError("create", o.ID, err)
		}
	}
	return c, nil
}
