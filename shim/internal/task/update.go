package task

import (
	"context"
	"encoding/json"
	"fmt"

	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/emptypb"

	ociruntime "github.com/berth-oci/berth/runtime"
	"github.com/berth-oci/berth/shim/internal/metrics"
)

// Update changes the limits of a container.
func (s *Service) Update(ctx context.Context, r *taskapi.UpdateTaskRequest) (*emptypb.Empty, error) {
	_, oci, err := s.made(r.ID)
	if err != nil {
		return nil, err
	}
	resources := new(specs.LinuxResources)
	if err := json.Unmarshal(r.Resources.GetValue(), resources); err != nil {
		return nil, fmt.Errorf("update: read resources: %w: %w", errdefs.ErrInvalidArgument, err)
	}
	if err := oci.Update(ctx, ociruntime.UpdateOptions{Resources: resources}); err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}

// Stats returns the statistics of a container's cgroup.
func (s *Service) Stats(ctx context.Context, r *taskapi.StatsRequest) (*taskapi.StatsResponse, error) {
	_, oci, err := s.made(r.ID)
	if err != nil {
		return nil, err
	}
	stats, err := oci.Stats(ctx)
	if err != nil {
		return nil, err
	}
	message, err := typeurl.MarshalAnyToProto(metrics.Message(&stats.Stats))
	if err != nil {
		return nil, err
	}
	return &taskapi.StatsResponse{Stats: message}, nil
}
