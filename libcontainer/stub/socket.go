package stub

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// socket is the driver of a real stub: this end of the control socket, and the
// region.
type socket struct {
	mem region
	fd  int
	// broken is the first error of the socket. After it, an answer may belong to an
	// earlier batch.
	broken error
	// severed means that cut was called.
	severed atomic.Bool
	// mu protects fd: one goroutine may close it while another calls cut.
	mu sync.Mutex
	// passing is the descriptor to send after the byte that begins the next
	// batch.
	passing *os.File
	// stops counts how often the stub was found stopped.
	stops stops
	// forked returns the pid of the process that the stub has just made, if there is one:
	// until it answers, the stub is that process. nil if the batch makes none. The pid is
	// untrusted.
	forked func() (int, bool)
	// taking means that a descriptor may come before the byte that ends the
	// next batch; taking receives it.
	taking bool
	taken  *os.File
}

// socketPair makes a control socket: this end and the stub's.
func socketPair() (*socket, *os.File, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	s, theirs := &socket{fd: pair[0]}, os.NewFile(uintptr(pair[1]), "control")
	if err := setAnswerTime(s.fd); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("setsockopt: %w", err), s.close(), theirs.Close())
	}
	return s, theirs, nil
}

func (s *socket) send(b []byte) error {
	return retry(func() error { return unix.Sendto(s.fd, b, unix.MSG_NOSIGNAL, nil) })
}

// receive waits for the byte that ends a batch; io.EOF when the other side is
// closed. It blocks in the kernel, not in Go's poller: the answer takes
// microseconds.
func (s *socket) receive(p *Proc) error {
	var b [1]byte
	n := 0
	err := s.await(p, func() (err error) {
		n, err = unix.Read(s.fd, b[:])
		return err
	})
	return received(n, err)
}

// await repeats a read until it returns something, and looks after a stub that does not
// answer.
func (s *socket) await(p *Proc, read func() error) error {
	for {
		err := retry(read)
		if !errors.Is(err, unix.EAGAIN) {
			return err
		}
		if err := s.unanswered(p); err != nil {
			return err
		}
	}
}

// received converts the result of a read from the socket.
func received(n int, err error) error {
	switch {
	case errors.Is(err, unix.ECONNRESET):
		return io.EOF
	case errors.Is(err, errStopped):
		return err
	case err != nil:
		return fmt.Errorf("read control socket: %w", err)
	case n == 0:
		return io.EOF
	}
	return nil
}

func (s *socket) exchange(p *Proc) error {
	if s.broken != nil {
		return s.broken
	}
	err := s.perform(p)
	switch {
	case errors.Is(err, io.EOF) && s.severed.Load():
		return errCut
	case err != nil && !errors.Is(err, io.EOF):
		s.broken = err
	}
	return err
}

func (s *socket) perform(p *Proc) error {
	err := s.send([]byte{1})
	if errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) {
		return io.EOF
	}
	if err == nil {
		err = s.sendFile()
	}
	if err != nil {
		return fmt.Errorf("write control socket: %w", err)
	}
	if p.meanwhile != nil {
		p.meanwhile()
	}
	if s.taking {
		if err := s.receiveFile(p); err != nil || s.taken == nil {
			return err
		}
	}
	return s.receive(p)
}

// sendFile sends the descriptor in passing, if there is one.
func (s *socket) sendFile() error {
	f := s.passing
	s.passing = nil
	if f == nil {
		return nil
	}
	defer runtime.KeepAlive(f)
	rights := unix.UnixRights(int(f.Fd()))
	return retry(func() error { return unix.Sendmsg(s.fd, []byte{0}, rights, nil, unix.MSG_NOSIGNAL) })
}

// receiveFile waits for a byte that may come with a descriptor. The kernel
// drops all other control data.
func (s *socket) receiveFile(p *Proc) error {
	s.taking = false
	var b [1]byte
	rights := make([]byte, unix.CmsgLen(4)) // CmsgSpace would fit a second one
	n, length := 0, 0
	err := s.await(p, func() (err error) {
		n, length, _, _, err = unix.Recvmsg(s.fd, b[:], rights, unix.MSG_CMSG_CLOEXEC)
		return err
	})
	if err := received(n, err); err != nil {
		return err
	}
	messages, err := unix.ParseSocketControlMessage(rights[:length])
	if err != nil || len(messages) == 0 {
		return err
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err == nil && len(fds) == 1 {
		s.taken = os.NewFile(uintptr(fds[0]), "stub descriptor")
	}
	return err
}

func (s *socket) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := os.NewSyscallError("close", unix.Close(s.fd))
	s.fd = -1
	if s.mem != nil {
		err = errors.Join(err, unix.Munmap(s.mem))
		s.mem = nil
	}
	return err
}

// cut ends the connection for both sides, even if this one is waiting. A closed
// connection has ended already.
func (s *socket) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.severed.Store(true)
	if s.fd >= 0 {
		unix.Shutdown(s.fd, unix.SHUT_RDWR) //nolint:errcheck // ENOTCONN: the stub has closed its side
	}
}

func retry(f func() error) error {
	for {
		if err := f(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
