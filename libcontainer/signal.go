package libcontainer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// Signal sends a signal to the container's init; signal 0 only checks that it exists. The
// error is ErrNotRunning if init has ended. SIGKILL also kills the other processes of a container without a pid
// namespace of its own, as they would outlive init or have outlived it, and
// thaws a container that is paused. Without a cgroup these cannot be found, and
// a warning says so.
func (c *Container) Signal(sig unix.Signal) error {
	return opError("kill", c.ID(), c.send(sig, c.signal))
}

// SignalAll sends a signal to all processes of the container, also to those that remain
// after init has ended; the error is ErrNotRunning if none does. SIGKILL also reaches processes
// that are forked meanwhile, and thaws a paused container. Without a cgroup, all processes of the container's own pid namespace
// are signalled, or, with a warning, init alone.
func (c *Container) SignalAll(sig unix.Signal) error {
	return opError("kill", c.ID(), c.send(sig, c.signalAll))
}

// send sends a signal. Before start it sends SIGKILL instead of any terminating signal:
// init is still a stub without handlers, and the kernel delivers no unhandled signal to
// the init of a pid namespace (pid_namespaces(7)).
func (c *Container) send(sig unix.Signal, send func(unix.Signal) error) error {
	if !c.state.OwnPids || !ends(sig) {
		return send(sig)
	}
	waits, err := c.hasControl()
	if err == nil && waits {
		var l *state.Lock
		l, err = state.LockDir(c.dir, 0)
		defer l.Unlock()
		if err == nil {
			waits, err = c.hasControl()
		} else if errors.Is(err, state.ErrLocked) || errors.Is(err, state.ErrNotExist) {
			waits, err = false, nil // start or delete is in progress
		}
	}
	switch {
	case err != nil:
		return err
	case waits:
		sig = unix.SIGKILL
	}
	return send(sig)
}

// ends reports whether the default action of a signal terminates (signal(7)).
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
		return c.signalInit(sig)
	}
	status, err := c.Status()
	if err != nil {
		return err
	}
	cg := c.cgroup()
	pids, err := cg.Processes()
	if noCgroup(err) {
		return c.signalFound(sig)
	}
	if err != nil {
		return err
	}
	if err := cgroups.Kill(cg, sig); err != nil {
		return err
	}
	if status == Stopped && len(pids) == 0 {
		return ErrNotRunning
	}
	if status != Stopped && !slices.Contains(pids, c.state.Pid) { // it has moved itself into another cgroup
		return c.signalInit(sig)
	}
	return nil
}

// noCgroup reports whether an error means that the container has no cgroup: create made
// none, or it was removed after init had left it.
func noCgroup(err error) bool {
	return errors.Is(err, cgroups.ErrNoCgroup) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV)
}

// signalFound sends a signal to the known processes of a container without a cgroup: all
// of its own pid namespace, else init alone.
func (c *Container) signalFound(sig unix.Signal) error {
	if !c.state.OwnPids {
		err := c.signalInit(sig)
		if err == nil {
			c.warnUnreached()
		}
		return err
	}
	if sig == unix.SIGKILL {
		return c.signalInit(sig) // the kernel kills the others with it
	}
	return c.signalNamespace(sig)
}

// warnUnreached warns that only init was signalled.
func (c *Container) warnUnreached() {
	c.warn(fmt.Errorf("only the container's init was signalled: %w", state.ExplainCgroup(fmt.Errorf(
		"without a cgroup and a pid namespace of its own, its other processes cannot be found: %w", cgroups.ErrNoCgroup))))
}

// signalNamespace sends a signal to the processes of the container's own pid
// namespace, but not to those in a namespace below.
func (c *Container) signalNamespace(sig unix.Signal) error {
	init, err := c.state.OpenProcess()
	if err != nil {
		return err
	}
	defer init.Close()
	own, err := pidNamespace(c.state.Pid)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			errs = append(errs, signalIn(own, pid, sig))
		}
	}
	return errors.Join(errs...)
}

// signalIn sends a signal to a process if it is in a pid namespace. The pidfd ensures
// that the ID was not reused between the check and the signal.
func signalIn(namespace string, pid int, sig unix.Signal) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil // it has ended
	}
	if err != nil {
		return fmt.Errorf("pidfd_open %d: %w", pid, err)
	}
	defer unix.Close(fd)
	now, err := pidNamespace(pid)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) || errors.Is(err, fs.ErrPermission) {
		return nil // it has ended, or is another user's and so not the container's
	}
	if err != nil || now != namespace {
		return err
	}
	if err := unix.PidfdSendSignal(fd, sig, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("send signal %d to %d: pidfd_send_signal: %w", int(sig), pid, err)
	}
	return nil
}

func pidNamespace(pid int) (string, error) {
	return os.Readlink("/proc/" + strconv.Itoa(pid) + "/ns/pid")
}

func (c *Container) signal(sig unix.Signal) error {
	err := c.signalInit(sig)
	if sig != unix.SIGKILL || err != nil && !errors.Is(err, ErrNotRunning) {
		return err
	}
	return c.killRest(err)
}

func (c *Container) signalInit(sig unix.Signal) error {
	pidfd, err := c.state.OpenProcess()
	if err != nil {
		return err
	}
	defer pidfd.Close()
	err = unix.PidfdSendSignal(int(pidfd.Fd()), sig, nil, 0)
	if errors.Is(err, unix.ESRCH) {
		return ErrNotRunning
	}
	if err != nil {
		return fmt.Errorf("send signal %d: pidfd_send_signal: %w", int(sig), err)
	}
	return nil
}

// killRest applies SIGKILL to the container's other processes. Ended is ErrNotRunning if
// init had already ended.
func (c *Container) killRest(ended error) error {
	cg := c.cgroup()
	if c.state.OwnPids {
		if ended != nil {
			return ended
		}
		return cgroups.Thaw(cg)
	}
	pids, err := cg.Processes()
	switch {
	case noCgroup(err):
		if ended == nil {
			c.warnUnreached()
		}
		return ended
	case err != nil:
		return err
	case ended != nil && len(pids) == 0:
		return ended
	}
	return cgroups.Kill(cg, unix.SIGKILL)
}
