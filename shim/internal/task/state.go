package task

import (
	"context"
	"os"

	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/api/types/task"
	"github.com/containerd/containerd/v2/pkg/protobuf"
	"github.com/containerd/typeurl/v2"
)

// State returns the state of a process.
func (s *Service) State(_ context.Context, r *taskapi.StateRequest) (*taskapi.StateResponse, error) {
	c, p, err := s.process(r.ID, r.ExecID)
	if err != nil {
		return nil, err
	}
	status, exit, at := p.state()
	if status == task.Status_RUNNING && c.isPaused() {
		status = task.Status_PAUSED
	}
	id := p.id
	if id == "" {
		id = c.id
	}
	return &taskapi.StateResponse{
		ID: id, ExecID: p.id, Bundle: c.bundle, Pid: uint32(p.Pid()), Status: status,
		Stdin: p.streams.Stdin, Stdout: p.streams.Stdout, Stderr: p.streams.Stderr, Terminal: p.streams.Terminal,
		ExitStatus: exit, ExitedAt: protobuf.ToTimestamp(at),
	}, nil
}

// Wait returns when a process has ended.
func (s *Service) Wait(ctx context.Context, r *taskapi.WaitRequest) (*taskapi.WaitResponse, error) {
	_, p, err := s.process(r.ID, r.ExecID)
	if err != nil {
		return nil, err
	}
	if err := p.wait(ctx); err != nil {
		return nil, err
	}
	_, exit, at := p.state()
	return &taskapi.WaitResponse{ExitStatus: exit, ExitedAt: protobuf.ToTimestamp(at)}, nil
}

// Pids returns the processes of a container, and the IDs of those that Exec started.
func (s *Service) Pids(ctx context.Context, r *taskapi.PidsRequest) (*taskapi.PidsResponse, error) {
	c, oci, err := s.made(r.ID)
	if err != nil {
		return nil, err
	}
	pids, err := oci.Processes(ctx)
	if err != nil {
		return nil, err
	}
	out := new(taskapi.PidsResponse)
	for _, pid := range pids {
		info := &task.ProcessInfo{Pid: uint32(pid)}
		if id := c.execByPid(pid); id != "" {
			if info.Info, err = typeurl.MarshalAnyToProto(&options.ProcessDetails{ExecID: id}); err != nil {
				return nil, err
			}
		}
		out.Processes = append(out.Processes, info)
	}
	return out, nil
}

// Connect returns the process IDs of the shim and of a container.
func (s *Service) Connect(_ context.Context, r *taskapi.ConnectRequest) (*taskapi.ConnectResponse, error) {
	out := &taskapi.ConnectResponse{ShimPid: uint32(os.Getpid())}
	if c, err := s.container(r.ID); err == nil {
		out.TaskPid = uint32(c.init.Pid())
	}
	return out, nil
}
