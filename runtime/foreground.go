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

// Foreground connects a program's terminal to that of this process: input goes to the
// program byte by byte, output goes to the terminal.
type Foreground struct {
	console *Console
	host    *os.File
	saved   *unix.Termios
	copied  chan error
}

// HostTerminal returns the terminal of this process: the first of the files that is a
// terminal, else /dev/tty.
func HostTerminal(files ...*os.File) (*os.File, error) {
	for _, f := range files {
		if term.IsTerminal(int(f.Fd())) {
			return f, nil
		}
	}
	f, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("process.terminal is set, but there is no terminal here (set it to false, leave --tty of exec out, or use --console-socket): %w", err)
	}
	return f, nil
}

// Foreground sets host, a terminal, to raw mode and starts to copy between in, out and
// the console. Close ends both.
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
	go io.Copy(c, in) //nolint:errcheck // ends when the console is closed
	go func() {
		_, err := io.Copy(out, c)
		f.copied <- err
	}()
	return f, nil
}

// setRaw makes the host's terminal deliver input unprocessed, and returns its old
// modes. Output processing (OPOST, ONLCR) stays on, as lines of the console end in
// "\n".
func setRaw(fd int) (saved *unix.Termios, err error) {
	modes, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, err
	}
	raw := *modes // like cfmakeraw(3), except c_oflag
	raw.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	raw.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	raw.Cflag = raw.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	return modes, unix.IoctlSetTermios(fd, unix.TCSETS, &raw)
}

// Resize sets the size of the program's terminal to that of the host's.
func (f *Foreground) Resize() error {
	columns, rows, err := term.GetSize(int(f.host.Fd()))
	if err != nil {
		return fmt.Errorf("get terminal size: %w", err)
	}
	return f.console.Resize(uint16(rows), uint16(columns))
}

// Close copies the rest of the output, if the program has ended, and restores the modes
// of the host's terminal. It leaves the console open for its owner.
func (f *Foreground) Close() error {
	err := f.drain()
	<-f.copied //nolint:errcheck // EIO, or the deadline
	return errors.Join(err, unix.IoctlSetTermios(int(f.host.Fd()), unix.TCSETS, f.saved))
}

// quiet is the time without output after which drain assumes that no more follows,
// although a process still has the terminal open.
const quiet = 100 // milliseconds

// drain waits until all output has been copied, and stops the copying. It has already
// stopped if no process has the terminal open.
func (f *Foreground) drain() error {
	err := f.awaitQuiet()
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// awaitQuiet stops the copying when the console has had nothing to read for the time
// quiet.
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
			return err // hung up: the copying ends by itself
		default:
			time.Sleep(time.Millisecond) // the other goroutine copies
		}
	}
	return nil
}
