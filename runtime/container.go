package ociruntime

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	"github.com/berth-oci/berth/libcontainer/config"
)

// Container is a handle of an existing container. Several goroutines may use it, and
// this process or others may use more handles of the same container. Methods return
// *libcontainer.Error; their comments name the sentinel errors of libcontainer that
// they wrap.
type Container struct {
	c       *libcontainer.Container
	console *Console
	stdio   *stdio
	warned  *warningList
}

// ID returns the container's ID.
func (c *Container) ID() string { return c.c.ID() }

// Pid returns the process ID of the container's init on the host.
func (c *Container) Pid() int { return c.c.Pid() }

// Status returns the container's status at this moment.
func (c *Container) Status() (libcontainer.Status, error) { return c.c.Status() }

// Config returns the checked configuration that the container was created with. A handle
// reads it once: changes by a later Update are in handles that are loaded afterwards. The
// caller must not change it.
func (c *Container) Config() (*config.Config, error) { return c.c.Config() }

// Cgroups returns the directories of the container's cgroup by controller of v1; "" is
// that of v2. It is empty for a container without a cgroup.
func (c *Container) Cgroups() (map[string]string, error) { return c.c.Cgroups() }

// Warnings returns the warnings of the operations on this handle until now, from Create or
// Load on, each once: an unknown capability that the container runs without, for example.
func (c *Container) Warnings() []string { return c.warned.list() }

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

// KillAll sends a signal to all processes of the container, also to those that remain
// after init has ended; the error is libcontainer.ErrNotRunning if none does.
func (c *Container) KillAll(_ context.Context, sig unix.Signal) error { return c.c.SignalAll(sig) }

// Pidfd opens a pidfd of the container's init. The caller must close it. It becomes
// readable (poll(2)) when init ends. The error is libcontainer.ErrNotRunning if init
// has already ended.
func (c *Container) Pidfd() (*os.File, error) { return c.c.Pidfd() }

// Wait waits until the program has ended and its output has been copied. If the program
// has ended, and not all output was copied, the error is an *OutputError, and the status
// is valid; with another error, such as that of ctx, the program has not ended. Any number
// of goroutines may call Wait, repeatedly and after Delete.
//
// After an error, Stdout and Stderr are not written to before the next Wait, except files:
// their owner may read a buffer. (Wait returns after a Write in progress.) Meanwhile the
// output stays in its pipe, and a program that writes more than the pipe holds waits.
// Delete then abandons the rest of the output.
//
// Wait works on every handle, also in a process that did not create the container. Two
// cases are without exit status: the error is libcontainer.ErrNotRunning if the program
// has ended, and its parent has reaped it, before the first Wait of the handle; and
// libcontainer.ErrNotChild if the parent reaps the program on a kernel before Linux 6.15.
func (c *Container) Wait(ctx context.Context) (libcontainer.ExitStatus, error) {
	return c.stdio.waitStatus(ctx, c.c.Wait)
}

// WaitStats is Wait, and returns the last statistics of the container, also if another
// goroutine deletes it meanwhile. They are nil if systemd made the cgroup, and removed it
// when the program ended.
func (c *Container) WaitStats(ctx context.Context) (status libcontainer.ExitStatus, stats *Stats, err error) {
	var failed error
	err = c.stdio.waitFor(ctx, func(ctx context.Context) error {
		s, last, statsErr, err := c.c.WaitStats(ctx)
		if err == nil && statsErr == nil {
			stats, statsErr = c.complete(last)
		}
		if !errors.Is(statsErr, libcontainer.ErrNotRunning) {
			failed = statsErr
		}
		status = s
		return err
	})
	return status, stats, errors.Join(failed, err)
}

// DeleteOptions are the options of Delete.
type DeleteOptions struct {
	// Force kills a running or paused container.
	Force bool
}

// Delete removes the container, and reaps its init if that is an unreaped child of this
// process. A created container is killed. Without Force, the error is
// libcontainer.ErrInvalidState for a running or paused container, and
// libcontainer.ErrNotExist for one that has been deleted. When ctx ends, poststop hooks
// are killed, and the rest may remain for another Delete: pass context.WithoutCancel(ctx)
// to delete a container because ctx has ended.
func (c *Container) Delete(ctx context.Context, o DeleteOptions) error {
	err := c.c.Delete(ctx, o.Force)
	if err == nil {
		c.stdio.forsake()
	}
	return errors.Join(err, c.closeConsole())
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
