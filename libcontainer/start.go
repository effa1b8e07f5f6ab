package libcontainer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/internal/setup"
	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// startLock is how long Start waits for another command on the container.
const startLock = 10 * time.Second

// Start runs the program of a created container. If the program cannot be executed, the
// container is stopped; if a hook fails, it is deleted. A container with another status
// is ErrInvalidState.
func (c *Container) Start(ctx context.Context) error {
	return opError("start", c.ID(), c.start(ctx))
}

// hasStopped is the error of a container that has ended before Start.
func (c *Container) hasStopped() error {
	text := "cannot start a container that has stopped"
	if limit := c.ended().OOM(); limit != "" {
		text += ": " + setup.OOMPhrase + ": " + limit
	}
	return stateError(text)
}

func (c *Container) start(ctx context.Context) error {
	l, err := state.LockDir(c.dir, startLock)
	if err != nil {
		return err
	}
	if c, err = c.current(); err != nil {
		l.Unlock()
		return err
	}
	defer l.Unlock()
	status, err := c.statusLocked()
	switch {
	case err != nil:
		return err
	case status == Stopped || !c.state.Complete:
		return c.hasStopped()
	case status == Paused:
		return stateError("cannot start a container in the paused state")
	case status != Created:
		return stateError("cannot start an already running container")
	}
	cfg, err := c.Config()
	if err != nil {
		return err
	}
	ch := c.child()
	var driven *stub.Child
	if ch != nil && ch.attached.Load() {
		if ch != c.made {
			return stateError("cannot start an attached container through a second handle")
		}
		driven = ch.Child
	}
	err = c.asSetup(cfg).Start(ctx, l, driven)
	if driven != nil {
		ch.attached.Store(false)
	}
	if err != nil {
		err = setup.AlsoFailed(c.killedMeanwhile(err), c.awaitEnd(ctx.Err() != nil))
	}
	var hook *setup.HookError
	if errors.As(err, &hook) { // the container's end (runtime.md, Lifecycle)
		l.Unlock()
		err = setup.AlsoFailed(err, c.delete(context.WithoutCancel(ctx), true))
	}
	return err
}

// killedMeanwhile adds ErrNotRunning to an error that the end of init causes. A hook that
// is started in a dead pid namespace fails with ENOMEM. Other errors end init themselves.
func (c *Container) killedMeanwhile(err error) error {
	var hook *setup.HookError
	var path *fs.PathError
	switch {
	case errors.Is(err, unix.ESRCH), errors.Is(err, state.ErrNoListener),
		errors.As(err, &hook) && errors.Is(err, unix.ENOMEM),
		errors.As(err, &path) && strings.HasPrefix(path.Path, fmt.Sprintf("/proc/%d/", c.state.Pid)):
		return c.endedMeanwhile(err)
	}
	return err
}

// awaitEnd waits until a stub has ended whose program could not be executed, so that the
// container is stopped when start returns. With kill it first kills the stub, which may
// still be in execve and must not become the program.
func (c *Container) awaitEnd(kill bool) error {
	pidfd, err := c.state.OpenProcess()
	if errors.Is(err, ErrNotRunning) {
		return nil
	}
	if err != nil {
		return err
	}
	defer pidfd.Close()
	if kill {
		if err := unix.PidfdSendSignal(int(pidfd.Fd()), unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("kill process %d: %w", c.state.Pid, err)
		}
	}
	const limit = 2000 // milliseconds; the stub only has to exit
	_, err = state.WaitExit(pidfd, limit)
	return err
}
