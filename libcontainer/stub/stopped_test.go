package stub

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// stopping starts a stub that reads from an empty pipe, and returns the pipe's other end
// and the result of the read.
func stopping(t *testing.T) (c *Child, w *os.File, done chan error) {
	t.Helper()
	before := answerTime
	answerTime = 10 * time.Millisecond
	t.Cleanup(func() { answerTime = before })
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	c = startChild(t, Options{Files: []*os.File{r}})
	done = make(chan error, 1)
	c.Read(Num(0), make([]byte, 1))
	go func() { done <- c.Do() }()
	return c, w, done
}

// waitState returns when the process has the state.
func waitState(t *testing.T, c *Child, state byte) {
	t.Helper()
	for {
		s, err := Process{c.Pid, c.Pidfd}.stat()
		if err != nil {
			t.Fatal(err)
		}
		if s.State == state {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestStoppedStubIsContinued(t *testing.T) {
	c, w, done := stopping(t)
	waitState(t, c, 'S')
	if err := unix.Kill(c.Pid, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A container that sees the stub can stop it all the time.
func TestStubThatIsStoppedAgainAndAgain(t *testing.T) {
	c, _, done := stopping(t)
	for {
		unix.Kill(c.Pid, unix.SIGSTOP) //nolint:errcheck // the result of Do shows its end
		select {
		case err := <-done:
			if !errors.Is(err, errStopped) {
				t.Errorf("error is %v, want %v", err, errStopped)
			}
			if again := c.Do(); again != nil {
				t.Errorf("an empty batch: %v", again)
			}
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// A stub that waits for its next driver can be stopped, too.
func TestStoppedStubSleeps(t *testing.T) {
	c := startChild(t, Options{})
	if err := unix.Kill(c.Pid, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	waitState(t, c, 'T')
	if err := (Process{c.Pid, c.Pidfd}).sleeps(func() bool { return false }); err != nil {
		t.Error(err)
	}
}
