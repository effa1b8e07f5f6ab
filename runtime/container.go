package ociruntime

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
)

// Container is a handle of an existing container. Several goroutines may use it, and
// this process or others may use more handles of the same container. Methods return
// *libcontainer.Error; their comments name the sentinel errors of libcontainer that
// they wrap.
type Container struct {
	c       *libcontainer.Container
	console *Console
	stdio   *stdio
}

// ID returns the container's ID.
func (c *Container) ID() string { return c.c.ID() }

// Pid returns the process ID of the container's init on the host.
func (c *Container) Pid() int { return c.c.Pid() }

// Console returns the program's terminal; nil without one, or if it was sent to a
// console socket. Only a Container from Create or Run has a Console.
func (c *Container) Console() *Console { return c.console }

// Start runs the program of a created container; in other states it returns
// libcontainer.ErrInvalidState. If the program cannot be executed, the container is
// stopped; if a hook fails, the container is deleted.
func (c *Container) Start(ctx context.Context) error { return c.c.Start(ctx) }

// Kill sends a signal to the container's init; 0 only checks that it exists. SIGKILL
// kills all processes of the container, also if it is paused or has no pid namespace of
// its own. In a created container every signal that terminates a program by default
// kills init. The error is libcontainer.ErrNotRunning if the container has stopped.
func (c *Container) Kill(_ context.Context, sig unix.Signal) error { return c.c.Signal(sig) }

// KillAll sends a signal to all processes of the container, also when init has ended;
// the error is libcontainer.ErrNotRunning then.
func (c *Container) KillAll(_ context.Context, sig unix.Signal) error { return c.c.SignalAll(sig) }

// Pidfd opens a pidfd of the container's init. The caller must close it. It becomes
// readable (poll(2)) when init ends. The error is libcontainer.ErrNotRunning if init
// has already ended.
func (c *Container) Pidfd() (*os.File, error) { return c.c.Pidfd() }

// Wait waits until the program has ended and its output has been copied; it returns an
// *OutputError if not all output could be copied. Any number of goroutines may call
// Wait, repeatedly and after Delete. Only the process that created the container can:
// in others the error is libcontainer.ErrNotChild, and they can poll Pidfd.
func (c *Container) Wait(ctx context.Context) (libcontainer.ExitStatus, error) {
	status, err := c.c.Wait(ctx)
	if err != nil {
		return status, err
	}
	return status, c.stdio.wait(ctx)
}

// DeleteOptions are the options of Delete.
type DeleteOptions struct {
	// Force kills a running or paused container.
	Force bool
}

// Delete removes the container, and reaps its init if that is an unreaped child of this
// process. A created container is killed. Without Force, the error is
// libcontainer.ErrInvalidState for a running or paused container, and
// libcontainer.ErrNotExist for one that has been deleted.
func (c *Container) Delete(ctx context.Context, o DeleteOptions) error {
	return errors.Join(c.c.Delete(ctx, o.Force), c.closeConsole())
}

func (c *Container) closeConsole() error {
	if c.console == nil {
		return nil
	}
	return c.console.Close()
}

// Delete removes a container by ID. With Force it also removes the rest of a killed
// create that has no state yet, and returns nil if the container does not exist.
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
