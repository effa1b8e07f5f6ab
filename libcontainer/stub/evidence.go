package stub

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// stubName is the command name of every stub (PR_SET_NAME). execve(2) replaces
// it by the last component of the program's path, which has no slash.
const stubName = "berth/init"

// errCut means that this side has ended the connection: the process may still
// be a stub.
var errCut = fmt.Errorf("connection cut: %w", io.EOF)

// Process identifies a process. Pid is valid in the caller's pid namespace;
// Pidfd refers to the same process, also when its pid has been reused.
type Process struct {
	Pid   int
	Pidfd *os.File
}

// stat is the content of /proc/PID/stat (proc_pid_stat(5)).
type stat struct {
	name  string
	state byte
	// hasMemory is false from exit_mm() on, in a zombie too.
	hasMemory bool
	// status is the wait status of a zombie; 0 also if the caller may not see it.
	status unix.WaitStatus
}

// Fields of /proc/PID/stat, counted from the state on.
const (
	statVsize    = 20
	statExitCode = 49
)

// stat reads /proc/PID/stat; os.ErrProcessDone if the process has been reaped.
func (p Process) stat() (stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid))
	if p.reaped() { // checked after the read: until then the pid was that of this process
		return stat{}, os.ErrProcessDone
	}
	if err != nil {
		return stat{}, err
	}
	return parseStat(text)
}

func parseStat(text []byte) (stat, error) {
	begin, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')') // the name may hold parentheses
	if begin < 0 || end < begin {
		return stat{}, fmt.Errorf("no command name in %q", text)
	}
	fields := bytes.Fields(text[end+1:])
	if len(fields) <= statExitCode {
		return stat{}, fmt.Errorf("%d fields in %q", len(fields), text)
	}
	status, err := strconv.Atoi(string(fields[statExitCode]))
	return stat{
		name: string(text[begin+1 : end]), state: fields[0][0], hasMemory: string(fields[statVsize]) != "0",
		status: unix.WaitStatus(status),
	}, err
}

// reaped reports whether another process has waited for this one.
func (p Process) reaped() bool {
	return errors.Is(unix.PidfdSendSignal(int(p.Pidfd.Fd()), 0, nil, 0), unix.ESRCH)
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
	case s.name != stubName:
		return nil
	case s.hasMemory && !cut: // a stub that ends has no memory any more: a program has taken its name
		return nil
	}
	return endedBy(s.status)
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
	for i := 0; ; i++ {
		s, err := p.stat()
		switch {
		case errors.Is(err, os.ErrProcessDone):
			return ErrGone
		case err != nil:
			return err
		case !s.hasMemory:
			return endedBy(s.status)
		case s.state == 'S':
			return nil
		case cut():
			return ErrGone
		}
		if i < busy {
			runtime.Gosched()
		} else {
			time.Sleep(100 * time.Microsecond)
		}
	}
}
