package task

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/containerd/containerd/api/events"
	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/berth-oci/berth/shim/internal/stdio"
)

// Exec adds a process, which Start starts.
func (s *Service) Exec(_ context.Context, r *taskapi.ExecProcessRequest) (*emptypb.Empty, error) {
	c, err := s.container(r.ID)
	if err != nil {
		return nil, err
	}
	if r.ExecID == "" {
		return nil, fmt.Errorf("exec: no ID: %w", errdefs.ErrInvalidArgument)
	}
	p := newProcess(r.ExecID, stdio.Streams{Stdin: r.Stdin, Stdout: r.Stdout, Stderr: r.Stderr, Terminal: r.Terminal})
	p.spec = new(specs.Process)
	if err := json.Unmarshal(r.Spec.GetValue(), p.spec); err != nil {
		return nil, fmt.Errorf("exec: read process: %w: %w", errdefs.ErrInvalidArgument, err)
	}
	p.spec.Terminal = r.Terminal
	if err := c.add(p); err != nil {
		return nil, err
	}
	s.events.send(&events.TaskExecAdded{ContainerID: c.id, ExecID: p.id})
	return &emptypb.Empty{}, nil
}
