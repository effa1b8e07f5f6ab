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
	return &socket{fd: pair[0]}, os.NewFile(uintptr(pair[1]), "control"), nil
}

func (s *socket) send(b []byte) error {
	return retry(func() error { return unix.Sendto(s.fd, b, unix.MSG_NOSIGNAL, nil) })
}

// receive waits for the byte that ends a batch; io.EOF when the other side is
// closed. It blocks in the kernel, not in Go's poller: the answer takes
// microseconds.
func (s *socket) receive() error {
	var b [1]byte
	n := 0
	err := retry(func() (err error) {
		n, err = unix.Read(s.fd, b[:])
		return err
	})
	return received(n, err)
}

// received converts the result of a read from the socket.
func received(n int, err error) error {
	switch {
	case errors.Is(err, unix.ECONNRESET):
		return io.EOF
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
	err := s.perform(p.meanwhile)
	switch {
	case errors.Is(err, io.EOF) && s.severed.Load():
		return errCut
	case err != nil && !errors.Is(err, io.EOF):
		s.broken = err
	}
	return err
}

func (s *socket) perform(meanwhile func()) error {
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
	if meanwhile != nil {
		meanwhile()
	}
	if s.taking {
		if err := s.receiveFile(); err != nil || s.taken == nil {
			return err
		}
	}
	return s.receive()
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
func (s *socket) receiveFile() error {
	s.taking = false
	var b [1]byte
	rights := make([]byte, unix.CmsgLen(4)) // CmsgSpace would fit a second one
	n, length := 0, 0
	err := retry(func() (err error) {
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
