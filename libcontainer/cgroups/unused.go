package cgroups

import (
	"fmt"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
)

// CheckUnused returns the error with which Create would refuse the cgroup of m
// as another's. It makes nothing: it is for who saves Paths before Create, and
// kills what is in there when the saved state is cleaned up.
func CheckUnused(m Manager) error {
	for _, dir := range m.Paths() {
		if err := cgroupfs.CheckEmpty(dir); err != nil && !cgroupfs.Vanished(err) {
			return err
		}
	}
	frozen, err := Frozen(m)
	if err != nil {
		return err
	}
	if frozen {
		return fmt.Errorf("use cgroup: %w", ErrFrozen)
	}
	return nil
}
