package task

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/containerd/containerd/api/events"
	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/api/types/task"
	"github.com/containerd/containerd/v2/pkg/protobuf"
	"github.com/containerd/errdefs"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
	"github.com/berth-oci/berth/shim/internal/rootfs"
)

// drainTimeout is how long Delete waits for output: a process that init has left may keep
// it open.
const drainTimeout = 10 * time.Second

// Delete removes a container that has not started or has ended, or such an exec process.
func (s *Service) Delete(ctx context.Context, r *taskapi.DeleteRequest) (*taskapi.DeleteResponse, error) {
	c, p, err := s.process(r.ID, r.ExecID)
	if err != nil {
		return nil, err
	}
	if status, _, _ := p.state(); status == task.Status_RUNNING {
		return nil, fmt.Errorf("delete a running process: %w", errdefs.ErrFailedPrecondition)
	}
	if p == c.init {
		err = s.deleteInit(ctx, c)
	} else {
		err = s.deleteExec(ctx, c, p)
	}
	if err != nil {
		return nil, err
	}
	_, exit, at := p.state()
	return &taskapi.DeleteResponse{Pid: uint32(p.Pid()), ExitStatus: exit, ExitedAt: protobuf.ToTimestamp(at)}, nil
}

func (s *Service) deleteInit(ctx context.Context, c *container) error {
	s.drain(c, c.init)
	oci := c.abandonImage()
	if oci != nil {
		if err := s.deleteContainer(ctx, oci); err != nil {
			return err
		}
	}
	// A created container has been killed.
	if err := c.init.wait(ctx); err != nil {
		return err
	}
	if oci != nil {
		c.stopWatch()
		c.watched.Wait()
	}
	err := errors.Join(c.init.release(ctx), rootfs.Unmount(c.rootfs))
	if err != nil {
		return err
	}
	s.forget(c.id)
	_, exit, at := c.init.state()
	s.events.send(&events.TaskDelete{
		ContainerID: c.id, Pid: uint32(c.init.Pid()), ExitStatus: exit, ExitedAt: protobuf.ToTimestamp(at),
	})
	return nil
}

// deleteContainer deletes the container of package runtime. A start that failed in a hook,
// or a checkpoint, has already deleted it.
func (s *Service) deleteContainer(ctx context.Context, oci *ociruntime.Container) error {
	end := s.children.Begin()
	defer end()
	err := oci.Delete(ctx, ociruntime.DeleteOptions{})
	if errors.Is(err, libcontainer.ErrNotExist) {
		return nil
	}
	return err
}

func (s *Service) deleteExec(ctx context.Context, c *container, p *process) error {
	s.drain(c, p)
	if err := p.release(ctx); err != nil {
		return err
	}
	c.remove(p.id)
	return nil
}

// drain waits until the output of a process that has ended is copied.
func (s *Service) drain(c *container, p *process) {
	p.mu.Lock()
	io, status := p.io, p.status
	p.mu.Unlock()
	if io != nil && status == task.Status_STOPPED && !io.Drain(drainTimeout) {
		slog.Warn("the output of a process that has ended is still open", "container", c.id, "process", p.id)
	}
}

// release closes the streams and descriptors of a process.
func (p *process) release(ctx context.Context) error {
	p.mu.Lock()
	io, console, exec := p.io, p.console, p.exec
	p.io, p.console, p.exec = nil, nil, nil
	p.mu.Unlock()
	var errs []error
	if io != nil {
		errs = append(errs, io.Close(ctx))
	}
	switch {
	case exec != nil:
		errs = append(errs, exec.Close()) // closes the console too
	case console != nil:
		// Container.Delete has closed it, unless a failed start has deleted the container.
		if err := console.Close(); !errors.Is(err, os.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
