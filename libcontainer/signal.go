package libcontainer

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// Signal sends a signal to the container's first process; signal 0 asks
// whether it is there. SIGKILL goes to all processes of a container without a
// pid namespace of its own, as they would outlive the first, and thaws one
// that is paused.
func (c *Container) Signal(sig unix.Signal) error {
	return opError("kill", c.ID(), "", c.signal(sig))
}

// SignalAll sends a signal to all processes of the container, those that are
// left when the first has ended included; the error is ErrNotRunning then.
// SIGKILL reaches also those that are started meanwhile, and thaws a container
// that is paused.
func (c *Container) SignalAll(sig unix.Signal) error {
	return opError("kill", c.ID(), "", c.signalAll(sig))
}

func (c *Container) signalAll(sig unix.Signal) error {
	if sig == 0 {
		return c.signal(sig)
	}
	status, err := c.Status()
	if err != nil {
		return err
	}
	cg := c.cgroup()
	err = cgroups.Kill(cg, sig)
	if errors.Is(err, cgroups.ErrNoCgroup) && sig == unix.SIGKILL && c.state.OwnPids {
		return c.signal(sig) // the others end with the first
	}
	if err == nil && status == Stopped {
		return ErrNotRunning
	}
	return err
}

func (c *Container) signal(sig unix.Signal) error {
	pidfd, err := c.state.openProcess()
	if err != nil {
		return err
	}
	defer pidfd.Close()
	err = unix.PidfdSendSignal(int(pidfd.Fd()), sig, nil, 0)
	switch {
	case errors.Is(err, unix.ESRCH):
		return ErrNotRunning
	case err != nil:
		return fmt.Errorf("send signal %d: %w", int(sig), err)
	case sig != unix.SIGKILL:
		return nil
	}
	return c.killRest()
}

// killRest lets SIGKILL take effect on all of the container's processes.
func (c *Container) killRest() error {
	cg := c.cgroup()
	if !c.state.OwnPids {
		if err := cgroups.Kill(cg, unix.SIGKILL); err != nil {
			return err
		}
	}
	if frozen, err := cgroups.Frozen(cg); err != nil || !frozen {
		return nil // a cgroup that is gone already cannot be thawed
	}
	return cg.Freeze(false)
}
