package sys

import (
	"context"
	"os"

	"golang.org/x/sys/unix"
)

// PollFd returns a poll(2) entry for events on a file. It ignores a nil file.
func PollFd(f *os.File, events int16) unix.PollFd {
	if f == nil {
		return unix.PollFd{Fd: -1}
	}
	return unix.PollFd{Fd: int32(f.Fd()), Events: events}
}

// DoneFile returns a file that becomes readable when ctx ends, for poll(2), or
// nil if ctx never ends. The function closes it.
func DoneFile(ctx context.Context) (*os.File, func(), error) {
	if ctx.Done() == nil {
		return nil, func() {}, nil
	}
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil { // os.Pipe would add the files to Go's poller
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	r, w := os.NewFile(uintptr(fds[0]), "done"), os.NewFile(uintptr(fds[1]), "done")
	stop := context.AfterFunc(ctx, func() { w.Close() })
	return r, func() {
		if stop() {
			w.Close()
		}
		r.Close()
	}, nil
}
