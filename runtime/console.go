package ociruntime

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
)

// Console is the master side of a program's terminal.
type Console struct {
	*os.File
}

// Resize sets the size of the terminal; the program gets SIGWINCH.
func (c *Console) Resize(rows, columns uint16) error {
	size := &unix.Winsize{Row: rows, Col: columns}
	if err := unix.IoctlSetWinsize(int(c.Fd()), unix.TIOCSWINSZ, size); err != nil {
		return fmt.Errorf("resize terminal: %w", err)
	}
	return nil
}

// terminal takes the program's terminal when it is made.
type terminal struct {
	socket  *os.File
	console *Console
}

// newTerminal connects to the console socket, if there is one, before there is
// a container.
// The socket's path is relative to the bundle.
func newTerminal(cfg *config.Config, o CreateOptions) (*terminal, error) {
	socket, wanted := o.ConsoleSocket, cfg.Process.Terminal
	if socket != "" && !filepath.IsAbs(socket) {
		socket = filepath.Join(cfg.Bundle, socket)
	}
	switch {
	case socket != "" && !wanted:
		return nil, errors.New("cannot use console socket: process.terminal is not set in config.json")
	case socket == "" && wanted && o.ConsoleRequired:
		return nil, errors.New("cannot allocate tty if runtime will detach without setting console socket (use --console-socket, or set process.terminal to false)")
	case socket == "":
		return &terminal{}, nil
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("connect to console socket: %w", err)
	}
	f := os.NewFile(uintptr(fd), socket)
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: socket}); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to console socket %q: %w", socket, err), f.Close())
	}
	return &terminal{socket: f}, nil
}

// take sends the master side to the socket, or keeps it. The message holds
// one descriptor, and a name that nobody interprets but that may not be empty.
func (t *terminal) take(master *os.File) error {
	if t.socket == nil {
		t.console = &Console{master}
		return nil
	}
	defer master.Close()
	rights := unix.UnixRights(int(master.Fd()))
	if err := unix.Sendmsg(int(t.socket.Fd()), []byte(master.Name()), rights, nil, unix.MSG_NOSIGNAL); err != nil {
		return fmt.Errorf("send terminal to console socket: %w", err)
	}
	return nil
}

func (t *terminal) close() {
	if t.socket != nil {
		t.socket.Close()
	}
}
