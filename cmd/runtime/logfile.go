package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"golang.org/x/sys/unix"
)

// logFile is the descriptor of the file of --log. Write never blocks, as the runtime
// may hold the container's lock: a record for a full pipe is lost.
type logFile int

// openLog opens the log file. It returns an error for a pipe without a reader.
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

// Write implements io.Writer.
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
