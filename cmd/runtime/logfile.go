package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"golang.org/x/sys/unix"
)

// logFile is the descriptor of the file that --log names. It never blocks: a
// record for a pipe that is full is lost, rather than kept while the container's
// lock is held.
type logFile int

// openLog opens it. A pipe that nobody reads is an error, not waited for.
func openLog(path string) (io.Writer, error) {
	const flags = unix.O_CREAT | unix.O_WRONLY | unix.O_APPEND | unix.O_SYNC | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC
	for {
		fd, err := unix.Open(path, flags, 0o644)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ENXIO):
			return nil, fmt.Errorf("--log %q: %w (a pipe that nobody reads, or a socket)", path, err)
		case err != nil:
			return nil, &fs.PathError{Op: "open", Path: path, Err: err}
		default:
			return logFile(fd), nil
		}
	}
}

// Write is of io.Writer.
func (f logFile) Write(b []byte) (int, error) {
	for {
		n, err := unix.Write(int(f), b)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return len(b), nil
		default:
			return n, err
		}
	}
}
