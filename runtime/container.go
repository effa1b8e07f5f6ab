package ociruntime

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
)

// Container is a container that exists. Its methods may be called by several
// goroutines, and others may work on the same container by handles of their own,
// in this process or another. Their errors are *libcontainer.Error; what
// libcontainer has names for is said where it can happen.
type Container struct {
	c       *libcontainer.Container
	console *Console
	stdio   *stdio
}

// ID gives the container's id.
func (c *Container) ID() string { return c.c.ID() }

// Pid gives the process id of its first process on the host.
func (c *Container) Pid() int { return c.c.Pid() }

// Console gives the program's terminal, if it has one that was not sent to a
// console socket. Only Create and Run give a Container that has it.
func (c *Container) Console() *Console { return c.console }

// Start runs the program of a container that is created; else it is a
// libcontainer.ErrInvalidState. If the program cannot be executed the error
// says why, and the container is stopped; if a hook fails, it is deleted.
func (c *Container) Start(ctx context.Context) error { return c.c.Start(ctx) }

// Kill sends a signal to the first process; 0 asks whether there is one.
// SIGKILL ends all processes, in a pid namespace of the container's or not, and
// paused or not. A container that is only created is ended by every signal that
// ends programs. libcontainer.ErrNotRunning if it has stopped.
func (c *Container) Kill(_ context.Context, sig unix.Signal) error { return c.c.Signal(sig) }

// KillAll sends a signal to all processes of the container, those included that
// are left when the first has ended; the error is libcontainer.ErrNotRunning
// then.
func (c *Container) KillAll(_ context.Context, sig unix.Signal) error { return c.c.SignalAll(sig) }

// Pidfd opens a pidfd of the container's first process, which is the caller's
// to close: it can be read from, as poll(2) has it, when the process has ended.
// libcontainer.ErrNotRunning if it has already.
func (c *Container) Pidfd() (*os.File, error) { return c.c.Pidfd() }

// Wait waits for the end of the program, and until all that it wrote has been
// copied; that it could not be is an *OutputError. Any number of goroutines may
// wait, again and after Delete, too. Only the process that
// created a container can wait for it: libcontainer.ErrNotChild, in others,
// which can wait for its Pidfd.
func (c *Container) Wait(ctx context.Context) (libcontainer.ExitStatus, error) {
	status, err := c.c.Wait(ctx)
	if err != nil {
		return status, err
	}
	return status, c.stdio.wait(ctx)
}

// DeleteOptions say how a container is deleted.
type DeleteOptions struct {
	// Force kills a container that runs.
	Force bool
}

// Delete removes the container, and reaps its first process, if that is a child
// of this process that nobody has waited for. Without Force one that runs, or
// is paused, is a libcontainer.ErrInvalidState; one that is only created is
// killed. libcontainer.ErrNotExist if another has deleted it, without Force.
func (c *Container) Delete(ctx context.Context, o DeleteOptions) error {
	return errors.Join(c.c.Delete(ctx, o.Force), c.closeConsole())
}

func (c *Container) closeConsole() error {
	if c.console == nil {
		return nil
	}
	return c.console.Close()
}

// Delete removes a container by id. With Force, one that does not exist is no
// error; what a killed create left behind without a state is removed too.
func (r *Runtime) Delete(ctx context.Context, id string, o DeleteOptions) error {
	c, err := r.Load(id)
	if err == nil {
		return c.Delete(ctx, o)
	}
	if !errors.Is(err, libcontainer.ErrNotExist) {
		return err
	}
	if e := libcontainer.RemoveLeftover(r.root, id); e != nil {
		return e
	}
	if o.Force {
		return nil
	}
	return err
}
