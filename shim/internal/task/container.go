package task

import (
	"context"
	"fmt"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/runtime-spec/specs-go"

	ociruntime "github.com/berth-oci/berth/runtime"
	"github.com/berth-oci/berth/shim/internal/options"
)

// container is a container of this shim.
type container struct {
	id, bundle string
	// rootfs is the directory that this shim has mounted a root file system on; "" if the
	// client has.
	rootfs  string
	options *options.Options
	init    *process
	// sharedPids says that the kernel does not kill the other processes when init ends.
	sharedPids bool
	// image is the checkpoint that Start restores; nil for other containers, and when it
	// is restored. init.lifecycle protects it.
	image *image
	// stopWatch ends the watch for OOM kills; nil before there is one.
	stopWatch context.CancelFunc
	watched   sync.WaitGroup

	mu sync.Mutex
	// oci is nil before it is restored from a checkpoint.
	oci    *ociruntime.Container
	execs  map[string]*process
	paused bool
	// initEnded forbids new processes: init's exit must be the last.
	initEnded bool
	// running counts the started exec processes.
	running sync.WaitGroup
}

// made returns the container of package runtime. The error is errdefs.ErrFailedPrecondition
// for one that Start must restore first.
func (c *container) made() (*ociruntime.Container, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.oci == nil {
		return nil, fmt.Errorf("container %q: not restored yet: %w", c.id, errdefs.ErrFailedPrecondition)
	}
	return c.oci, nil
}

func (c *container) setMade(oci *ociruntime.Container) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.oci = oci
}

// process returns init for an empty ID.
func (c *container) process(exec string) (*process, error) {
	if exec == "" {
		return c.init, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.execs[exec]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("container %q: process %q: %w", c.id, exec, errdefs.ErrNotFound)
}

// add adds a process that is not started yet.
func (c *container) add(p *process) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.execs[p.id]; ok {
		return fmt.Errorf("container %q: process %q: %w", c.id, p.id, errdefs.ErrAlreadyExists)
	}
	c.execs[p.id] = p
	return nil
}

func (c *container) remove(exec string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.execs, exec)
}

// beginExec counts a process that is about to start; if that fails, call running.Done.
func (c *container) beginExec() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.initEnded {
		return fmt.Errorf("container %q: init has ended: %w", c.id, errdefs.ErrFailedPrecondition)
	}
	c.running.Add(1)
	return nil
}

func (c *container) setInitEnded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.initEnded = true
}

func (c *container) setPaused(paused bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paused = paused
}

func (c *container) isPaused() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paused
}

// execByPid returns the ID of the exec process with the pid; "" if it is another process.
func (c *container) execByPid(pid int) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, p := range c.execs {
		if p.Pid() == pid {
			return id
		}
	}
	return ""
}

// sharesPids reports whether the container has no pid namespace of its own.
func sharesPids(s *specs.Spec) bool {
	if s.Linux == nil {
		return true
	}
	for _, n := range s.Linux.Namespaces {
		if n.Type == specs.PIDNamespace {
			return n.Path != ""
		}
	}
	return true
}
