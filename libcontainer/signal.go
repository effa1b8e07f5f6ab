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
	return opError("kill", c.ID(), "", c.send(sig, c.signal))
}

// SignalAll sends a signal to all processes of the container, those that are
// left when the first has ended included; the error is ErrNotRunning then.
// SIGKILL reaches also those that are started meanwhile, and thaws a container
// that is paused.
func (c *Container) SignalAll(sig unix.Signal) error {
	return opError("kill", c.ID(), "", c.send(sig, c.signalAll))
}

// send sends a signal, but SIGKILL in the place of one that ends every program
// which does not handle it, to a container that waits to be started: there is
// no program yet, and what is there in its place is the first process of a pid
// namespace, to which the kernel gives no signal that it does not handle
// (pid_namespaces(7)).
func (c *Container) send(sig unix.Signal, send func(unix.Signal) error) error {
	if !c.state.OwnPids || !ends(sig) || !c.awaitsStart() {
		return send(sig)
	}
	l, err := lockDir(c.dir, 0)
	if err != nil {
		return send(sig) // it is being started, or deleted
	}
	defer l.unlock()
	if c.awaitsStart() {
		sig = unix.SIGKILL
	}
	return send(sig)
}

// ends reports whether a signal ends a program that does not handle it
// (signal(7)).
func ends(sig unix.Signal) bool {
	switch sig {
	case unix.SIGCHLD, unix.SIGCONT, unix.SIGSTOP, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGURG, unix.SIGWINCH:
		return false
	}
	const last = 64 // the kernel's _NSIG
	return sig > 0 && sig <= last
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
