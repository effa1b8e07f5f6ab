package fs2

import (
	"errors"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Set implements cgroups.Manager.
func (m *Manager) Set(r *specs.LinuxResources) error {
	if r == nil {
		return nil
	}
	if len(r.Devices) > 0 {
		if m.dir == "" {
			return fmt.Errorf("set linux.resources.devices: %w", m.absent())
		}
		if m.opts.SetDevices == nil {
			return fmt.Errorf("set linux.resources.devices: %w", errors.ErrUnsupported)
		}
		if err := m.opts.SetDevices(m.dir, r.Devices); err != nil {
			return fmt.Errorf("set linux.resources: %w", err)
		}
	}
	return nil
}
