package ociruntime_test

import (
	"errors"
	"io"
	"os"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

// TestWaitWhileOthersDelete waits in several goroutines, as supervisors do,
// while another one ends the container.
func TestWaitWhileOthersDelete(t *testing.T) {
	rt, spec := setup(t, "sleep")
	for range 10 {
		c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
		if err != nil {
			t.Fatal(err)
		}
		var waiting sync.WaitGroup
		for range 3 {
			waiting.Go(func() {
				if status, err := c.Wait(t.Context()); err != nil || status.Signal != unix.SIGKILL {
					t.Errorf("status %v, error %v", status, err)
				}
			})
		}
		remove(t, c)
		waiting.Wait()
		if status, err := c.Wait(t.Context()); err != nil || status.Signal != unix.SIGKILL {
			t.Errorf("after Delete: status %v, error %v", status, err)
		}
	}
}

func TestWaitForProcessAgain(t *testing.T) {
	c := sleeping(t, nil)
	p := execute(t, c, ociruntime.ExecOptions{}, "exit", "9")
	for range 2 {
		if status, err := p.Wait(t.Context()); err != nil || status.Code != 9 {
			t.Errorf("status %v, error %v", status, err)
		}
	}
	letGo(t, p)
	if status, err := p.Wait(t.Context()); err != nil || status.Code != 9 {
		t.Errorf("after Close: status %v, error %v", status, err)
	}
	if err := p.Kill(t.Context(), unix.SIGTERM); !errors.Is(err, os.ErrClosed) {
		t.Errorf("kill after Close: %v", err)
	}
}

func TestPidfd(t *testing.T) {
	rt, spec := setup(t, "sleep")
	c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	defer remove(t, c)
	other, err := rt.Load(name(t))
	if err != nil {
		t.Fatal(err)
	}
	pidfd, err := other.Pidfd()
	if err != nil {
		t.Fatal(err)
	}
	defer pidfd.Close()
	if err := unix.PidfdSendSignal(int(pidfd.Fd()), unix.SIGKILL, nil, 0); err != nil {
		t.Fatal(err)
	}
	if status, err := c.Wait(t.Context()); err != nil || status.Signal != unix.SIGKILL {
		t.Errorf("status %v, error %v", status, err)
	}
	if _, err := other.Pidfd(); !errors.Is(err, libcontainer.ErrNotRunning) {
		t.Errorf("pidfd of what has ended: %v", err)
	}
}

// TestOutputThatCannotBePassedOn checks that Wait returns the status and the writer's
// error.
func TestOutputThatCannotBePassedOn(t *testing.T) {
	rt, spec := setup(t, "greet")
	cause := errors.New("cause")
	c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec, Stdout: failing{cause}})
	if err != nil {
		t.Fatal(err)
	}
	defer remove(t, c)
	status, err := c.Wait(t.Context())
	var output *ociruntime.OutputError
	if !errors.As(err, &output) || !errors.Is(err, cause) || status != (libcontainer.ExitStatus{}) {
		t.Errorf("status %v, error %v", status, err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestFailedCreateReadsNoInput checks that unread input remains for the next container.
func TestFailedCreateReadsNoInput(t *testing.T) {
	rt, spec := setup(t)
	spec.Process.Args = []string{"/missing"}
	input := make(reads, 1)
	if _, err := rt.Create(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec, Stdin: input}); err == nil {
		t.Error("it was created")
	}
	if len(input) > 0 {
		t.Error("the input was read")
	}
}

// reads is a reader that records a Read.
type reads chan struct{}

func (r reads) Read([]byte) (int, error) {
	r <- struct{}{}
	return 0, io.EOF
}
