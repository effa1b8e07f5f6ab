// Package setup does everything that happens between "config checked" and "the
// user's program runs": steps.go is the table of it, for all operations.
package setup

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/monitor"
	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Container is the container that an operation is about.
type Container struct {
	ID  string
	Dir string // its state directory
	// Config is the configuration, with the process or the mounts of the operation.
	Config *config.Config
	State  *state.State // not for Create
	Filter []byte       // the seccomp filter, if this process has compiled it
	Log    *slog.Logger // may be nil
}

// IO is what a program begins with; see libcontainer.IO.
type IO struct {
	Stdio      [3]*os.File
	ExtraFiles []*os.File
	Console    func(*os.File) error
}

// CreateOptions say how a container is created; see libcontainer.CreateOptions.
type CreateOptions struct {
	IO
	Detach   bool
	Rootless bool
	Resctrl  string
}

// ExecOptions say where and with what a process is executed.
type ExecOptions struct {
	IO
	Cgroups   map[string]string // the directories to enter, by controller
	AnyCgroup bool              // init's cgroup will do where those take no processes
}

// Created is a container whose program has not been started.
type Created struct {
	Container
	Child   *stub.Child      // its init, which is a stub
	Witness *monitor.Witness // of a unit's cgroup; else nil
}

func (c *Container) job(ctx context.Context, op operation) job {
	return job{op: op, ctx: ctx, id: c.ID, dir: c.Dir, cfg: c.Config, log: c.Log, bytecode: c.Filter}
}

// Create makes a container: everything but running its program. When it fails
// nothing is left of it. Errors of steps are a *StepError, here and below.
func (c Container) Create(ctx context.Context, o CreateOptions) (*Created, error) {
	j := c.job(ctx, inCreate)
	j.cfg = withNotifyMount(c.Config, c.Dir)
	j.IO, j.detach, j.rootless, j.resctrl = o.IO, o.Detach, o.Rootless, o.Resctrl
	r := newRun(steps[:], j, values{})
	defer r.release()
	err := r.walk()
	w := r.witness()
	if err != nil || o.Detach {
		w.Close() // nobody here will wait for it
	}
	if err != nil {
		return nil, err
	}
	c.Config, c.State, c.Filter = asSaved(r.cfg), r.state, r.bytecodeMade()
	return &Created{c, r.child, w}, nil
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
func (r *run) witness() *monitor.Witness {
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

// Start runs the program of a container that is created, for the holder of its
// lock. Attached is the stub that this process still drives, or nil. The
// connection to the stub is closed then. The error has a *HookError if a hook has failed.
func (c Container) Start(ctx context.Context, l *state.Lock, attached *stub.Child) error {
	j := c.job(ctx, inStart)
	j.attached = attached
	r := newRun(steps[:], j, values{lock: l, state: c.State, launch: c.State.Launch})
	err := r.walk()
	r.release()
	if r.stub != nil {
		err = AlsoFailed(err, r.stub.Close())
	}
	return err
}

// Exec executes a process in a container that exists. When it fails, nothing is
// left of the process.
func (c Container) Exec(ctx context.Context, o ExecOptions) (*stub.Child, error) {
	j := c.job(ctx, inExec)
	j.IO, j.cgroups, j.anyCgroup = o.IO, o.Cgroups, o.AnyCgroup
	r := newRun(steps[:], j, values{state: c.State})
	err := r.walk()
	r.release()
	if err != nil {
		return nil, err
	}
	return r.child, r.child.Close()
}

// AddMounts mounts the mounts of the configuration in a container that exists: all,
// or none.
func (c Container) AddMounts(ctx context.Context) error { return c.changeMounts(ctx, inAddMounts) }

// RemoveMounts unmounts the destinations of the mounts of the configuration.
func (c Container) RemoveMounts(ctx context.Context) error {
	return c.changeMounts(ctx, inRemoveMounts)
}

func (c Container) changeMounts(ctx context.Context, op operation) error {
	r := newRun(steps[:], c.job(ctx, op), values{state: c.State})
	err := r.walk()
	r.release()
	if err != nil {
		return err
	}
	return errors.Join(r.child.Close(), r.child.Reap(), r.child.Release())
}
