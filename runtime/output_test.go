package ociruntime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	ociruntime "github.com/berth-oci/berth/runtime"
)

// shortly returns a context that ends soon.
func shortly(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// TestOutputAfterWait reads a buffer after a Wait that has timed out, which is a data
// race if the output is still copied; the next Wait goes on.
func TestOutputAfterWait(t *testing.T) {
	c := sleeping(t, nil)
	var out bytes.Buffer
	p := execute(t, c, ociruntime.ExecOptions{Stdout: &out}, "flood")
	size := 0
	for range 3 {
		awaitOutput(t, p.Pid(), size)
		_, err := p.Wait(shortly(t))
		var output *ociruntime.OutputError
		if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &output) {
			t.Errorf("the program has not ended: %v", err)
		}
		if out.Len() <= size {
			t.Errorf("%d bytes, and %d before", out.Len(), size)
		}
		size = out.Len()
		time.Sleep(10 * time.Millisecond)
		if out.Len() != size {
			t.Error("copied without Wait")
		}
	}
	awaitOutput(t, p.Pid(), size)
	if err := p.Abandon(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out.Len() <= size {
		t.Error("Abandon has copied nothing")
	}
}

// awaitOutput waits until a process has written more than a number of bytes.
func awaitOutput(t *testing.T, pid, size int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
		if err != nil {
			t.Fatal(err)
		}
		var read, written int
		if _, err := fmt.Sscanf(string(text), "rchar: %d\nwchar: %d\n", &read, &written); err != nil {
			t.Fatal(err)
		}
		if written > size+1<<10 { // the stub has written some bytes
			return
		}
	}
	t.Errorf("the process has not written more than %d bytes", size)
}

// awaitEnd waits until a process has ended, and does not reap it.
func awaitEnd(t *testing.T, p *ociruntime.Process) {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(p.Pidfd().Fd()), Events: unix.POLLIN}}
	for deadline := time.Now().Add(time.Minute); ; {
		n, err := unix.Poll(fds, 60_000)
		switch {
		case n > 0:
			return
		case err != nil && !errors.Is(err, unix.EINTR):
			t.Fatal(err)
		case time.Now().After(deadline):
			t.Fatal("the process has not ended within a minute")
		}
	}
}

// TestOutputThatStaysOpen executes a program that ends, and leaves one with its output.
func TestOutputThatStaysOpen(t *testing.T) {
	c := sleeping(t, nil)
	for _, left := range []string{"sleep", "flood"} {
		var out bytes.Buffer
		p := execute(t, c, ociruntime.ExecOptions{Stdout: &out}, "hold", left)
		awaitEnd(t, p)
		var output *ociruntime.OutputError
		if status, err := p.Wait(shortly(t)); !errors.As(err, &output) || !errors.Is(err, context.DeadlineExceeded) || status.Shell() != 0 {
			t.Errorf("%s: status %v, error %v", left, status, err)
		}
		if !bytes.HasPrefix(out.Bytes(), []byte("held\n")) {
			t.Errorf("%s: %q", left, &out)
		}
		if err := p.Abandon(t.Context()); err != nil {
			t.Error(err)
		}
		out.Reset()
	}
}

func TestWaitDelay(t *testing.T) {
	c := sleeping(t, nil)
	before := runtime.NumGoroutine()
	for _, left := range []string{"sleep", "flood"} {
		var out, errOut bytes.Buffer
		p := execute(t, c, ociruntime.ExecOptions{Stdout: &out, Stderr: &errOut, WaitDelay: 50 * time.Millisecond}, "hold", left)
		for range 2 {
			status, err := p.Wait(t.Context())
			var output *ociruntime.OutputError
			if !errors.As(err, &output) || !errors.Is(err, ociruntime.ErrWaitDelay) || status.Shell() != 0 {
				t.Errorf("%s: status %v, error %v", left, status, err)
			}
		}
		if !bytes.HasPrefix(out.Bytes(), []byte("held\n")) {
			t.Errorf("%s: %q", left, &out)
		}
		letGo(t, p)
	}
	awaitGoroutines(t, before)
	p := execute(t, c, ociruntime.ExecOptions{Stdout: new(bytes.Buffer), WaitDelay: time.Minute}, "exit", "0")
	if status, err := p.Wait(t.Context()); err != nil || status.Shell() != 0 {
		t.Errorf("without delay: status %v, error %v", status, err)
	}
	letGo(t, p)
}

// TestDeleteAbandonsOutput deletes a container after a Wait that has failed.
func TestDeleteAbandonsOutput(t *testing.T) {
	rt, spec := setup(t, "flood")
	before := runtime.NumGoroutine()
	var out bytes.Buffer
	c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec, Stdout: &out})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Wait(shortly(t)); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	time.Sleep(50 * time.Millisecond) // fills the pipe
	remove(t, c)
	awaitGoroutines(t, before)
	var output *ociruntime.OutputError
	if status, err := c.Wait(t.Context()); !errors.As(err, &output) || status.Signal != unix.SIGKILL {
		t.Errorf("status %v, error %v", status, err)
	}
}

// awaitGoroutines checks that no more than the given number remain.
func awaitGoroutines(t *testing.T, limit int) {
	t.Helper()
	for range 6000 { // a minute
		if runtime.NumGoroutine() <= limit {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("%d goroutines, and %d before: %s", runtime.NumGoroutine(), limit, stacks[:runtime.Stack(stacks, true)])
}

// TestAbandonKeepsFiles checks that a file of the importer stays open.
func TestAbandonKeepsFiles(t *testing.T) {
	c := sleeping(t, nil)
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := execute(t, c, ociruntime.ExecOptions{Stdout: f, Pipes: true}, "hold", "flood")
	if _, err := p.Wait(shortly(t)); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := p.Abandon(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := f.WriteString("mine"); err != nil {
		t.Error(err)
	}
}
