package sys

import (
	"context"
	"os"

	"golang.org/x/sys/unix"
)

// PollFd asks for events on a file; one that is nil has none.
func PollFd(f *os.File, events int16) unix.PollFd {
	if f == nil {
		return unix.PollFd{Fd: -1}
	}
	return unix.PollFd{Fd: int32(f.Fd()), Events: events}
}

// DoneFile gives a file that becomes readable when ctx ends, for poll(2); nil
// if it never does. The function lets go of it.
func DoneFile(ctx context.Context) (*os.File, func(), error) {
	if ctx.Done() == nil {
		return nil, func() {}, nil
	}
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil { // not os.Pipe, whose files are Go's poller's
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
