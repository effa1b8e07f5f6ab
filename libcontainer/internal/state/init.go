package state

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// OpenProcess gives a pidfd of the container's first process; ErrNotRunning if
// it is gone. The start time is compared behind pidfd_open, so the pid cannot
// be of someone else.
func (s *State) OpenProcess() (*os.File, error) {
	if s.Pid == 0 {
		return nil, ErrNotRunning
	}
	fd, err := unix.PidfdOpen(s.Pid, 0)
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) {
		return nil, ErrNotRunning
	}
	if err != nil {
		return nil, fmt.Errorf("pidfd_open %d: %w", s.Pid, err)
	}
	ticks, alive, err := StartTimeOf(s.Pid)
	if err == nil && (!alive || ticks != s.StartTime) {
		err = ErrNotRunning
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "pidfd"), nil
}

// WaitExit waits for the end of the process behind a pidfd, no longer than
// the given milliseconds (-1: for ever), and reports whether it came.
func WaitExit(pidfd *os.File, milliseconds int) (bool, error) {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd.Fd()), Events: unix.POLLIN}}, milliseconds)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return n > 0, err
	}
}
