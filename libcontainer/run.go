package libcontainer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/cgroups/systemd"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/namespaces"
	"github.com/berth-oci/berth/libcontainer/network"
	"github.com/berth-oci/berth/libcontainer/rootfs"
	"github.com/berth-oci/berth/libcontainer/stub"
	"github.com/berth-oci/berth/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// run is one walk down the step table.
type run struct {
	// table is the step table: not by its name, as some of its functions walk
	// down it themselves.
	table []step
	ctx   context.Context
	verb  verbs
	cfg   *config.Config
	opts  CreateOptions
	c     *Container
	log   *slog.Logger
	hook  *specs.Hook // what is to be executed, when the verb is of a hook
	// first is the walk of the container's first process, which is a stub still,
	// when the verb is of a hook.
	first *run
	// unprivileged says that the runtime is not root: it may do little before
	// it is in a user namespace.
	unprivileged bool
	// launch is the state's for the container's own program.
	launch *Launch

	// What the steps make, in their order.
	lock   *lock
	cgroup cgroups.Manager
	unit   *systemd.Manager // the same, if systemd makes it
	// cgroupMade says that it is ours to remove.
	cgroupMade bool
	// noCgroup says that it lacks hierarchies which the runtime may not use.
	noCgroup bool
	// anyCgroup says that a v2 cgroup that takes no processes may be replaced
	// by that of the container's first process.
	anyCgroup bool
	region    *os.File
	listener  *os.File
	init      *os.File // pidfd of a stub that this process attaches to
	plan      namespaces.Plan
	joined    bool  // the namespaces that are given by path
	notOwned  []int // descriptors that could not be given to the program's user
	noGroups  bool  // setgroups(2) is denied in the user namespace
	beside    group // what goes on beside the stub's work
	child     *stub.Child
	p         *stub.Proc
	unwatch   func() // ends what ends the connection to p with ctx
	tree      *rootfs.Tree
	mounts    []rootfs.Op // to be added
	detach    []string    // the IDs of mounts to be removed, instead of destinations
	mover     *network.Mover
	kcore     bool        // the kernel has a /proc/kcore
	entered   *stub.Value // the working directory, tried as root
	step      string      // that is being taken
	// sealed says that a seccomp filter is queued: what is sent next is the
	// last that the stub does.
	sealed bool
	agent  *seccomp.Agent // who gets the filter's listener
}

// walk takes the steps of the table that belong to the verb. When one fails,
// those taken before are undone, last first.
func (r *run) walk() error {
	i, err := r.descend()
	if err == nil {
		return nil
	}
	if cause := context.Cause(r.ctx); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return r.undo(i, r.blameMemory(r.stepError(r.table[i].name, err)))
}

// stepError says which step has failed. Those of a hook, on its way into the
// container, are part of the step that runs it.
func (r *run) stepError(step string, err error) error {
	if r.hook == nil {
		return opError(r.opName(), r.c.ID(), step, err)
	}
	var known *hookStepError
	if errors.As(err, &known) {
		return err
	}
	return &hookStepError{stepOf(err, step), err}
}

// descend takes the steps of the table that belong to the verb. When one
// fails, it says which.
func (r *run) descend() (int, error) {
	for i := range r.table {
		s := &r.table[i]
		if s.in&r.verb == 0 || (s.when != nil && !s.when(r.cfg)) {
			continue
		}
		if err := r.take(s); err != nil {
			return i, err
		}
	}
	return 0, nil
}

// take takes one step. The stub's calls are queued, and sent before the next
// step on the host.
func (r *run) take(s *step) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if s.side == host && !r.sealed {
		if err := r.flush(); err != nil {
			return err
		}
	}
	if r.log != nil {
		r.log.Debug("step", "name", s.name, "side", string(s.side))
	}
	r.step = s.name
	if r.p != nil {
		r.p.Step(s.name)
	}
	return s.do(r)
}

// flush sends what is queued.
func (r *run) flush() error {
	if r.p == nil {
		return nil
	}
	return r.p.Do()
}

// undo takes back the steps up to i. What cannot be undone is added to err.
func (r *run) undo(i int, err error) error {
	if e := r.beside.Wait(); e != nil && !errors.Is(err, e) {
		err = errors.Join(err, stepCause(e))
	}
	for ; i >= 0; i-- {
		s := &r.table[i]
		if s.in&r.verb == 0 || s.undo == nil {
			continue
		}
		if e := s.undo(r); e != nil {
			err = errors.Join(err, fmt.Errorf("undo %s: %w", s.name, e))
		}
	}
	return err
}

// stepCause returns an error without the names of operation and container, which
// the one before it has.
func stepCause(err error) error {
	var known *Error
	if errors.As(err, &known) && known.Step != "" {
		return fmt.Errorf("%s: %w", known.Step, known.Err)
	}
	return err
}

func (r *run) opName() string {
	switch r.verb {
	case inStart:
		return "start"
	case inExec:
		return "exec"
	case inAddMounts:
		return "add mounts to"
	case inRemoveMounts:
		return "remove mounts from"
	}
	return "create"
}

// pid is of the process that becomes the program: a stub of ours, or one that
// another process has started.
func (r *run) pid() int {
	if r.child != nil {
		return r.child.Pid
	}
	return r.c.state.Pid
}
