//go:build amd64 || arm64

package sys

import (
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// catching has CatchSignals called once in the process of the tests.
var catching = sync.OnceValues(func() (*os.File, error) {
	return CatchSignals([]unix.Signal{unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH})
})

// TestCatchSignals sends signals while the threads of the process run Go code, allocate
// memory and grow stacks: the handler must not disturb them, and none may be lost.
func TestCatchSignals(t *testing.T) {
	pipe, err := catching()
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var busy sync.WaitGroup
	for range 4 {
		busy.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if deep(100) != 100 {
						t.Error("a computation was disturbed")
						return
					}
				}
			}
		})
	}
	var b [1]byte
	for i := range 20_000 {
		want := []unix.Signal{unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH}[i%3]
		if err := unix.Kill(os.Getpid(), want); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(pipe, b[:]); err != nil || unix.Signal(b[0]) != want {
			t.Fatalf("signal %d: %s, %v, want %s", i, unix.Signal(b[0]), err, want)
		}
	}
	close(stop)
	busy.Wait()
}

// deep grows the stack and the heap.
func deep(n int) int {
	if n == 0 {
		return 0
	}
	frame := make([]byte, n)
	runtime.KeepAlive(frame)
	return deep(n-1) + 1
}

// A child must not run the handler: its memory is the parent's until it executes.
func TestCaughtSignalsInChild(t *testing.T) {
	if _, err := catching(); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sh", "-c", "kill -USR1 $$; echo alive").CombinedOutput()
	if err == nil || len(out) > 0 {
		t.Errorf("SIGUSR1 did not end the child: %q, %v", out, err)
	}
}
