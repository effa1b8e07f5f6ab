package stub

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// stubName is the command name of every stub (PR_SET_NAME). execve(2) replaces
// it by the last component of the program's path, which has no slash.
const stubName = "berth/init"

// errCut means that this side has ended the connection: the process may still
// be a stub. It is an io.EOF, made at compile time.
var errCut error = cut{}

type cut struct{}

func (cut) Error() string { return "connection cut: EOF" }
func (cut) Unwrap() error { return io.EOF }

// Process identifies a process. Pid is valid in the caller's pid namespace;
// Pidfd refers to the same process, also when its pid has been reused.
type Process struct {
	Pid   int
	Pidfd *os.File
}

// stat reads /proc/PID/stat; os.ErrProcessDone if the process has been reaped.
func (p Process) stat() (sys.ProcStat, error) {
	s, err := sys.ReadProcStat(p.Pid)
	// Checked after the read: until then the pid was that of this process.
	if gone := p.gone(); gone != nil {
		return sys.ProcStat{}, gone
	}
	return s, err
}

// gone returns os.ErrProcessDone if another process has waited for this one.
func (p Process) gone() error {
	err := unix.PidfdSendSignal(int(p.Pidfd.Fd()), 0, nil, 0)
	switch {
	case errors.Is(err, unix.ESRCH):
		return os.ErrProcessDone
	case err == nil, errors.Is(err, unix.EPERM): // EPERM: it exists, with another user
		return nil
	}
	return os.NewSyscallError("pidfd_send_signal", err)
}

// executed returns nil if the process has executed a program, and ErrGone if it
// ended before. Call it when the control socket has ended. By then execve(2) is
// over, and so is exit_mm() of a process that ends: the kernel closes sockets
// when a task returns to user mode or is past exit_files() (task_work_add in
// fput()). docs/decisions.md has the whole argument.
func (p Process) executed(cut bool) error {
	s, err := p.stat()
	switch {
	case errors.Is(err, os.ErrProcessDone):
		return p.executedOnceReaped()
	case err != nil:
		return err
	case s.Name != stubName:
		return nil
	case s.HasMemory && !cut: // a stub that ends has no memory any more: a program has taken its name
		return nil
	}
	return endedBy(s.Status)
}

// executedOnceReaped decides about a process that its parent has reaped
// already. The kernel keeps its wait status with the pidfd (Linux 6.15). A stub
// that performs a batch ends by a signal only. Without a known status, the
// process counts as the program: a parent often reaps a short program at once,
// but a kill within the last batch is rare.
func (p Process) executedOnceReaped() error {
	info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
	err := unix.IoctlPidfdInfo(int(p.Pidfd.Fd()), &info)
	status := unix.WaitStatus(info.Exit_code)
	if err != nil || info.Mask&unix.PIDFD_INFO_EXIT == 0 || status.Exited() {
		return nil //nolint:nilerr // ENOTTY, EINVAL: an older kernel
	}
	return endedBy(status)
}

// endedBy returns ErrGone with the signal, if it is known.
func endedBy(status unix.WaitStatus) error {
	switch {
	case status == 0 || !status.Signaled():
		return ErrGone
	case status.Signal() == unix.SIGSYS:
		return fmt.Errorf("%w: killed by SIGSYS (the seccomp filter must allow execve)", ErrGone)
	}
	return fmt.Errorf("%w: killed by %s", ErrGone, unix.SignalName(status.Signal()))
}

// sleeps waits until the process sleeps in a system call, and returns ErrGone
// if it ends instead. cut reports that the caller has given up.
func (p Process) sleeps(cut func() bool) error {
	const busy = 20 // rounds; a stub that runs needs microseconds
	var stops stops
	for i := 0; ; i++ {
		s, err := p.stat()
		switch {
		case errors.Is(err, os.ErrProcessDone):
			return ErrGone
		case err != nil:
			return err
		case !s.HasMemory:
			return endedBy(s.Status)
		case s.State == 'S':
			return nil
		case cut():
			return ErrGone
		case s.State == 'T':
			if err := stops.resume(p); err != nil {
				return err
			}
			time.Sleep(answerTime)
			continue
		}
		if i < busy {
			runtime.Gosched()
		} else {
			time.Sleep(100 * time.Microsecond)
		}
	}
}
