package stub

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Fork replaces the stub by a new process with these CLONE_NEW* flags. The new
// process is a child of the caller, like the old one. Only the new one is in a
// pid namespace that was joined or unshared. Fork first performs the queued
// calls.
func (c *Child) Fork(flags uint64) error { return c.fork(flags, 0) }

// ForkInto is Fork into a cgroup v2: this is the stub's descriptor of its directory.
// With Options.Cgroup, the thread that calls Start waits in the kernel until the new
// process is a stub, and the garbage collector waits for the thread: a container that
// is frozen, or has no CPU time left, would stop all goroutines of the caller.
func (c *Child) ForkInto(cgroup int) error { return c.fork(unix.CLONE_INTO_CGROUP, cgroup) }

func (c *Child) fork(flags uint64, cgroup int) error {
	var pid [4]byte
	tid := output(pid[:])
	// With CLONE_PARENT the kernel uses the exit signal of the calling process,
	// and requires 0 here.
	//
	// struct clone_args: flags, pidfd, child_tid, parent_tid, six zeros, cgroup.
	args := words(flags|unix.CLONE_PARENT|unix.CLONE_PARENT_SETTID, 0, 0, 0, 0, 0, 0, 0, 0, 0, uint64(cgroup))
	remedy := func(errno unix.Errno) string { return remedyFork(errno, flags&unix.CLONE_INTO_CGROUP != 0) }
	c.queue("clone3", unix.SYS_CLONE3, pointing(args, map[int]*arg{24: &tid}), num(len(args))).flag(flagFork).Remedy(remedy)
	forked := func() (int, bool) {
		if tid.n == 0 { // it was not queued, because a call before it has failed
			return 0, false
		}
		made := binary.NativeEndian.Uint32(c.mem[tid.n-regionAddr:])
		return int(made), made != 0
	}
	c.sock.forked = forked
	err := c.Do()
	c.sock.forked = nil
	if err == nil {
		return c.replace(int(binary.NativeEndian.Uint32(pid[:])))
	}
	// The new process may have been killed before it could answer. Its pid
	// namespace does not end until that process is reaped.
	if made, ok := forked(); ok {
		err = errors.Join(err, c.replace(made))
	}
	return err
}

// replace reaps the process that has exited and makes its child the stub. The
// pid comes from the region, so it must be a child of the caller: otherwise
// another process would be killed later.
func (c *Child) replace(pid int) error {
	pidfd, err := openChild(pid)
	if err != nil {
		return err
	}
	err = errors.Join(c.Reap(), c.Pidfd.Close())
	c.Pid, c.Pidfd = pid, pidfd
	return err
}

// openChild returns a pidfd of a child of the caller. The pid may be untrusted: another
// process is an error.
func openChild(pid int) (*os.File, error) {
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, fmt.Errorf("pidfd_open %d: %w", pid, err)
	}
	if err := isChild(pidfd); err != nil {
		unix.Close(pidfd)
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	return os.NewFile(uintptr(pidfd), "pidfd"), nil
}

// isChild asks the kernel, which returns ECHILD for a process that is not a
// child of this one.
func isChild(pidfd int) error {
	return os.NewSyscallError("waitid", retry(func() error {
		return unix.Waitid(unix.P_PIDFD, pidfd, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	}))
}

// Kill sends SIGKILL. A process that has ended already is not an error.
func (c *Child) Kill() error {
	err := unix.PidfdSendSignal(int(c.Pidfd.Fd()), unix.SIGKILL, nil, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return os.NewSyscallError("pidfd_send_signal", err)
}

// Reap waits for the end of the process and ignores its status. A process that
// was reaped elsewhere is not an error.
func (c *Child) Reap() error {
	err := retry(func() error {
		return unix.Waitid(unix.P_PIDFD, int(c.Pidfd.Fd()), nil, unix.WEXITED, nil)
	})
	if errors.Is(err, unix.ECHILD) {
		return nil
	}
	return os.NewSyscallError("waitid", err)
}

// endTime limits the wait of End.
const endTime = 2000 // milliseconds

// End kills the process, reaps it and closes its descriptors here. It returns
// an error if the process does not die, because its cgroup is frozen (v1) or it
// is in an uninterruptible call; then a goroutine reaps it later.
func (c *Child) End() error {
	err := errors.Join(c.Kill(), c.Close())
	fds := []unix.PollFd{{Fd: int32(c.Pidfd.Fd()), Events: unix.POLLIN}}
	n := 0
	e := retry(func() (err error) {
		n, err = unix.Poll(fds, endTime)
		return err
	})
	if e == nil && n == 0 {
		go func() {
			c.Reap()    //nolint:errcheck // no caller is left
			c.Release() //nolint:errcheck // the same
		}()
		return errors.Join(err, fmt.Errorf("process %d is still alive after SIGKILL: its cgroup is frozen, or it is in an uninterruptible system call", c.Pid))
	}
	return errors.Join(err, os.NewSyscallError("poll", e), c.Reap(), c.Release())
}

// Release closes the pidfd.
func (c *Child) Release() error { return c.Pidfd.Close() }

// Adopt returns a process that another one has made as a child of the caller, in the
// form of a stub that has become its program: it can be killed and reaped. The pid may
// be untrusted: another process is an error.
func Adopt(pid int) (*Child, error) {
	pidfd, err := openChild(pid)
	if err != nil {
		return nil, err
	}
	return &Child{Proc: &Proc{batch: new(batch), closed: true}, Pid: pid, Pidfd: pidfd}, nil
}
