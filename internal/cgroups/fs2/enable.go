package fs2

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"golang.org/x/sys/unix"
)

// enable makes a controller available in the cgroup dir: it writes the
// cgroup.subtree_control of each cgroup above, from the top down, if the
// controller is not enabled yet. The first enabling of a controller waits for
// RCU, up to 25 ms.
func enable(dir, controller string) error {
	has, err := lists(dir, "cgroup.controllers", controller)
	if err != nil || has {
		return err
	}
	parent := filepath.Dir(dir)
	above, err := cgroupfs.Exists(parent, "cgroup.subtree_control")
	if err != nil {
		return fmt.Errorf("enable controller %q: %w", controller, err)
	}
	if !above {
		return missing(dir, controller)
	}
	if err := enable(parent, controller); err != nil {
		return err
	}
	err = cgroupfs.WriteFile(parent, "cgroup.subtree_control", "+"+controller)
	switch {
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("enable controller %q: %w (that cgroup holds processes itself: move them into a cgroup below it, or choose another linux.cgroupsPath)", controller, err)
	case errors.Is(err, unix.ENOENT):
		return missing(parent, controller)
	case errors.Is(err, unix.EOPNOTSUPP):
		return fmt.Errorf("enable controller %q: %w (that cgroup is threaded)", controller, err)
	case err != nil:
		return fmt.Errorf("enable controller %q: %w", controller, err)
	}
	return nil
}

func lists(dir, file, word string) (bool, error) {
	s, err := cgroupfs.ReadFile(dir, file)
	return slices.Contains(strings.Fields(s), word), err
}

// missing returns the error for a controller that dir, the topmost visible
// cgroup, does not have, with a remedy. Only the root of the hierarchy has no
// cgroup.type (cgroups(7)); any other is the root of a cgroup namespace, or of
// a mount.
func missing(dir, controller string) error {
	remedy := "absent from the kernel, disabled at boot by cgroup_disable=, or in use by a v1 hierarchy: see /proc/cgroups"
	if below, err := cgroupfs.Exists(dir, "cgroup.type"); below && err == nil {
		remedy = fmt.Sprintf("the cgroup above has to enable it: write \"+%s\" to its cgroup.subtree_control on the host", controller)
	}
	return cgroupfs.Missing("controller %q is not available in the cgroup %q (%s)", controller, dir, remedy)
}
