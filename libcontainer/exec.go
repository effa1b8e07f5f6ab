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

// ExecOptions are the options of Exec.
type ExecOptions struct {
	// Process must not be changed after the call.
	Process *config.Process
	IO
	// SubCgroups are paths of cgroups below the container's, by v1 controller; ""
	// stands for v2 and for all controllers that are not named. If it is empty, the
	// process starts in the container's cgroup; in init's if that was removed, or
	// accepts no processes because the container enabled controllers below it (v2).
	SubCgroups map[string]string
	// IgnorePaused allows Exec in a paused container. Exec returns after the
	// container is resumed.
	IgnorePaused bool
	// MayBlock lets Exec block this whole process, whatever ctx says, while the
	// container is frozen or has no CPU time left (cgroup v2). It saves a fork: for
	// processes that do nothing else.
	MayBlock bool
}

// Exec executes a process in a created or running container. After an error nothing of
// the process remains. A container with another status is ErrInvalidState, one that
// ends meanwhile ErrNotRunning. An error of process.args[0] is exec.ErrNotFound (of
// package os/exec) if no directory of PATH has it, fs.ErrNotExist, or fs.ErrPermission.
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
		return nil, c.endedMeanwhile(err)
	}
	own, err := c.Config()
	if err != nil {
		return nil, err
	}
	cfg := *own
	cfg.Process, cfg.ListenFDs, cfg.Notify = *o.Process, 0, false
	child, err := c.asSetup(&cfg).Exec(ctx, setup.ExecOptions{
		IO: setup.IO(o.IO), Cgroups: cgroups, AnyCgroup: len(o.SubCgroups) == 0, MayBlock: o.MayBlock,
	})
	if child != nil {
		return &Process{c: c, child: child, exit: monitor.NewExit(child.Pid, child.Pidfd, c.ended())}, err
	}
	if status == Created && os.Geteuid() != 0 && errors.Is(err, unix.EPERM) {
		return nil, explained(err, func(err error) error {
			return fmt.Errorf("%w (start the container first: an unprivileged user may not trace the init of a created container)", err)
		})
	}
	return nil, c.endedMeanwhile(err)
}

// subCgroups returns the directories of cgroups below those of the container.
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

// endedMeanwhile adds ErrNotRunning to an error if the container has ended: its
// namespaces, its cgroup and the stub end with it.
func (c *Container) endedMeanwhile(err error) error {
	if err == nil || errors.Is(err, ErrNotRunning) || !c.hasEnded(err) {
		return err
	}
	return explained(err, func(err error) error {
		return fmt.Errorf("%w: it has ended while the process was being started: %w", ErrNotRunning, err)
	})
}

// dying is the time limit for the init of a pid namespace to reap the other processes.
const dying = 500 // milliseconds

// hasEnded reports whether the container's init has ended, or is exiting and waits until
// the other processes of its pid namespace are reaped.
func (c *Container) hasEnded(err error) bool {
	pidfd, e := c.state.OpenProcess()
	if e != nil {
		return errors.Is(e, ErrNotRunning)
	}
	defer pidfd.Close()
	wait := 0
	if errors.Is(err, stub.ErrGone) || errors.Is(err, unix.ENOMEM) || errors.Is(err, unix.ESRCH) {
		wait = dying // fork into a dead pid namespace fails with ENOMEM
	}
	gone, e := state.WaitExit(pidfd, wait)
	return e == nil && gone
}
