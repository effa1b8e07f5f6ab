// Package setup performs everything that happens between "config checked" and "the
// program runs", for create, start, exec, hooks and changes of mounts. steps.go is
// one table of the steps of all operations, steps_SUBJECT.go has their functions,
// and run.go takes and undoes them. The runtime takes some steps itself; the others
// queue system calls for a stub (package stub), which performs them in the container.
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

// Container is the container of an operation.
type Container struct {
	ID  string
	Dir string // its state directory
	// Config is the configuration, with the process or the mounts of the operation.
	Config *config.Config
	State  *state.State // nil for Create
	Filter []byte       // the seccomp filter, if this process has compiled it
	Log    *slog.Logger // may be nil
	// Resctrl is where resctrl is mounted, of whatever type; see libcontainer.CreateOptions.
	Resctrl string
}

// IO has the program's descriptors; see libcontainer.IO.
type IO struct {
	Stdio      [3]*os.File
	ExtraFiles []*os.File
	Console    func(*os.File) error
}

// CreateOptions are the options of Create; see libcontainer.CreateOptions.
type CreateOptions struct {
	IO
	Detach   bool
	Rootless bool
}

// ExecOptions are the options of Exec.
type ExecOptions struct {
	IO
	Cgroups   map[string]string // the directories to enter, by controller
	AnyCgroup bool              // fall back to init's cgroup if those accept no processes
	MayBlock  bool              // the container may block this process
}

// Created is a container whose program has not been started.
type Created struct {
	Container
	Child   *stub.Child      // the container's init, still a stub
	Witness *monitor.Witness // watches the cgroup of a systemd unit; else nil
}

func (c *Container) job(ctx context.Context, op operation) job {
	return job{op: op, ctx: ctx, id: c.ID, dir: c.Dir, cfg: c.Config, log: c.Log, bytecode: c.Filter, resctrl: c.Resctrl}
}

// Create makes a container, up to but without running its program. After an error
// nothing of the container remains. The errors of all operations are *StepErrors.
func (c Container) Create(ctx context.Context, o CreateOptions) (*Created, error) {
	j := c.job(ctx, inCreate)
	j.cfg = withNotifyMount(c.Config, c.Dir)
	j.IO, j.detach, j.rootless = o.IO, o.Detach, o.Rootless
	r := newRun(steps[:], j, values{})
	defer r.release()
	err := r.walk()
	w := r.witness()
	if err != nil || o.Detach {
		w.Close() // this process does not wait for the container
	}
	if err != nil {
		return nil, err
	}
	c.Config, c.State, c.Filter = asSaved(r.cfg), r.state, r.bytecodeMade()
	return &Created{c, r.child, w}, nil
}

// asSaved returns the configuration as state.ReadConfig reads it, and the hook
// functions, which only this process has. The compiled filter replaces the seccomp
// profile.
func asSaved(cfg *config.Config) *config.Config {
	if cfg.Seccomp == nil {
		return cfg
	}
	saved, filter := *cfg, *cfg.Seccomp
	filter.Profile = nil
	saved.Seccomp = &filter
	return &saved
}

// witness returns the OOM watch of a systemd unit; nil without a unit.
func (r *run) witness() *monitor.Witness {
	if r.limits == nil {
		return nil
	}
	o, _ := r.limits.wait() // walk reports the error
	return o.witness
}

// bytecodeMade returns the compiled seccomp filter; nil without linux.seccomp.
func (r *run) bytecodeMade() []byte {
	if r.filter == nil {
		return nil
	}
	filter, _ := r.filter.wait() // walk reports the error
	return filter
}

// Start runs the program of a created container. The caller holds the lock l.
// Attached is the stub if this process still drives it, else nil. Start closes the
// connection to the stub. The error contains a *HookError if a hook failed.
func (c Container) Start(ctx context.Context, l *state.Lock, attached *stub.Child) error {
	j := c.job(ctx, inStart)
	j.attached = attached
	r := newRun(steps[:], j, values{lock: l, state: c.State, launch: c.State.Launch})
	err := r.walk()
	r.release()
	proc := r.stub
	if proc == nil && attached != nil { // ctx has ended before the step that uses it
		proc = attached.Proc
	}
	if proc != nil {
		err = AlsoFailed(err, proc.Close())
	}
	return err
}

// Exec executes a process in a created or running container. After an error
// nothing of the process remains.
func (c Container) Exec(ctx context.Context, o ExecOptions) (*stub.Child, error) {
	j := c.job(ctx, inExec)
	j.IO, j.cgroups, j.anyCgroup, j.mayBlock = o.IO, o.Cgroups, o.AnyCgroup, o.MayBlock
	r := newRun(steps[:], j, values{state: c.State})
	err := r.walk()
	r.release()
	if err != nil {
		return nil, err
	}
	return r.child, r.child.Close()
}

// AddMounts mounts the mounts of the configuration in the container. After an error
// none of them remains mounted.
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
