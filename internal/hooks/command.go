// Package hooks runs the commands that a container's configuration names for
// points of its life: with the container's state on standard input, what they
// print kept for the error, and an end when their time is up.
package hooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/berth-oci/berth/internal/sys"
)

// Command is a program to run on the host.
type Command struct {
	// Path is absolute.
	Path string
	// Args are its arguments, the name it is called by first. Empty: Path.
	Args []string
	// Env is its environment. Empty: that of this process.
	Env []string
	// Dir is its working directory. Empty: that of this process.
	Dir string
	// Stdin is what it can read.
	Stdin []byte
	// Copies, unless nil, get what it prints to standard output and error.
	Copies [2]io.Writer
	// Timeout, unless 0, is how long it may run.
	Timeout time.Duration
}

// Run runs the command to its end. It leads a session of its own, so that a
// signal from a terminal does not meet it.
func (c Command) Run(ctx context.Context) error {
	s, err := NewStreams(c.Stdin, c.Copies)
	if err != nil {
		return err
	}
	defer s.Close()
	args, env := c.Args, c.Env
	if len(args) == 0 {
		args = []string{c.Path}
	}
	if len(env) == 0 {
		env = os.Environ()
	}
	pidfd := -1
	pid, err := syscall.ForkExec(c.Path, args, &syscall.ProcAttr{
		Dir: c.Dir, Env: env, Files: s.fds(),
		Sys: &syscall.SysProcAttr{Setsid: true, PidFD: &pidfd},
	})
	if err != nil {
		return fmt.Errorf("execute %q: %w", c.Path, err)
	}
	p := &Process{Pid: pid, Pidfd: os.NewFile(uintptr(pidfd), "pidfd")}
	defer p.Pidfd.Close()
	return p.Wait(ctx, s, c.Timeout)
}

// Process is a hook that runs. Where it runs, and who started it, does not
// matter: it is a child of this process.
type Process struct {
	// Pid is the process id as this process sees it.
	Pid int
	// Pidfd refers to the process and stays the caller's.
	Pidfd *os.File
}

// Wait serves the streams until the process has ended, and reaps it. What it
// leaves running is its own business; but when its time is up, or ctx ends,
// it is killed with all its processes. The error has what it printed.
func (p *Process) Wait(ctx context.Context, s *Streams, timeout time.Duration) error {
	s.closeChild()
	why := s.serve(ctx, p.Pidfd, timeout)
	if why != nil {
		if err := errors.Join(killTree(p.Pid), kill(p.Pidfd)); err != nil {
			why = fmt.Errorf("%w; %w", why, err)
		}
	}
	exit, err := sys.Reap(int(p.Pidfd.Fd()))
	s.drain()
	switch {
	case why != nil:
	case err != nil:
		return fmt.Errorf("wait for process %d: %w", p.Pid, err)
	case exit.Signal != 0:
		why = fmt.Errorf("killed by signal %d (%s)", int(exit.Signal), exit.Signal)
	case exit.Code != 0:
		why = fmt.Errorf("exit status %d", exit.Code)
	default:
		return s.copied()
	}
	return errors.Join(s.explain(why), s.copied())
}
