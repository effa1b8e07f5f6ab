package task

import (
	"context"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
	"github.com/berth-oci/berth/shim/internal/stdio"
)

// image is a checkpoint to restore.
type image struct {
	dir  string
	spec *specs.Spec
	io   *stdio.IO
}

// prepareRestore opens the streams of a container that Start restores, and locks its
// init's lifecycle as createInit does.
func (s *Service) prepareRestore(ctx context.Context, c *container, i *image) error {
	end := s.children.Begin() // a program that logs
	defer end()
	io, err := s.openIO(ctx, c, c.init.streams)
	if err != nil {
		return err
	}
	i.io = io
	c.init.lifecycle.Lock()
	c.image = i
	c.init.setIO(io)
	return nil
}

// restore makes the container from its checkpoint. After an error it can be tried again,
// and the client must delete it.
func (s *Service) restore(ctx context.Context, c *container) error {
	runtime, err := s.runtime(c.options)
	if err != nil {
		return err
	}
	i := c.image
	oci, err := runtime.Restore(ctx, c.id, ociruntime.RestoreOptions{
		CriuOptions: libcontainer.CriuOptions{
			ImagesDir: i.dir, WorkDir: c.criuWork(c.options.CriuWorkPath),
			// The request has no options for these. Checkpoint has allowed them, or the
			// image has none.
			TCPEstablished: true, ExtUnixSk: true, FileLocks: true,
		},
		Bundle: c.bundle, Spec: i.spec, Stdin: i.io.Stdin(), Stdout: i.io.Stdout(), Stderr: i.io.Stderr(),
		NoPivot: c.options.NoPivotRoot,
	})
	if err != nil {
		return fmt.Errorf("OCI runtime restore failed: %w", err)
	}
	c.image = nil
	s.beginInit(c, oci, i.io)
	return nil
}

// abandonImage ends a container that is not restored, for its deletion. It returns the
// container of package runtime; nil before the restore.
func (c *container) abandonImage() *ociruntime.Container {
	c.init.lifecycle.Lock()
	defer c.init.lifecycle.Unlock()
	if c.image != nil {
		c.image = nil
		c.init.ended(unknownStatus)
		close(c.init.done)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.oci
}
