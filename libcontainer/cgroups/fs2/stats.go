package fs2

import "github.com/berth-oci/berth/libcontainer/cgroups"

// Stats implements cgroups.Manager.
func (m *Manager) Stats() (*cgroups.Stats, error) {
	return &cgroups.Stats{}, nil
}
