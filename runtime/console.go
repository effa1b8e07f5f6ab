package ociruntime

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// Console is the master side of a program's terminal. It supports deadlines. A read
// returns EIO when no process has the other side open. Lines end in "\n", not "\r\n",
// like those of runc's terminals in the foreground.
type Console struct {
	*os.File
}

// masterName names the master of a terminal in errors, also in those of engines, which
// take it from the message on the console socket.
const masterName = "/dev/pts/ptmx"

// newConsole makes a Console from a descriptor, and closes the descriptor. The Console
// is non-blocking, so that Close interrupts readers: processes that outlive the program
// may keep its terminal open.
func newConsole(master *os.File) (*Console, error) {
	defer master.Close()
	fd, err := unix.FcntlInt(master.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("dup terminal: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("fcntl terminal: %w", err)
	}
	if err := keepLineFeeds(fd); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("set terminal modes: %w", err)
	}
	return &Console{os.NewFile(uintptr(fd), masterName)}, nil
}

// keepLineFeeds clears ONLCR before the program runs: captured output must have no
// carriage returns, and a terminal that shows it adds them.
func keepLineFeeds(fd int) error {
	modes, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	modes.Oflag &^= unix.ONLCR
	return unix.IoctlSetTermios(fd, unix.TCSETS, modes)
}

// Resize sets the size of the terminal; the program gets SIGWINCH.
func (c *Console) Resize(rows, columns uint16) error {
	size := &unix.Winsize{Row: rows, Col: columns}
	err := c.control(func(fd int) error { return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, size) })
	if err != nil {
		return fmt.Errorf("resize terminal: %w", err)
	}
	return nil
}

// control calls do with the descriptor. (os.File.Fd would make it blocking.)
func (c *Console) control(do func(fd int) error) error { return sys.WithFD(c.File, do) }

// terminal receives the program's terminal when the container has made it.
type terminal struct {
	socket  *os.File
	console *Console
}

// newTerminal connects to the console socket, if one is set, before a process is
// started.
func newTerminal(e ends) (*terminal, error) {
	switch {
	case e.consoleSocket != "" && !e.terminal:
		return nil, errors.New("cannot use console socket: process.terminal is not set")
	case e.consoleSocket == "" && e.terminal && e.consoleRequired:
		return nil, errors.New("cannot allocate tty if runtime will detach without setting console socket (use --console-socket, or set process.terminal to false)")
	case e.consoleSocket == "":
		return &terminal{}, nil
	}
	f, err := dial("console socket", e.consoleSocket)
	return &terminal{socket: f}, err
}

// take sends the master side to the console socket or, without one, keeps it.
func (t *terminal) take(master *os.File) error {
	if t.socket == nil {
		var err error
		t.console, err = newConsole(master)
		return err
	}
	defer master.Close()
	if err := sendFile(t.socket, master, masterName); err != nil {
		return fmt.Errorf("send terminal to console socket: %w", err)
	}
	return nil
}

// hangUp closes the terminal of a program that could not be executed.
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
