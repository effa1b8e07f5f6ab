package state

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// OpenProcess returns a pidfd of the container's init; ErrNotRunning if it has ended.
// It compares the start time after pidfd_open, so the pidfd cannot refer to another
// process with the same ID.
func (s *State) OpenProcess() (*os.File, error) {
	pidfd, alive, err := s.OpenInit()
	if err == nil && !alive {
		pidfd.Close()
		return nil, ErrNotRunning
	}
	return pidfd, err
}

// OpenInit is like OpenProcess, but also returns the pidfd of an init that has ended and
// was not reaped.
func (s *State) OpenInit() (pidfd *os.File, alive bool, err error) {
	if s.Pid == 0 {
		return nil, false, ErrNotRunning
	}
	fd, err := unix.PidfdOpen(s.Pid, 0)
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) {
		return nil, false, ErrNotRunning
	}
	if err != nil {
		return nil, false, fmt.Errorf("pidfd_open %d: %w", s.Pid, err)
	}
	p, err := ReadProcess(s.Pid)
	if err == nil && (p.State == 'X' || p.StartTime != s.StartTime) {
		err = ErrNotRunning
	}
	if err != nil {
		unix.Close(fd)
		return nil, false, err
	}
	return os.NewFile(uintptr(fd), "pidfd"), p.State != 'Z', nil
}

// WaitExit waits until the process of a pidfd has ended, at most the given milliseconds
// (-1: without limit), and reports whether it has ended.
func WaitExit(pidfd *os.File, milliseconds int) (bool, error) {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd.Fd()), Events: unix.POLLIN}}, milliseconds)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return n > 0, os.NewSyscallError("poll", err)
	}
}
