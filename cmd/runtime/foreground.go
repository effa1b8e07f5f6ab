package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

// program runs in the foreground: a container's init, or a process of exec.
type program interface {
	Kill(context.Context, unix.Signal) error
	Wait(context.Context) (libcontainer.ExitStatus, error)
	Console() *ociruntime.Console
}

// foreground forwards signals and terminal input to a program.
type foreground struct {
	app      *app
	signals  chan os.Signal
	start    starting
	terminal *ociruntime.Foreground
	// orphans may be nil.
	orphans *reaper
}

// newForeground starts to catch signals, before the program exists.
func (a *app) newForeground() (*foreground, error) {
	f := &foreground{app: a, signals: make(chan os.Signal, 128)}
	return f, f.catch()
}

// output duplicates standard output or error, for copying the program's output to it.
// SIGPIPE kills a Go program that writes to descriptor 1 or 2 without a reader
// (os/signal): the runtime would die and leave the container.
func output(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("dup %s: %w", f.Name(), err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// ownOutput makes this process copy the program's output.
func ownOutput(stdout, stderr *io.Writer) (err error) {
	if *stdout, err = output(os.Stdout); err == nil {
		*stderr, err = output(os.Stderr)
	}
	return err
}

// hostTerminal returns the terminal of this process.
func hostTerminal() (*os.File, error) {
	return ociruntime.HostTerminal(os.Stdin, os.Stdout, os.Stderr)
}

// show shows the program's terminal here, if it has one.
func (f *foreground) show(p program) error {
	if p.Console() == nil {
		return nil
	}
	host, err := hostTerminal()
	if err != nil {
		return err
	}
	out, err := output(os.Stdout)
	if err != nil {
		return err
	}
	f.terminal, err = p.Console().Foreground(host, os.Stdin, out)
	return err
}

// hide restores the host's terminal.
func (f *foreground) hide() error {
	if f.terminal == nil {
		return nil
	}
	return f.terminal.Close()
}

// wait forwards signals until the program has ended and its output is closed. A signal
// after the program's end stops the wait for other processes that have its output open.
func (f *foreground) wait(ctx context.Context, p program) (libcontainer.ExitStatus, error) {
	enough, stop := context.WithCancel(ctx)
	defer stop()
	go f.forward(ctx, p, stop)
	more := time.AfterFunc(soon, f.catchMore)
	status, err := p.Wait(enough)
	more.Stop()
	if err != nil && errors.Is(err, context.Canceled) && ctx.Err() == nil {
		f.app.log.Warn("the program has ended; processes that it left still have its output open, and are not waited for")
		err = nil
	}
	err = errors.Join(f.undelivered(status, err), f.hide())
	if status.OOM != "" {
		f.app.log.Warn("OOM-killed: " + status.OOM)
	}
	return status, err
}

// undelivered handles output that could not be copied. If the program succeeded, it is
// an error; if not, a warning, as the program's exit code matters more. EPIPE is
// ignored: the reader needs no more.
func (f *foreground) undelivered(status libcontainer.ExitStatus, err error) error {
	var output *ociruntime.OutputError
	switch {
	case !errors.As(err, &output):
		return err
	case errors.Is(err, unix.EPIPE):
		return nil
	case status.Shell() == 0:
		return fmt.Errorf("the program has ended, but not all of its output could be passed on: %w", err)
	}
	f.app.log.Warn("not all output of the program could be passed on: " + oneLine(err))
	return nil
}

// exitOf converts the program's status to an exit code.
func exitOf(status libcontainer.ExitStatus, err error) error {
	if err == nil && status.Shell() != 0 {
		return exitCode(status.Shell())
	}
	return err
}
