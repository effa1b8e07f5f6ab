package stub

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// terminating are the signals with which users and service managers end a
// process.
var terminating = [...]unix.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM}

// Detach lets the stub wait for another driver on its listener, and ends this
// connection. It returns when the stub sleeps in accept4(2). From then on, its
// resident memory is a few pages, and it ends by the signals that would end a
// program without handlers.
func (c *Child) Detach() error {
	if c.listener == nil {
		return errors.New("detach stub: it was started without a listener")
	}
	handler, err := handlerAddr()
	if err != nil {
		return err
	}
	for _, sig := range terminating {
		c.sigExit(int(sig), handler)
	}
	// On a kernel without CONFIG_ADVISE_SYSCALLS the pages stay.
	c.queue("madvise", unix.SYS_MADVISE, hex(regionAddr), num(len(c.mem)), num(unix.MADV_DONTNEED)).MayFail(unix.ENOSYS)
	if err := c.Do(); err != nil {
		return err
	}
	c.Atomic()
	c.queue("close", unix.SYS_CLOSE, val(c.control)).flag(flagAnswer)
	accept := c.queue("accept4", unix.SYS_ACCEPT4, val(c.listener), num(0), num(0), num(unix.SOCK_CLOEXEC)).flag(flagAdopt)
	if err := c.Do(); err != nil {
		return err
	}
	err = c.process().sleeps(c.sock.severed.Load)
	if err == nil {
		return nil
	}
	failed := &Error{Step: c.step, Call: "accept4", Index: accept.index, Err: err}
	if e := errnoOf(c.mem.atomicRet(accept.index).Load()); e != unix.ECANCELED {
		failed.Errno = e
	}
	return failed
}

// Attach becomes the driver of a detached stub: sock is a socket connected to
// its listener, region the file that it was started with, process its process.
// The Proc owns none of the files. The stub must answer within the timeout.
func Attach(sock, regionFile *os.File, process Process, timeout time.Duration, log *slog.Logger) (*Proc, error) {
	fd, err := unix.FcntlInt(sock.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	s := &socket{fd: fd}
	if s.mem, err = mapRegion(regionFile); err == nil {
		err = os.NewSyscallError("setsockopt", setAnswerTime(fd))
	}
	p := newProc(s, s.mem, log)
	p.process = func() Process { return process }
	if err == nil {
		err = greet(s, p, timeout)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("attach to container process: %w", err), p.Close())
	}
	return p, nil
}

// greet waits for the byte that the stub sends after accept4(2).
func greet(s *socket, p *Proc, timeout time.Duration) error {
	fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
	n := 0
	err := retry(func() (err error) {
		n, err = unix.Poll(fds, int(timeout.Milliseconds()))
		return err
	})
	if err != nil {
		return os.NewSyscallError("poll", err)
	}
	if n == 0 {
		return fmt.Errorf("no answer for %s: %w", timeout, unix.ETIMEDOUT)
	}
	err = s.receive(p)
	if errors.Is(err, io.EOF) {
		return ErrGone
	}
	return err
}
