package ociruntime

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// Foreground connects a program's terminal to that of this process: what is
// typed goes to the program, byte by byte, and what it prints is shown.
type Foreground struct {
	console *Console
	host    *os.File
	saved   *unix.Termios
	copied  chan error
}

// HostTerminal gives the terminal of this process: the first of the files
// that is one, else /dev/tty.
func HostTerminal(files ...*os.File) (*os.File, error) {
	for _, f := range files {
		if term.IsTerminal(int(f.Fd())) {
			return f, nil
		}
	}
	f, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("process.terminal is set, but there is no terminal here (set it to false, or use --console-socket): %w", err)
	}
	return f, nil
}

// Foreground puts host, a terminal, into raw mode and begins to copy between
// in, out and the console. Close ends it.
func (c *Console) Foreground(host *os.File, in io.Reader, out io.Writer) (*Foreground, error) {
	f := &Foreground{console: c, host: host, copied: make(chan error, 1)}
	if err := f.Resize(); err != nil {
		return nil, err
	}
	saved, err := setRaw(int(host.Fd()))
	if err != nil {
		return nil, fmt.Errorf("set terminal to raw mode: %w", err)
	}
	f.saved = saved
	go io.Copy(c, in) //nolint:errcheck // ends with the console
	go func() {
		_, err := io.Copy(out, c)
		f.copied <- err
	}()
	return f, nil
}

// setRaw has the host's terminal pass on what is typed as it is, and returns the
// modes that it had. Output is processed further (OPOST, ONLCR): the console
// ends its lines in "\n" alone.
func setRaw(fd int) (saved *unix.Termios, err error) {
	modes, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, err
	}
	raw := *modes // as cfmakeraw(3), but for c_oflag
	raw.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	raw.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	raw.Cflag = raw.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	return modes, unix.IoctlSetTermios(fd, unix.TCSETS, &raw)
}

// Resize gives the program's terminal the size of the host's.
func (f *Foreground) Resize() error {
	columns, rows, err := term.GetSize(int(f.host.Fd()))
	if err != nil {
		return fmt.Errorf("get terminal size: %w", err)
	}
	return f.console.Resize(uint16(rows), uint16(columns))
}

// Close shows what the program has printed, when it has ended, and gives the
// host's terminal its modes back. The console is the container's, and closed
// when that is deleted.
func (f *Foreground) Close() error {
	err := f.drain()
	<-f.copied //nolint:errcheck // EIO, or the deadline
	return errors.Join(err, unix.IoctlSetTermios(int(f.host.Fd()), unix.TCSETS, f.saved))
}

// quiet is how long nothing is to come from the program's terminal until it is
// believed that nothing will, though somebody still has it open.
const quiet = 100 // milliseconds

// drain ends the copying, once there is nothing left to copy. The end of the
// container has ended it, too.
func (f *Foreground) drain() error {
	err := f.awaitQuiet()
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// awaitQuiet stops the reading of the console when it has nothing to read.
func (f *Foreground) awaitQuiet() error {
	for len(f.copied) == 0 {
		var ready []unix.PollFd
		err := f.console.control(func(fd int) error {
			ready = []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			n, err := unix.Poll(ready, quiet)
			if n == 0 && err == nil {
				err = os.ErrDeadlineExceeded
			}
			return err
		})
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, os.ErrDeadlineExceeded):
			return f.console.SetReadDeadline(time.Now())
		case err != nil || ready[0].Revents&unix.POLLIN == 0:
			return err // hung up: the reading ends by itself
		default:
			time.Sleep(time.Millisecond) // while it is being copied
		}
	}
	return nil
}
