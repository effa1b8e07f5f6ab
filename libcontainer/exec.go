package libcontainer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/monitor"
	"github.com/berth-oci/berth/libcontainer/internal/setup"
	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// ExecOptions say what is executed in a container that runs, or is created.
type ExecOptions struct {
	// Process must not be changed afterwards.
	Process *config.Process
	IO
	// SubCgroups are cgroups below the container's for the process to be in, by
	// v1 controller; "" is for all that are not named, and for v2. Without any,
	// the process is in the cgroup of the container's init instead, if the
	// container's own was removed, or may hold no processes any more because the
	// container has divided it (v2).
	SubCgroups map[string]string
	// IgnorePaused starts the process in a container that is paused, too. Exec
	// then returns when that has been resumed.
	IgnorePaused bool
}

// Exec executes a process in a container. When it fails, nothing is left of
// that.
func (c *Container) Exec(ctx context.Context, o ExecOptions) (*Process, error) {
	p, err := c.exec(ctx, o)
	return p, opError("exec", c.ID(), err)
}

func (c *Container) exec(ctx context.Context, o ExecOptions) (*Process, error) {
	status, err := c.Status()
	switch {
	case err != nil:
		return nil, err
	case status == Stopped || status == Creating:
		return nil, stateError(fmt.Sprintf("cannot exec in a %s container", status))
	case status == Paused && !o.IgnorePaused:
		return nil, stateError("cannot exec in a paused container (use --ignore-paused to override)")
	}
	cgroups, err := subCgroups(c.state.Cgroups, o.SubCgroups)
	if err == nil && len(o.SubCgroups) == 0 {
		cgroups, err = c.presentCgroups()
	}
	if err != nil {
		return nil, err
	}
	own, err := c.Config()
	if err != nil {
		return nil, err
	}
	cfg := *own
	cfg.Process, cfg.ListenFDs, cfg.Notify = *o.Process, 0, false
	child, err := c.asSetup(&cfg).Exec(ctx, setup.ExecOptions{IO: setup.IO(o.IO), Cgroups: cgroups, AnyCgroup: len(o.SubCgroups) == 0})
	if child != nil {
		return &Process{c: c, child: child, exit: monitor.NewExit(child.Pidfd, c.outOfMemory)}, err
	}
	if status == Created && os.Geteuid() != 0 && errors.Is(err, unix.EPERM) {
		return nil, explained(err, func(err error) error {
			return fmt.Errorf("%w (start the container first: an unprivileged user may not trace the init of a created container)", err)
		})
	}
	return nil, c.endedMeanwhile(err)
}

// subCgroups gives the directories of cgroups below those of the container.
func subCgroups(own, sub map[string]string) (map[string]string, error) {
	if len(sub) == 0 {
		return own, nil
	}
	names := make(map[string]string, len(sub)) // by directory: several controllers can have one hierarchy
	for controller, name := range sub {
		dir, ok := own[controller]
		if ok && controller != "" {
			names[dir] = name
		}
		if !ok && controller != "" {
			return nil, fmt.Errorf("unknown controller %s (the container has %s)", controller, strings.TrimSpace(strings.Join(slices.Sorted(maps.Keys(own)), " ")))
		}
	}
	dirs := make(map[string]string, len(own))
	for controller, dir := range own {
		name, ok := names[dir]
		if !ok {
			name = sub[""]
		}
		dirs[controller] = filepath.Join(dir, name)
		if dirs[controller] != dir && !strings.HasPrefix(dirs[controller], dir+"/") {
			return nil, fmt.Errorf("bad sub cgroup path: %s (it leads out of the container's cgroup)", name)
		}
	}
	return dirs, nil
}

// endedMeanwhile says what a failure comes from when the container has ended:
// its namespaces, its cgroup and the stub in them go away at any moment then.
func (c *Container) endedMeanwhile(err error) error {
	if err == nil || errors.Is(err, ErrNotRunning) || !c.hasEnded(err) {
		return err
	}
	return explained(err, func(err error) error {
		return fmt.Errorf("%w: it has ended while the process was being started: %w", ErrNotRunning, err)
	})
}

// dying is how long the first process of a pid namespace may take to end once
// it has killed the others.
const dying = 500 // milliseconds

// hasEnded reports whether the container's first process has ended, or is about
// to: it waits for the others of its pid namespace, which have been killed,
// to be reaped.
func (c *Container) hasEnded(err error) bool {
	pidfd, e := c.state.OpenProcess()
	if e != nil {
		return errors.Is(e, ErrNotRunning)
	}
	defer pidfd.Close()
	wait := 0
	if errors.Is(err, stub.ErrGone) || errors.Is(err, unix.ENOMEM) || errors.Is(err, unix.ESRCH) {
		wait = dying // ENOMEM is what a fork into a dead pid namespace gives
	}
	gone, e := state.WaitExit(pidfd, wait)
	return e == nil && gone
}
