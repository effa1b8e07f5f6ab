package stub

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Guard lets the stub wait without its driver until this process has ended, however it
// ends, and then kill the process of a pidfd, a descriptor of the stub. It returns when
// the stub waits. The stub also exits when that process ends. It ignores the signals with
// which service managers end all processes of a unit.
func (c *Child) Guard(pidfd *Value) error {
	for _, sig := range terminating {
		c.queue("rt_sigaction", unix.SYS_RT_SIGACTION, num(int(sig)), c.sigaction(ignoreSignal, 0, 0), hex(0), num(8))
	}
	if err := c.Do(); err != nil {
		return err
	}
	// struct pollfd: the descriptor, and the events. The control socket hangs up when the
	// last copy of this end is closed.
	pollfd := func(fd *Value, events uint32) uint64 {
		var b [8]byte
		binary.NativeEndian.PutUint32(b[:], uint32(fd.Int()))
		binary.NativeEndian.PutUint16(b[4:], uint16(events))
		return binary.NativeEndian.Uint64(b[:])
	}
	c.Atomic()
	fds := words(pollfd(c.control, 0), pollfd(pidfd, unix.POLLIN))
	wait := c.queue("ppoll", unix.SYS_PPOLL, data(fds), num(2), num(0), num(0), num(8)).flag(flagAnswer)
	// ESRCH: the process has ended, too.
	c.queue("pidfd_send_signal", unix.SYS_PIDFD_SEND_SIGNAL, val(pidfd), num(int(unix.SIGKILL)), num(0), num(0)).MayFail(unix.ESRCH)
	c.queue("exit_group", unix.SYS_EXIT_GROUP, num(0))
	if err := c.Do(); err != nil {
		return err
	}
	if err := c.process().sleeps(c.sock.severed.Load); err != nil {
		return &Error{Step: c.step, Call: "ppoll", Index: wait.index, Err: err}
	}
	return nil
}

const ignoreSignal = 1 // SIG_IGN
