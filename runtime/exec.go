package ociruntime

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	"github.com/berth-oci/berth/specconv"
)

// ExecOptions say what is executed in a container.
type ExecOptions struct {
	// Process is what to run, as in config.json; NewProcess gives one to
	// begin with, and can be changed. Capabilities, resource limits, OOM score, scheduling, I/O
	// priority, CPU affinity, AppArmor profile, SELinux label and umask are
	// those of the container's own process where they are nil or empty. It
	// must not be changed afterwards.
	Process *specs.Process
	// Stdin, Stdout, Stderr, Pipes and ExtraFiles are as in CreateOptions.
	Stdin      io.Reader
	Stdout     io.Writer
	Stderr     io.Writer
	Pipes      bool
	ExtraFiles []*os.File
	// ConsoleSocket is the path of a unix socket to which the process's
	// terminal is sent. Empty: it is the Process's Console.
	ConsoleSocket string
	// ConsoleRequired refuses a terminal without ConsoleSocket: nobody would
	// hold it when this process leaves.
	ConsoleRequired bool
	// PidFile, if not empty, gets the process id, once the program runs.
	PidFile string
	// PidfdSocket is the path of a unix socket to which a pidfd of the process
	// is sent, once the program runs. Empty: none is.
	PidfdSocket string
	// SubCgroups are cgroups below the container's for the process to be in, by
	// v1 controller; "" is for all that are not named, and for v2.
	SubCgroups map[string]string
	// IgnorePaused executes in a paused container, too: Exec returns when it
	// has been resumed.
	IgnorePaused bool
}

// Process is a process that was executed in a container: a child of this
// process, which is to Wait for it, and to Close it then. Its methods may be
// called by several goroutines.
type Process struct {
	p       *libcontainer.Process
	console *Console
	stdio   *stdio
}

// NewProcess gives a process to execute that is like the container's own, but
// for its arguments and without a terminal: environment, directory, user,
// capabilities.
func (c *Container) NewProcess(args ...string) (*specs.Process, error) {
	cfg, err := c.c.Config()
	if err != nil {
		return nil, err
	}
	return specconv.ProcessLike(&cfg.Process, args), nil
}

// Exec executes a process in a container that runs, or is created; else it is a
// libcontainer.ErrInvalidState. When it fails nothing is left of the process; if
// the program cannot be executed, the error says why. When ctx ends before the
// program is executed, it is not; it outlives ctx.
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
		SubCgroups: o.SubCgroups, IgnorePaused: o.IgnorePaused,
	})
	if err != nil {
		return nil, ch.fail(err)
	}
	p := &Process{p: lp, console: ch.terminal.console, stdio: ch.stdio}
	if err := ch.announce(p.Pid(), "setns"); err != nil {
		return nil, errors.Join(err, p.Abandon(ctx))
	}
	return p, nil
}

func (o *ExecOptions) ends(terminal bool) ends {
	return ends{
		stdin: o.Stdin, stdout: o.Stdout, stderr: o.Stderr, pipes: o.Pipes, terminal: terminal,
		consoleSocket: o.ConsoleSocket, consoleRequired: o.ConsoleRequired, pidfdSocket: o.PidfdSocket, pidFile: o.PidFile,
	}
}

// Abandon kills the process, reaps it and lets go of it.
func (p *Process) Abandon(ctx context.Context) error {
	err := p.Kill(ctx, unix.SIGKILL)
	if errors.Is(err, libcontainer.ErrNotRunning) {
		err = nil
	}
	if err == nil {
		_, err = p.p.Wait(ctx)
	}
	return errors.Join(err, p.Close())
}

// Pid gives the process id on the host.
func (p *Process) Pid() int { return p.p.Pid() }

// Pidfd gives a pidfd of the process. It is the Process's own, and closed with
// it.
func (p *Process) Pidfd() *os.File { return p.p.Pidfd() }

// Console gives the process's terminal, if it has one that was not sent to a
// console socket.
func (p *Process) Console() *Console { return p.console }

// Kill sends a signal to the process; 0 asks whether it is there.
// libcontainer.ErrNotRunning if it has ended.
func (p *Process) Kill(_ context.Context, sig unix.Signal) error { return p.p.Signal(sig) }

// Wait waits for the end of the process, reaps it, and waits until all that it
// wrote has been copied; that it could not be is an *OutputError. Any number of
// goroutines may wait, and again.
func (p *Process) Wait(ctx context.Context) (libcontainer.ExitStatus, error) {
	status, err := p.p.Wait(ctx)
	if err != nil {
		return status, err
	}
	return status, p.stdio.wait(ctx)
}

// Close lets go of the process, which goes on if it has not ended, and of its
// terminal. One that nobody has waited for stays a zombie until this process
// ends.
func (p *Process) Close() error {
	err := p.p.Release()
	if p.console != nil {
		err = errors.Join(err, p.console.Close())
	}
	return err
}
