package ociruntime

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// dial connects to a unix stream socket and never blocks: not on a server that does not
// accept (EAGAIN) and later not on one that does not read. Name names the socket in
// errors.
func dial(name, path string) (*os.File, error) {
	if err := sys.CheckSocketPath(path); err != nil {
		return nil, fmt.Errorf("connect to %s %q: %w", name, path, err)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", name, err)
	}
	f := os.NewFile(uintptr(fd), path)
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to %s %q: %w", name, path, remedyConnect(err)), f.Close())
	}
	return f, nil
}

// remedyConnect adds the likely cause to an error of connect(2).
func remedyConnect(err error) error {
	if errors.Is(err, unix.EAGAIN) {
		return fmt.Errorf("%w (its backlog is full: does the server accept connections?)", err)
	}
	return err
}

// sendFile sends a descriptor in one message. Receivers ignore the name, but it must
// not be empty.
func sendFile(socket, f *os.File, name string) error {
	rights := unix.UnixRights(int(f.Fd()))
	return sys.WithFD(socket, func(fd int) error { // os.File.Fd would make it blocking
		return unix.Sendmsg(fd, []byte(name), rights, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
	})
}

// pidfdReceiver is the socket that receives the pidfd of a process.
type pidfdReceiver struct{ socket *os.File }

// newPidfdReceiver connects to the socket, if one is set, before a process is started.
func newPidfdReceiver(path string) (pidfdReceiver, error) {
	if path == "" {
		return pidfdReceiver{}, nil
	}
	f, err := dial("pidfd socket", path)
	return pidfdReceiver{f}, err
}

func (r pidfdReceiver) close() {
	if r.socket != nil {
		r.socket.Close()
	}
}

// send sends a pidfd of a child that has not been reaped. The name is that of runc for
// this kind of process.
func (r pidfdReceiver) send(pid int, name string) error {
	if r.socket == nil {
		return nil
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err == nil {
		f := os.NewFile(uintptr(fd), "pidfd")
		err = sendFile(r.socket, f, name)
		f.Close()
	}
	if err != nil {
		return fmt.Errorf("send pidfd to socket: %w", err)
	}
	return nil
}
