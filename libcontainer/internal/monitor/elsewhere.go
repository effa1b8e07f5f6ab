package monitor

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// errHidden means that the kernel shows the exit status of a zombie to others only.
var errHidden = errors.New("the exit status is not visible before the process is reaped")

// statusElsewhere returns the exit status of a process that has ended and is not a child
// of this one. Until its parent has reaped it, /proc has the status; then the kernel
// keeps it with the pidfd (Linux 6.15).
func statusElsewhere(pid, pidfd int) (Status, error) {
	p, err := state.ReadProcess(pid)
	// Checked after the read: until then the pid was that of this process.
	reaped := errors.Is(unix.PidfdSendSignal(pidfd, 0, nil, 0), unix.ESRCH)
	switch {
	case reaped:
		return keptStatus(pidfd)
	case err != nil:
		return Status{}, err
	case p.Status == 0 && !seesAll():
		return Status{}, errHidden
	}
	return statusOf(p.Status), nil
}

// seesAll reports whether 0 as the exit status in /proc means 0: the kernel also shows 0
// to a process that may not trace that one.
func seesAll() bool { return os.Geteuid() == 0 && !probe.InUserNamespace() }

// keptStatus returns the status of a process that was reaped.
func keptStatus(pidfd int) (Status, error) {
	info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
	err := unix.IoctlPidfdInfo(pidfd, &info)
	if err != nil || info.Mask&unix.PIDFD_INFO_EXIT == 0 { // ENOTTY or EINVAL
		return Status{}, fmt.Errorf("%w, and another one has reaped it: its exit status is lost (%w: needs Linux >= 6.15)", ErrNotChild, errors.ErrUnsupported)
	}
	return statusOf(unix.WaitStatus(info.Exit_code)), nil
}

func statusOf(s unix.WaitStatus) Status {
	if s.Signaled() {
		return Status{Signal: s.Signal()}
	}
	return Status{Code: s.ExitStatus()}
}
