package sys

import (
	"context"
	"testing"

	"golang.org/x/sys/unix"
)

// readable reports whether poll(2) would not wait.
func readable(t *testing.T, fd unix.PollFd, milliseconds int) bool {
	t.Helper()
	fds := []unix.PollFd{fd}
	if _, err := unix.Poll(fds, milliseconds); err != nil {
		t.Fatal(err)
	}
	return fds[0].Revents != 0
}

func TestDoneFile(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	f, stop, err := DoneFile(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if readable(t, PollFd(f, unix.POLLIN), 0) {
		t.Error("readable before ctx ended")
	}
	cancel()
	if !readable(t, PollFd(f, unix.POLLIN), 10000) {
		t.Error("not readable after ctx ended")
	}
}

func TestDoneFileWithoutEnd(t *testing.T) {
	f, stop, err := DoneFile(context.Background())
	if err != nil || f != nil {
		t.Errorf("got %v, %v", f, err)
	}
	stop()
	if readable(t, PollFd(f, unix.POLLIN), 0) {
		t.Error("an event for a nil file")
	}
}
