package libcontainer

import (
	"context"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// Update changes the resource limits of a container that has not stopped; what
// of r is nil or absent stays as it is. Device rules are never changed: others
// (systemd, drivers of GPUs) add to those that the container began with, and
// callers send them along with what they mean to change. When a limit is
// refused none is changed.
func (c *Container) Update(ctx context.Context, r *specs.LinuxResources) error {
	return opError("update", c.ID(), "", c.update(ctx, r))
}

func (c *Container) update(ctx context.Context, r *specs.LinuxResources) error {
	l, status, err := c.lockStatus(ctx)
	if err != nil {
		return err
	}
	defer l.unlock()
	if status == Stopped {
		return ErrNotRunning
	}
	cfg, err := readConfig(c.dir)
	if err != nil {
		return err
	}
	saved := cfg.Resources
	if saved == nil {
		saved = new(specs.LinuxResources)
	}
	change := completed(r, saved)
	if len(r.Devices) > 0 && c.log != nil {
		c.log.Debug("device rules stay as they are", "id", c.ID())
	}
	if err := c.cgroup().Set(change); err != nil {
		return cgroups.Remedy(err)
	}
	mergeResources(saved, r)
	cfg.Resources = saved
	if err := writeJSON(c.dir, configFile, cfg); err != nil {
		return fmt.Errorf("the limits hold, but are not remembered: write state: %w", err)
	}
	return nil
}

// completed returns what to set for a change r of the resources saved: without
// device rules, and with what the change is to be judged by.
func completed(r, saved *specs.LinuxResources) *specs.LinuxResources {
	change := *r
	change.Devices = nil
	if r.Memory == nil || saved.Memory == nil {
		return &change
	}
	mem := *r.Memory
	change.Memory = &mem
	if mem.CheckBeforeUpdate == nil {
		mem.CheckBeforeUpdate = saved.Memory.CheckBeforeUpdate
	}
	// memory.swap counts both. On v2 the limit of swap alone is what is left of
	// it, so it has to move with the limit of memory.
	if !isSet(mem.Swap) && isSet(mem.Limit) && *mem.Limit != -1 {
		mem.Swap = saved.Memory.Swap
	}
	return &change
}
