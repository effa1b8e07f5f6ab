package libcontainer

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// UpdateOptions are the options of Update.
type UpdateOptions struct {
	// Resources are the new limits. Fields that are nil, or 0 in most cases, stay
	// unchanged. Update ignores Devices: systemd and GPU drivers add rules to those
	// of create, and callers repeat the old rules with every change.
	Resources *specs.LinuxResources
	// IntelRdt has new lines for the schemata of the container's resctrl group;
	// Update ignores its other fields. May be nil.
	IntelRdt *specs.LinuxIntelRdt
}

// Update changes the limits of a container that has not stopped (else ErrNotRunning).
// After an error no limit is changed.
func (c *Container) Update(ctx context.Context, o UpdateOptions) error {
	return opError("update", c.ID(), c.update(ctx, o))
}

func (c *Container) update(ctx context.Context, o UpdateOptions) error {
	c, l, status, err := c.lockStatus(ctx)
	if err != nil {
		return err
	}
	defer l.Unlock()
	if status == Stopped {
		return ErrNotRunning
	}
	cfg, err := state.ReadConfig(c.dir)
	if err != nil {
		return err
	}
	if o.IntelRdt == nil {
		o.IntelRdt = new(specs.LinuxIntelRdt)
	}
	restore, err := c.updateResctrl(o.IntelRdt)
	if err != nil {
		return err
	}
	if o.Resources != nil {
		if cfg.Resources == nil {
			cfg.Resources = new(specs.LinuxResources)
		}
		if err := c.updateCgroup(o.Resources, cfg.Resources); err != nil {
			return errors.Join(err, restore())
		}
		mergeResources(cfg.Resources, o.Resources)
	}
	if rdt := cfg.IntelRdt; rdt != nil {
		rdt.L3CacheSchema = cmp.Or(o.IntelRdt.L3CacheSchema, rdt.L3CacheSchema)
		rdt.MemBwSchema = cmp.Or(o.IntelRdt.MemBwSchema, rdt.MemBwSchema)
	}
	if err := state.WriteConfig(c.dir, cfg); err != nil {
		return fmt.Errorf("the limits are set, but could not be saved: write state: %w", err)
	}
	return nil
}

// updateCgroup applies the change r; saved are the present limits.
func (c *Container) updateCgroup(r, saved *specs.LinuxResources) error {
	if len(r.Devices) > 0 && c.log != nil {
		c.log.Debug("device rules stay as they are", "id", c.ID())
	}
	return c.cgroupError(c.cgroup().Set(completed(r, saved)))
}

// completed returns the change r without device rules, and with the saved fields that
// the cgroup manager needs to check or convert it.
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
	// memory.swap limits memory and swap together. v2 limits swap alone, to the
	// difference, so it changes with the limit of memory.
	if !isSet(mem.Swap) && isSet(mem.Limit) && *mem.Limit != -1 {
		mem.Swap = saved.Memory.Swap
	}
	return &change
}
