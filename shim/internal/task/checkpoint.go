package task

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/containerd/containerd/api/events"
	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/berth-oci/berth/libcontainer"
)

// workDir is the directory in the bundle for CRIU's logs, unless the client names another:
// the image is what clients store and send.
const workDir = "criu"

// Checkpoint saves the processes of a container as an image in a directory of the client.
// With the option Exit it then ends the container; a client deletes it as any other.
func (s *Service) Checkpoint(ctx context.Context, r *taskapi.CheckpointTaskRequest) (*emptypb.Empty, error) {
	c, oci, err := s.made(r.ID)
	if err != nil {
		return nil, err
	}
	o, err := c.checkpointOptions(r)
	if err != nil {
		return nil, err
	}
	// The event of the exit comes after that of the checkpoint.
	c.init.lifecycle.Lock()
	defer c.init.lifecycle.Unlock()
	end := s.children.Begin()
	defer end()
	if err := oci.Checkpoint(ctx, *o); err != nil {
		return nil, fmt.Errorf("OCI runtime checkpoint failed: %w", err)
	}
	s.events.send(&events.TaskCheckpointed{ContainerID: c.id, Checkpoint: r.Path})
	return &emptypb.Empty{}, nil
}

func (c *container) checkpointOptions(r *taskapi.CheckpointTaskRequest) (*libcontainer.CheckpointOptions, error) {
	if r.Path == "" {
		return nil, fmt.Errorf("checkpoint: no path of an image: %w", errdefs.ErrInvalidArgument)
	}
	o := new(options.CheckpointOptions)
	if r.Options != nil {
		if err := typeurl.UnmarshalTo(r.Options, o); err != nil {
			return nil, fmt.Errorf("checkpoint: read options: %w: %w", errdefs.ErrInvalidArgument, err)
		}
	}
	return &libcontainer.CheckpointOptions{
		CriuOptions: libcontainer.CriuOptions{
			ImagesDir: r.Path, WorkDir: c.criuWork(o.WorkPath),
			TCPEstablished: o.OpenTcp, ExtUnixSk: o.ExternalUnixSockets, ShellJob: o.Terminal, FileLocks: o.FileLocks,
			ManageCgroups: o.CgroupsMode, EmptyNamespaces: o.EmptyNamespaces,
		},
		LeaveRunning: !o.Exit,
	}, nil
}

// criuWork returns the directory of CRIU's log.
func (c *container) criuWork(option string) string {
	if option != "" {
		return option
	}
	return filepath.Join(c.bundle, workDir)
}
