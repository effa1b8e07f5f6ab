// Package task is containerd's task service. Its operations are calls of package runtime;
// the containers are children of this process.
package task

import (
	"context"
	"fmt"
	"sync"

	"github.com/containerd/containerd/v2/pkg/shim"
	"github.com/containerd/containerd/v2/pkg/shutdown"
	"github.com/containerd/errdefs"

	ociruntime "github.com/berth-oci/berth/runtime"
	"github.com/berth-oci/berth/shim/internal/children"
)

// Service has the containers of a shim: one, or those of a pod.
type Service struct {
	namespace string
	shutdown  shutdown.Service
	events    *queue
	children  *children.Children

	mu sync.Mutex
	// containers has a nil container while it is created.
	containers map[string]*container
}

// New returns a service without containers. It reaps orphans until ctx ends.
func New(ctx context.Context, namespace string, publisher shim.Publisher, sd shutdown.Service) *Service {
	s := &Service{
		namespace: namespace, shutdown: sd, events: newQueue(namespace, publisher), children: children.New(),
		containers: make(map[string]*container),
	}
	go s.children.Watch(ctx)
	return s
}

// close publishes the last events.
func (s *Service) close(ctx context.Context) error { return s.events.close(ctx) }

// container returns a container by its ID.
func (s *Service) container(id string) (*container, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.containers[id]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("container %q: not created: %w", id, errdefs.ErrNotFound)
}

// made returns a container that is not still to be restored.
func (s *Service) made(id string) (*container, *ociruntime.Container, error) {
	c, err := s.container(id)
	if err != nil {
		return nil, nil, err
	}
	oci, err := c.made()
	return c, oci, err
}

// process returns a process of a container: its init if exec is empty.
func (s *Service) process(id, exec string) (*container, *process, error) {
	c, err := s.container(id)
	if err != nil {
		return nil, nil, err
	}
	p, err := c.process(exec)
	return c, p, err
}

// reserve claims an ID for a new container.
func (s *Service) reserve(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.containers[id]; ok {
		return fmt.Errorf("container %q: %w", id, errdefs.ErrAlreadyExists)
	}
	s.containers[id] = nil
	return nil
}

// set stores the container that has been created.
func (s *Service) set(c *container) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.containers[c.id] = c
}

// forget releases an ID.
func (s *Service) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.containers, id)
}
