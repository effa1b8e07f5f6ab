package ociruntime

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	"github.com/berth-oci/berth/specconv"
)

// ExecOptions describe a process to execute in a container.
type ExecOptions struct {
	// Process is the process to run, as in config.json; NewProcess returns one to start
	// from. Capabilities, resource limits, OOM score, scheduling, I/O priority, CPU
	// affinity, AppArmor profile, SELinux label and umask default to those of the
	// container's process. The caller must not change it afterwards.
	Process *specs.Process
	// Stdin, Stdout, Stderr, Pipes, WaitDelay and ExtraFiles are as in CreateOptions.
	Stdin      io.Reader
	Stdout     io.Writer
	Stderr     io.Writer
	Pipes      bool
	WaitDelay  time.Duration
	ExtraFiles []*os.File
	// ConsoleSocket is the path of a unix socket that receives the process's terminal.
	// If empty, Process.Console returns the terminal.
	ConsoleSocket string
	// ConsoleRequired is as in CreateOptions.
	ConsoleRequired bool
	// PidFile, if not empty, is the path of a file that the process ID is written to
	// when the program runs.
	PidFile string
	// PidfdSocket, if not empty, is the path of a unix socket that receives a pidfd of
	// the process when the program runs.
	PidfdSocket string
	// SubCgroups are the process's cgroups below the container's, by v1 controller; the
	// key "" is for the other controllers, and for v2.
	SubCgroups map[string]string
	// IgnorePaused allows a paused container: Exec returns when it has been resumed.
	IgnorePaused bool
	// MayBlock lets Exec block this whole process, whatever ctx says, while the
	// container is frozen or has no CPU time left (cgroup v2). It saves a fork: for
	// processes that do nothing else.
	MayBlock bool
}

// Process is a process executed in a container, a child of this process. The caller
// must Wait for it, then Close it. Several goroutines may use it.
type Process struct {
	p       *libcontainer.Process
	console *Console
	stdio   *stdio
}

// NewProcess returns a process with the environment, working directory, user and
// capabilities of the container's process, with the given arguments and without a
// terminal.
func (c *Container) NewProcess(args ...string) (*specs.Process, error) {
	cfg, err := c.c.Config()
	if err != nil {
		return nil, err
	}
	return specconv.ProcessLike(&cfg.Process, args), nil
}

// Exec executes a process in a created or running container; in other states it returns
// libcontainer.ErrInvalidState. If Exec fails, or ctx ends before the program is
// executed, nothing is left of the process; ctx has no effect after Exec returns. An
// error of process.args[0] is exec.ErrNotFound (of package os/exec) if no directory of
// PATH has it, fs.ErrNotExist, or fs.ErrPermission.
func (c *Container) Exec(ctx context.Context, o ExecOptions) (*Process, error) {
	p, err := c.exec(ctx, o)
	return p, errorOf("exec", c.ID(), err)
}

func (c *Container) exec(ctx context.Context, o ExecOptions) (*Process, error) {
	own, err := c.c.Config()
	if err != nil {
		return nil, err
	}
	process, err := specconv.ConvertExec(o.Process, &own.Process)
	if err != nil {
		return nil, err
	}
	ch, err := o.ends(process.Terminal).open()
	if err != nil {
		return nil, err
	}
	defer ch.close()
	lp, err := c.c.Exec(ctx, libcontainer.ExecOptions{
		Process: process, IO: ch.io(o.ExtraFiles),
		SubCgroups: o.SubCgroups, IgnorePaused: o.IgnorePaused, MayBlock: o.MayBlock,
	})
	if err != nil {
		return nil, ch.fail(err)
	}
	p := &Process{p: lp, console: ch.terminal.console, stdio: ch.stdio}
	if err := ch.announce(p.Pid(), "setns"); err != nil {
		return nil, errors.Join(err, p.Abandon(context.WithoutCancel(ctx)))
	}
	return p, nil
}

func (o *ExecOptions) ends(terminal bool) ends {
	return ends{
		stdin: o.Stdin, stdout: o.Stdout, stderr: o.Stderr, pipes: o.Pipes, waitDelay: o.WaitDelay, terminal: terminal,
		consoleSocket: o.ConsoleSocket, consoleRequired: o.ConsoleRequired, pidfdSocket: o.PidfdSocket, pidFile: o.PidFile,
	}
}

// Abandon kills the process, reaps it and closes it. It copies output for at most 100 ms,
// in case that another process has it open. Afterwards Stdout and Stderr are no longer
// used.
func (p *Process) Abandon(ctx context.Context) error {
	err := p.Kill(ctx, unix.SIGKILL)
	if errors.Is(err, libcontainer.ErrNotRunning) {
		err = nil
	}
	if err == nil {
		_, err = p.p.Wait(ctx)
	}
	p.stdio.abandon()
	return errors.Join(err, p.Close())
}

// Pid returns the process ID on the host.
func (p *Process) Pid() int { return p.p.Pid() }

// Pidfd returns a pidfd of the process. Close closes it.
func (p *Process) Pidfd() *os.File { return p.p.Pidfd() }

// Console returns the process's terminal; nil without one, or if it was sent to a
// console socket.
func (p *Process) Console() *Console { return p.console }

// Kill sends a signal to the process; 0 only checks that it exists. The error is
// libcontainer.ErrNotRunning if it has ended.
func (p *Process) Kill(_ context.Context, sig unix.Signal) error { return p.p.Signal(sig) }

// Wait waits until the process has ended and its output has been copied, and reaps the
// process. Its errors, and the use of Stdout and Stderr after an error, are those of
// Container.Wait. Any number of goroutines may call Wait, repeatedly.
func (p *Process) Wait(ctx context.Context) (libcontainer.ExitStatus, error) {
	return p.stdio.waitStatus(ctx, p.p.Wait)
}

// Close closes the process's pidfd and terminal; the process itself goes on. Without
// Wait it stays a zombie until this process ends.
func (p *Process) Close() error {
	err := p.p.Release()
	if p.console != nil {
		err = errors.Join(err, p.console.Close())
	}
	return err
}
