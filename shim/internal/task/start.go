package task

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/containerd/api/events"
	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"

	ociruntime "github.com/berth-oci/berth/runtime"
)

// Start runs the program of a container, or starts an exec process.
func (s *Service) Start(ctx context.Context, r *taskapi.StartRequest) (*taskapi.StartResponse, error) {
	c, p, err := s.process(r.ID, r.ExecID)
	if err != nil {
		return nil, err
	}
	p.lifecycle.Lock()
	defer p.lifecycle.Unlock()
	if p == c.init {
		err = s.startInit(ctx, c)
	} else {
		err = s.startExec(ctx, c, p)
	}
	if err != nil {
		return nil, err
	}
	return &taskapi.StartResponse{Pid: uint32(p.Pid())}, nil
}

func (s *Service) startInit(ctx context.Context, c *container) error {
	end := s.children.Begin()
	defer end()
	if err := s.startOrRestore(ctx, c); err != nil {
		return err
	}
	c.init.setStatus(task.Status_RUNNING)
	s.events.send(&events.TaskStart{ContainerID: c.id, Pid: uint32(c.init.Pid())})
	return nil
}

func (s *Service) startOrRestore(ctx context.Context, c *container) error {
	if c.image != nil {
		return s.restore(ctx, c)
	}
	oci, err := c.made()
	if err == nil {
		err = oci.Start(ctx)
	}
	if err != nil {
		return fmt.Errorf("OCI runtime start failed: %w", err)
	}
	return nil
}

func (s *Service) startExec(ctx context.Context, c *container, p *process) error {
	if status, _, _ := p.state(); status != task.Status_CREATED {
		return fmt.Errorf("process %q: already started: %w", p.id, errdefs.ErrFailedPrecondition)
	}
	if err := c.beginExec(); err != nil {
		return err
	}
	exec, err := s.exec(ctx, c, p)
	if err != nil {
		p.ended(unknownStatus)
		close(p.done)
		c.running.Done()
		return err
	}
	s.events.send(&events.TaskExecStarted{ContainerID: c.id, ExecID: p.id, Pid: uint32(p.Pid())})
	go s.awaitExec(c, p, exec)
	return nil
}

// exec makes an exec process.
func (s *Service) exec(ctx context.Context, c *container, p *process) (*ociruntime.Process, error) {
	end := s.children.Begin()
	defer end()
	oci, err := c.made()
	if err != nil {
		return nil, err
	}
	io, err := s.openIO(ctx, c, p.streams)
	if err != nil {
		return nil, err
	}
	exec, err := oci.Exec(ctx, ociruntime.ExecOptions{
		Process: p.spec, Stdin: io.Stdin(), Stdout: io.Stdout(), Stderr: io.Stderr(),
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("OCI runtime exec failed: %w", err), io.Close(ctx))
	}
	s.children.Own(exec.Pid())
	p.begin(exec.Pid(), io, exec.Console(), exec)
	p.setStatus(task.Status_RUNNING)
	return exec, nil
}
