package ociruntime

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
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

// newTerminal connects to the console socket, if there is one, before anything
// is started. Wanted is process.terminal; required refuses a terminal that
// nobody would hold.
func newTerminal(wanted bool, socket string, required bool) (*terminal, error) {
	switch {
	case socket != "" && !wanted:
		return nil, errors.New("cannot use console socket: process.terminal is not set")
	case socket == "" && wanted && required:
		return nil, errors.New("cannot allocate tty if runtime will detach without setting console socket (use --console-socket, or set process.terminal to false)")
	case socket == "":
		return &terminal{}, nil
	}
	f, err := dial("console socket", socket)
	return &terminal{socket: f}, err
}

// take sends the master side to the socket, or keeps it.
func (t *terminal) take(master *os.File) error {
	if t.socket == nil {
		t.console = &Console{master}
		return nil
	}
	defer master.Close()
	if err := sendFile(t.socket, master, master.Name()); err != nil {
		return fmt.Errorf("send terminal to console socket: %w", err)
	}
	return nil
}

// hangUp closes a terminal whose program could not be executed.
func (t *terminal) hangUp() error {
	if t.console == nil {
		return nil
	}
	return t.console.Close()
}

func (t *terminal) close() {
	if t.socket != nil {
		t.socket.Close()
	}
}
