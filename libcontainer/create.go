package libcontainer

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer/config"
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
		return nil, opError("create", o.ID, "", err)
	}
	dir := filepath.Join(o.Root, o.ID)
	r := newRun(steps[:], job{
		op: inCreate, ctx: ctx, id: o.ID, dir: dir, cfg: withNotifyMount(o.Config, dir), log: o.Log, IO: o.IO,
		detach: o.Detach, rootless: o.Rootless, resctrl: o.Resctrl,
	}, values{})
	defer r.release()
	err := r.walk()
	w := r.witness()
	if err != nil || o.Detach {
		w.close() // nobody here will wait for it
	}
	if err != nil {
		return nil, err
	}
	c := &Container{dir: dir, state: r.state, log: o.Log, config: asSaved(r.cfg), filter: r.bytecodeMade(), witness: w, child: r.child}
	c.end = &ending{c: c, pidfd: r.child.Pidfd}
	c.attached.Store(!o.Detach)
	return c, nil
}

// asSaved returns the configuration as Load reads it, except for the functions
// that are hooks, which belong to this process. The seccomp profile has been
// compiled: the filter is saved.
func asSaved(cfg *config.Config) *config.Config {
	if cfg.Seccomp == nil {
		return cfg
	}
	saved, filter := *cfg, *cfg.Seccomp
	filter.Profile = nil
	saved.Seccomp = &filter
	return &saved
}

// witness returns what watches the memory of a unit; nil without one.
func (r *run) witness() *witness {
	if r.limits == nil {
		return nil
	}
	o, _ := r.limits.wait() // the walk has reported it
	return o.witness
}

// bytecodeMade returns the seccomp filter that was compiled; nil without one.
func (r *run) bytecodeMade() []byte {
	if r.filter == nil {
		return nil
	}
	filter, _ := r.filter.wait() // the walk has reported it
	return filter
}
