package task

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/api/events"
	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/opencontainers/runtime-spec/specs-go"

	ociruntime "github.com/berth-oci/berth/runtime"
	"github.com/berth-oci/berth/shim/internal/options"
	"github.com/berth-oci/berth/shim/internal/rootfs"
	"github.com/berth-oci/berth/shim/internal/stdio"
	"github.com/berth-oci/berth/specconv"
)

// Create makes a container, up to but without running its program. From a checkpoint it
// makes only the root file system and the streams: Start restores the processes.
func (s *Service) Create(ctx context.Context, r *taskapi.CreateTaskRequest) (*taskapi.CreateTaskResponse, error) {
	if err := s.reserve(r.ID); err != nil {
		return nil, err
	}
	c, err := s.create(ctx, r)
	if err != nil {
		s.forget(r.ID)
		return nil, err
	}
	s.set(c)
	s.events.send(&events.TaskCreate{
		ContainerID: r.ID, Bundle: r.Bundle, Rootfs: r.Rootfs, Pid: uint32(c.init.Pid()),
		IO:         &events.TaskIO{Stdin: r.Stdin, Stdout: r.Stdout, Stderr: r.Stderr, Terminal: r.Terminal},
		Checkpoint: r.Checkpoint,
	})
	c.init.lifecycle.Unlock()
	return &taskapi.CreateTaskResponse{Pid: uint32(c.init.Pid())}, nil
}

// create makes the container, with its init's lifecycle locked.
func (s *Service) create(ctx context.Context, r *taskapi.CreateTaskRequest) (*container, error) {
	opts, err := options.FromAny(r.Options)
	if err != nil {
		return nil, err
	}
	if err := opts.Save(r.Bundle); err != nil {
		return nil, fmt.Errorf("save options: %w", err)
	}
	spec, err := readSpec(r.Bundle)
	if err != nil {
		return nil, err
	}
	c := &container{
		id: r.ID, bundle: r.Bundle, options: opts, sharedPids: sharesPids(spec), execs: make(map[string]*process),
		init: newProcess("", stdio.Streams{Stdin: r.Stdin, Stdout: r.Stdout, Stderr: r.Stderr, Terminal: r.Terminal}),
	}
	if c.rootfs, err = rootfs.Mount(r.Bundle, r.Rootfs); err != nil {
		return nil, err
	}
	if r.Checkpoint != "" {
		err = s.prepareRestore(ctx, c, &image{dir: r.Checkpoint, spec: spec})
	} else {
		err = s.createInit(ctx, c, spec)
	}
	if err != nil {
		return nil, errors.Join(err, rootfs.Unmount(c.rootfs))
	}
	return c, nil
}

// createInit makes the container with its init.
func (s *Service) createInit(ctx context.Context, c *container, spec *specs.Spec) error {
	runtime, err := s.runtime(c.options)
	if err != nil {
		return err
	}
	end := s.children.Begin()
	defer end()
	io, err := s.openIO(ctx, c, c.init.streams)
	if err != nil {
		return err
	}
	oci, err := runtime.Create(ctx, c.id, ociruntime.CreateOptions{
		Bundle: c.bundle, Spec: spec, Stdin: io.Stdin(), Stdout: io.Stdout(), Stderr: io.Stderr(),
		NoPivot: c.options.NoPivotRoot, SharedKeyring: c.options.NoNewKeyring, Attached: true,
	})
	if err != nil {
		return errors.Join(fmt.Errorf("OCI runtime create failed: %w", err), io.Close(ctx))
	}
	c.init.lifecycle.Lock()
	s.beginInit(c, oci, io)
	return nil
}

// beginInit is called when the init process exists, with its lifecycle locked.
func (s *Service) beginInit(c *container, oci *ociruntime.Container, io *stdio.IO) {
	c.setMade(oci)
	s.children.Own(oci.Pid())
	c.init.begin(oci.Pid(), io, oci.Console(), nil)
	go s.awaitInit(c, oci)
	s.watchOOM(c, oci)
}

// runtime returns the runtime for the state root of a container.
func (s *Service) runtime(o *options.Options) (*ociruntime.Runtime, error) {
	return ociruntime.New(ociruntime.Options{
		Root: o.StateRoot(s.namespace), SystemdCgroup: o.SystemdCgroup,
		Rootless: ociruntime.Unprivileged(o.SystemdCgroup), Log: slog.Default(),
	})
}

func (s *Service) openIO(ctx context.Context, c *container, streams stdio.Streams) (*stdio.IO, error) {
	return stdio.Open(ctx, streams, stdio.Options{
		Container: c.id, Namespace: s.namespace, UID: int(c.options.IoUid), GID: int(c.options.IoGid), Owner: s.children,
	})
}

// readSpec reads the bundle's config.json.
func readSpec(bundle string) (*specs.Spec, error) {
	text, err := os.ReadFile(filepath.Join(bundle, "config.json"))
	if err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	spec, err := specconv.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	return spec, nil
}
