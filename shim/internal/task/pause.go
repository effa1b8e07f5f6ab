package task

import (
	"context"

	"github.com/containerd/containerd/api/events"
	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Pause freezes all processes of a container.
func (s *Service) Pause(ctx context.Context, r *taskapi.PauseRequest) (*emptypb.Empty, error) {
	c, oci, err := s.made(r.ID)
	if err != nil {
		return nil, err
	}
	if err := oci.Pause(ctx); err != nil {
		return nil, err
	}
	c.setPaused(true)
	s.events.send(&events.TaskPaused{ContainerID: c.id})
	return &emptypb.Empty{}, nil
}

// Resume thaws a paused container.
func (s *Service) Resume(ctx context.Context, r *taskapi.ResumeRequest) (*emptypb.Empty, error) {
	c, oci, err := s.made(r.ID)
	if err != nil {
		return nil, err
	}
	if err := oci.Resume(ctx); err != nil {
		return nil, err
	}
	c.setPaused(false)
	s.events.send(&events.TaskResumed{ContainerID: c.id})
	return &emptypb.Empty{}, nil
}
