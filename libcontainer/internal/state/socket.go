package state

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Address returns the address of a unix socket in a directory. It uses the directory's
// descriptor, as the path of a socket is limited to 107 bytes (unix(7)).
func Address(dir *os.File, name string) *unix.SockaddrUnix {
	return &unix.SockaddrUnix{Name: fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), name)}
}

// Listen makes a listening stream socket that only its owner can connect to.
func Listen(dir *os.File, name string) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	f := os.NewFile(uintptr(fd), name)
	// bind makes the file with the mode of the socket's descriptor, so no other user
	// can connect in between.
	err = unix.Fchmod(fd, 0o600)
	if err == nil {
		err = unix.Bind(fd, Address(dir, name))
	}
	if err == nil {
		err = unix.Listen(fd, 1)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen on %q: %w", name, err), f.Close())
	}
	return f, nil
}

// ErrNoListener means that the stub which listened on a socket has ended. The errno alone
// does not say it: the seccomp agent of a container can refuse a connection, too.
var ErrNoListener = errors.New("nobody listens")

// Dial connects to a socket that Listen made. It fails with EAGAIN if another
// connection waits for accept, and with ErrNoListener if the listener was closed.
func Dial(dir *os.File, name string) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	err = unix.Connect(fd, Address(dir, name))
	if err == nil {
		err = unix.SetNonblock(fd, false) // the driver of a stub waits in the kernel
	}
	if errors.Is(err, unix.ECONNREFUSED) {
		err = fmt.Errorf("%w: %w", ErrNoListener, err)
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("connect to %q: %w", name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}
