package sys

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestAwaitReadable(t *testing.T) {
	pidfd := sleeping(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := AwaitReadable(ctx, pidfd); !errors.Is(err, context.Canceled) {
		t.Fatalf("ended context: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- AwaitReadable(ctx, pidfd) }()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("canceled: %v", err)
	}
	go func() { ended <- AwaitReadable(t.Context(), pidfd) }()
	if err := unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second one waits for a process that has ended before
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		go func() { ended <- AwaitReadable(t.Context(), pidfd) }()
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

// sleeping returns a pidfd of a process that lives until the end of the test.
func sleeping(t *testing.T) int {
	t.Helper()
	_, pidfd := start(t, "exec sleep 1000")
	t.Cleanup(func() {
		if err := unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0); err != nil {
			t.Error(err)
		}
		if _, err := Reap(pidfd); err != nil {
			t.Error(err)
		}
	})
	return pidfd
}

// A goroutine that waits must not keep a thread: an importer may have thousands.
func TestAwaitReadableKeepsNoThread(t *testing.T) {
	pidfd := sleeping(t)
	ctx, cancel := context.WithCancel(t.Context())
	const waiting = 200
	ended := make(chan error)
	for range waiting {
		go func() { ended <- AwaitReadable(ctx, pidfd) }()
	}
	// A goroutine in poll(2) has the state "syscall", and a thread.
	stacks := make([]byte, 4<<20)
	deadline := time.Now().Add(10 * time.Second)
	for parked := 0; parked < waiting; {
		parked = strings.Count(string(stacks[:runtime.Stack(stacks, true)]), " [IO wait")
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d goroutines are in Go's poller", parked, waiting)
		}
	}
	cancel()
	for range waiting {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
}
