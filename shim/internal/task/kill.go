package task

import (
	"context"
	"errors"
	"fmt"

	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/berth-oci/berth/libcontainer"
)

// Kill sends a signal to a process, or to all processes of a container.
func (s *Service) Kill(ctx context.Context, r *taskapi.KillRequest) (*emptypb.Empty, error) {
	c, p, err := s.process(r.ID, r.ExecID)
	if err != nil {
		return nil, err
	}
	sig := unix.Signal(r.Signal)
	if p == c.init {
		err = c.kill(ctx, sig, r.All)
	} else {
		err = p.kill(ctx, sig)
	}
	// Clients take this text and class for the normal end of a kill.
	if errors.Is(err, libcontainer.ErrNotRunning) || errors.Is(err, libcontainer.ErrNotExist) {
		return nil, fmt.Errorf("process already finished: %w", errdefs.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}

// kill sends a signal to init, or to all processes.
func (c *container) kill(ctx context.Context, sig unix.Signal, all bool) error {
	oci, err := c.made()
	if err != nil {
		return fmt.Errorf("container %q: not restored yet: %w", c.id, libcontainer.ErrNotExist)
	}
	if all {
		return oci.KillAll(ctx, sig)
	}
	return oci.Kill(ctx, sig)
}
