package cgroups

import (
	"fmt"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
)

// CheckUnused returns the error with which Create would refuse the cgroup of m
// because it is in use. It makes no directory. A caller that saves Paths before
// Create needs it: a cleanup of that saved state kills all processes in there.
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
