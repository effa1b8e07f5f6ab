package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

// program is what runs in the foreground: a container's own or one executed in
// it.
type program interface {
	Kill(context.Context, unix.Signal) error
	Wait(context.Context) (libcontainer.ExitStatus, error)
	Console() *ociruntime.Console
}

// All signals are passed on, but to ask for one takes the Go runtime two
// switches between threads, for all of them most of a millisecond: those that
// are sent to programs that have hardly begun are asked for first, the others
// only if the program goes on for a while.
var firstSignals = [...]os.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH, unix.SIGCONT,
}

const moreSignals = 5 * time.Millisecond

// foreground passes on to a program what this process is told by signals, and
// by its terminal.
type foreground struct {
	app      *app
	signals  chan os.Signal
	ending   chan os.Signal // those that are to end it, once more
	notified chan struct{}
	terminal *ociruntime.Foreground
	// strangers may be nil.
	strangers *reaper
}

// newForeground begins to catch signals, for a program that there will be.
func (a *app) newForeground() *foreground {
	f := &foreground{app: a, signals: make(chan os.Signal, 128), ending: make(chan os.Signal, 1), notified: make(chan struct{})}
	go func() {
		signal.Notify(f.signals, firstSignals[:]...)
		signal.Notify(f.ending, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM)
		close(f.notified)
	}()
	return f
}

// output gives a copy of standard output or error, to pass on what a program
// prints. A Go program that writes to descriptor 1 or 2 itself is ended by
// SIGPIPE when nobody reads (os/signal), and would leave the container.
func output(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("dup %s: %w", f.Name(), err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// ownOutput has this process pass on what a program prints.
func ownOutput(stdout, stderr *io.Writer) (err error) {
	if *stdout, err = output(os.Stdout); err == nil {
		*stderr, err = output(os.Stderr)
	}
	return err
}

// hostTerminal gives the terminal of this process.
func hostTerminal() (*os.File, error) {
	return ociruntime.HostTerminal(os.Stdin, os.Stdout, os.Stderr)
}

// patience is how long it may take, when this process is told to end, until
// there is a program to pass that on to.
const patience = time.Second

// starting gives a context to make the program in, which ends when that does not
// come to an end though this process was told to: a container can keep what
// enters it waiting for ever. Started is to be called when there is a program,
// or none.
func (f *foreground) starting(ctx context.Context) (_ context.Context, started func()) {
	ctx, giveUp := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		select {
		case s := <-f.ending:
			select {
			case <-time.After(patience):
				giveUp(fmt.Errorf("received %s before the program could be started", s))
			case <-done:
			}
		case <-done:
		}
	}()
	return ctx, sync.OnceFunc(func() {
		close(done)
		giveUp(nil)
	})
}

// show shows the program's terminal here, if it has one.
func (f *foreground) show(p program) error {
	<-f.notified // a change of size is not to be missed
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

// hide gives the terminal back.
func (f *foreground) hide() error {
	if f.terminal == nil {
		return nil
	}
	return f.terminal.Close()
}

// wait passes signals on until the program ends, and all that has its output
// open, unless a signal comes in between.
func (f *foreground) wait(ctx context.Context, p program) (libcontainer.ExitStatus, error) {
	enough, stop := context.WithCancel(ctx)
	defer stop()
	go f.forward(ctx, p, stop)
	more := time.AfterFunc(moreSignals, func() {
		signal.Notify(f.signals)
		f.signals <- unix.SIGCHLD // who has ended before
	})
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

// undelivered makes a warning of output that could not be passed on, unless the
// program has succeeded: its exit code is what is asked for. That whoever reads
// has had enough is not even that.
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

// forward passes signals on to the program. One that comes when that has ended
// is for this process: to stop.
func (f *foreground) forward(ctx context.Context, p program, stop func()) {
	for s := range f.signals {
		sig, ok := s.(unix.Signal)
		if !ok {
			continue
		}
		err := f.pass(ctx, p, sig)
		switch {
		case errors.Is(err, libcontainer.ErrNotRunning):
			stop()
		case err != nil:
			f.app.log.Warn(oneLine(err))
		}
	}
}

// pass passes one signal on, unless it is meant for this process.
func (f *foreground) pass(ctx context.Context, p program, sig unix.Signal) error {
	switch {
	case sig == unix.SIGURG: // the Go scheduler's
		return nil
	case sig == unix.SIGPIPE: // the kernel's, for a write of this process's own
		return nil
	case sig == unix.SIGCHLD && f.strangers != nil:
		return f.strangers.reap()
	case sig == unix.SIGWINCH && f.terminal != nil:
		return f.terminal.Resize()
	case sig == unix.SIGCHLD, sig == unix.SIGWINCH:
		return nil
	}
	return p.Kill(ctx, sig)
}

// exitOf makes an exit code of how a program ended.
func exitOf(status libcontainer.ExitStatus, err error) error {
	if err == nil && status.Shell() != 0 {
		return exitCode(status.Shell())
	}
	return err
}
