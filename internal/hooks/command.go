// Package hooks runs the hooks of a container. A hook reads the container's
// state from standard input; the end of its output is kept for error messages;
// it is killed when its timeout expires.
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

// Command is a program that runs on the host.
type Command struct {
	// Path is absolute.
	Path string
	// Args are its arguments, with the name first. Empty: Path.
	Args []string
	// Env is its environment. Empty: that of this process.
	Env []string
	// Dir is its working directory. Empty: that of this process.
	Dir string
	// Stdin is the content of its standard input.
	Stdin []byte
	// Copies get its standard output and standard error, unless nil.
	Copies [2]io.Writer
	// Timeout is how long it may run. 0: no limit.
	Timeout time.Duration
}

// Run runs the command and waits for it. The command leads its own session, so
// that it gets no signals from the terminal.
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

// Process is a running hook, a child of this process.
type Process struct {
	// Pid is the process ID in this process's PID namespace.
	Pid int
	// Pidfd refers to the process. The caller closes it.
	Pidfd *os.File
}

// Wait serves the streams until the process has ended, and reaps it. Processes
// that the hook left running go on; but if the timeout expires or ctx ends,
// Wait kills the hook, its descendants and its session. The error includes the
// hook's output.
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
		return s.failed()
	}
	return errors.Join(s.explain(why), s.failed())
}
