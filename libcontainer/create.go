package libcontainer

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer/config"
)

// CreateOptions say how a container is created.
type CreateOptions struct {
	// Root is the state root, an existing directory.
	Root string
	ID   string
	// Config is kept, and must not be changed afterwards.
	Config *config.Config
	// Stdio are the program's descriptors 0, 1 and 2; nil is the null device.
	// With a terminal they are not used.
	Stdio [3]*os.File
	// ExtraFiles become descriptors 3, 4, ….
	ExtraFiles []*os.File
	// Console gets the master side of the program's terminal, if it has one.
	// The file is the receiver's.
	Console func(*os.File) error
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
		return nil, opError("create", o.ID, "", err)
	}
	c := &Container{dir: filepath.Join(o.Root, o.ID), log: o.Log, state: &State{
		Version: stateVersion, ID: o.ID, Created: time.Now().UTC(),
		Bundle: o.Config.Bundle, Rootfs: o.Config.Rootfs, Annotations: o.Config.Annotations,
		OwnPids: o.Config.Namespaces.New&unix.CLONE_NEWPID != 0, Poststop: o.Config.Hooked(config.Poststop),
	}, config: o.Config}
	_, err := os.Lstat("/proc/kcore")
	r := &run{
		table: steps[:], kcore: err == nil, ctx: ctx, verb: inCreate, cfg: o.Config, opts: o, c: c,
		launch: &c.state.Launch, log: o.Log, unprivileged: os.Geteuid() != 0,
	}
	defer r.release()
	err = r.walk()
	if err != nil || o.Detach {
		c.witness.close() // nobody here will wait for it
	}
	if err != nil {
		return nil, err
	}
	c.child, c.end = r.child, &ending{c: c, pidfd: r.child.Pidfd}
	c.attached.Store(!o.Detach)
	return c, nil
}

// release closes what only the walk needs.
func (r *run) release() {
	if r.unwatch != nil {
		r.unwatch()
	}
	for _, f := range []*os.File{r.region, r.listener, r.init} {
		if f != nil {
			f.Close()
		}
	}
	if r.agent != nil {
		r.agent.Close()
		r.agent = nil
	}
	if r.tree != nil {
		r.tree.Release()
	}
	if r.mover != nil {
		r.mover.Close()
	}
	if r.lock != nil {
		r.lock.unlock()
		r.lock = nil
	}
}
