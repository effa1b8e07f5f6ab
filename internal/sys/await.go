package sys

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// AwaitReadable waits until poll(2) would report a descriptor as readable, or until ctx
// ends; then it returns ctx's error. It parks the goroutine and keeps no thread, unlike
// poll(2). The descriptor must stay open.
func AwaitReadable(ctx context.Context, fd int) error { return await(ctx, fd, unix.EPOLLIN) }

// AwaitHangup waits like AwaitReadable, for a hangup: that of a pidfd is the moment at
// which its process is reaped (Linux 6.9).
func AwaitHangup(ctx context.Context, fd int) error { return await(ctx, fd, 0) }

// await waits for one of the events of epoll_ctl(2); an error and a hangup are always
// among them.
func await(ctx context.Context, fd int, events uint32) error {
	_, err := AwaitAny(ctx, time.Time{}, unix.PollFd{Fd: int32(fd), Events: int16(events)})
	return err
}

// AwaitAny waits like AwaitReadable until one of several descriptors is ready for its
// events, and reports whether one is, or until a deadline; zero means none.
func AwaitAny(ctx context.Context, deadline time.Time, fds ...unix.PollFd) (bool, error) {
	set, err := epollOf(fds)
	if err != nil {
		return false, err
	}
	defer set.Close()
	if err := set.SetReadDeadline(deadline); err != nil {
		return false, err
	}
	stop := context.AfterFunc(ctx, func() { set.SetReadDeadline(time.Now()) }) //nolint:errcheck // it can be closed meanwhile
	defer stop()
	conn, err := set.SyscallConn()
	if err != nil {
		return false, err
	}
	var failed error
	err = conn.Read(func(epoll uintptr) bool {
		var events [1]unix.EpollEvent
		n, err := uninterrupted(func() (int, error) { return unix.EpollWait(int(epoll), events[:], 0) })
		failed = err
		return n > 0 || err != nil
	})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return false, ctx.Err()
	}
	return err == nil && failed == nil, errors.Join(err, os.NewSyscallError("epoll_wait", failed))
}

// epollOf returns an epoll(7) file with descriptors; the events of poll(2) have the same
// values. Go's poller has files of package os only, and a pidfd in its own non-blocking
// mode would change waitid(2).
func epollOf(fds []unix.PollFd) (*os.File, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	for _, fd := range fds {
		if err == nil {
			err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, int(fd.Fd), &unix.EpollEvent{Events: uint32(fd.Events)})
		}
	}
	if err == nil {
		err = unix.SetNonblock(epoll, true) // os.NewFile adds only such files to the poller
	}
	if err != nil {
		unix.Close(epoll)
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	return os.NewFile(uintptr(epoll), "epoll"), nil
}
