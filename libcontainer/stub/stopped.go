package stub

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// A process of the container that sees the stub can stop it (SIGSTOP), as root of the
// same user namespace or with CAP_KILL. The driver continues a stopped stub, and fails
// when it was stopped too often: otherwise the container could keep an operation from
// ending.

// answerTime is how long the driver waits for an answer before it checks whether the stub
// was stopped. Tests shorten it.
var answerTime = time.Second

// stopsAllowed is how often a stub may be found stopped.
const stopsAllowed = 5

// errStopped means that the driver does not continue the stub any more.
var errStopped = errors.New("its process was stopped (SIGSTOP) again and again: by another process of the container?")

// stops counts how often a stub was found stopped.
type stops int

// resume continues a process that was stopped, unless that happened too often.
func (s *stops) resume(p Process) error {
	if *s++; *s > stopsAllowed {
		return errStopped
	}
	err := unix.PidfdSendSignal(int(p.Pidfd.Fd()), unix.SIGCONT, nil, 0)
	if errors.Is(err, unix.ESRCH) { // the control socket shows that it has ended
		return nil
	}
	return err
}

// setAnswerTime limits each read from a socket to answerTime; the read then returns EAGAIN.
func setAnswerTime(fd int) error {
	tv := unix.NsecToTimeval(answerTime.Nanoseconds())
	return unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv)
}

// unanswered continues the stub if it does not answer because it was stopped. The stub of
// a Recorder, or one that has ended, is left alone.
func (s *socket) unanswered(p *Proc) error {
	if p.process == nil {
		return nil
	}
	process := p.process()
	stat, err := process.stat()
	if ended := err != nil || !stat.HasMemory; ended && s.forked != nil {
		pid, ok := s.forked()
		if !ok {
			return nil
		}
		pidfd, e := openChild(pid)
		if e != nil {
			return nil //nolint:nilerr // replace reports it
		}
		defer pidfd.Close()
		process = Process{pid, pidfd}
		stat, err = process.stat()
	}
	if err != nil || stat.State != 'T' {
		return nil //nolint:nilerr // the control socket shows that it has ended
	}
	return s.stops.resume(process)
}
