package sys

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Exit is how a child process ended.
type Exit struct {
	// Pid is its process id.
	Pid int
	// Code is the exit code, meaningless if Signal is not 0.
	Code int
	// Signal is the signal that killed it.
	Signal unix.Signal
}

// childInfo is siginfo_t as waitid(2) fills it in for a child.
type childInfo struct {
	signo, errno, code int32
	_                  [0]uintptr // aligns the kernel's union
	pid                int32
	uid                uint32
	status             int32
	_                  [108 - unsafe.Sizeof(uintptr(0))]byte
}

// The build fails here if the size differs from the kernel's struct.
var _ [unsafe.Sizeof(unix.Siginfo{})]byte = [unsafe.Sizeof(childInfo{})]byte{}

// cldExited is CLD_EXITED (siginfo.h): status is an exit code.
const cldExited = 1

// Reap waits for the end of the child that pidfd refers to and reaps it.
func Reap(pidfd int) (Exit, error) {
	return waitid(unix.P_PIDFD, pidfd, unix.WEXITED)
}

// ReapEnded reaps the child that pidfd refers to if it has ended. A process that is no
// child of this one is no error.
func ReapEnded(pidfd int) error {
	_, err := waitid(unix.P_PIDFD, pidfd, unix.WEXITED|unix.WNOHANG)
	if errors.Is(err, unix.ECHILD) {
		return nil
	}
	return err
}

// Zombie returns any one child that has ended, without reaping it. Pid is 0 if
// no child has.
func Zombie() (Exit, error) {
	exit, err := waitid(unix.P_ALL, 0, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT)
	if errors.Is(err, unix.ECHILD) {
		return Exit{}, nil
	}
	return exit, err
}

func waitid(kind, id, options int) (Exit, error) {
	var info childInfo
	for {
		err := unix.Waitid(kind, id, (*unix.Siginfo)(unsafe.Pointer(&info)), options, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return Exit{}, os.NewSyscallError("waitid", err)
		}
		exit := Exit{Pid: int(info.pid)}
		if info.code == cldExited {
			exit.Code = int(info.status)
		} else {
			exit.Signal = unix.Signal(info.status)
		}
		return exit, nil
	}
}
