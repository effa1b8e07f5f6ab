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

// Detach lets the stub wait for another driver on its listener, and ends this
// connection. Its resident memory is a few pages from here on.
func (c *Child) Detach() error {
	if c.listener == nil {
		return errors.New("detach stub: it was started without a listener")
	}
	c.queue("madvise", unix.SYS_MADVISE, hex(regionAddr), num(len(c.mem)), num(unix.MADV_DONTNEED))
	if err := c.Do(); err != nil {
		return err
	}
	c.queue("close", unix.SYS_CLOSE, val(c.control)).flag(flagAnswer)
	c.queue("accept4", unix.SYS_ACCEPT4, val(c.listener), num(0), num(0), num(unix.SOCK_CLOEXEC)).flag(flagAdopt)
	return c.Do()
}

// Attach becomes the driver of a detached stub: sock is a socket connected to
// its listener, region the file that it was started with. The Proc owns
// neither file. The stub must answer within the timeout.
func Attach(sock, regionFile *os.File, timeout time.Duration, log *slog.Logger) (*Proc, error) {
	fd, err := unix.FcntlInt(sock.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	s := &socket{fd: fd}
	if s.mem, err = mapRegion(regionFile); err == nil {
		err = greet(s, timeout)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("attach to container process: %w", err), s.close())
	}
	return newProc(s, s.mem, log), nil
}

// greet waits for the byte by which the stub says that it has accepted.
func greet(s *socket, timeout time.Duration) error {
	fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
	n := 0
	err := retry(func() (err error) {
		n, err = unix.Poll(fds, int(timeout.Milliseconds()))
		return err
	})
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("no answer for %s: %w", timeout, unix.ETIMEDOUT)
	}
	err = s.receive()
	if errors.Is(err, io.EOF) {
		return ErrGone
	}
	return err
}
