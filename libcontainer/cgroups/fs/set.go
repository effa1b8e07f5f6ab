package fs

import (
	"errors"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// controller is one row of what Set does.
type controller struct {
	name string
	// field of linux.resources, for errors.
	field string
	// wanted tells whether the resources say anything for this controller.
	wanted func(*specs.LinuxResources) bool
	set    func(m *Manager, dir string, r *specs.LinuxResources) error
}

func controllers() []controller {
	return []controller{
		{"devices", "devices", func(r *specs.LinuxResources) bool { return len(r.Devices) > 0 }, setDevices},
	}
}

// Set implements cgroups.Manager.
func (m *Manager) Set(r *specs.LinuxResources) error {
	if r == nil {
		return nil
	}
	for _, c := range controllers() {
		if !c.wanted(r) {
			continue
		}
		dir := m.paths[c.name]
		if dir == "" {
			return fmt.Errorf("set linux.resources.%s: %w", c.field, m.absent(c.name))
		}
		if err := c.set(m, dir, r); err != nil {
			return fmt.Errorf("set linux.resources: %w", err)
		}
	}
	return nil
}

func setDevices(m *Manager, dir string, r *specs.LinuxResources) error {
	if m.opts.SetDevices == nil {
		return fmt.Errorf("devices: %w", errors.ErrUnsupported)
	}
	return m.opts.SetDevices(dir, r.Devices)
}
