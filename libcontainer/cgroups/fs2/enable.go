package fs2

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"golang.org/x/sys/unix"
)

// enable makes a controller available in the cgroup dir, by enabling it in the
// cgroup.subtree_control of each cgroup above, from the top down, where it is
// not yet. The first to enable one waits for RCU, up to 25 ms.
func enable(dir, controller string) error {
	has, err := lists(dir, "cgroup.controllers", controller)
	if err != nil || has {
		return err
	}
	parent := filepath.Dir(dir)
	if !cgroups.Exists(parent, "cgroup.subtree_control") {
		return fmt.Errorf("controller %q is not in %q: %w (absent from the kernel, disabled at boot, or in use by a v1 hierarchy)",
			controller, dir+"/cgroup.controllers", errors.Join(errors.ErrUnsupported, unix.ENOENT))
	}
	if err := enable(parent, controller); err != nil {
		return err
	}
	err = cgroups.WriteFile(parent, "cgroup.subtree_control", "+"+controller)
	switch {
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("enable controller %q: %w (that cgroup holds processes itself: move them into a cgroup below it, or choose another linux.cgroupsPath)", controller, err)
	case errors.Is(err, unix.EOPNOTSUPP):
		return fmt.Errorf("enable controller %q: %w (that cgroup is threaded)", controller, err)
	case err != nil:
		return fmt.Errorf("enable controller %q: %w", controller, err)
	}
	return nil
}

func lists(dir, file, word string) (bool, error) {
	s, err := cgroups.ReadFile(dir, file)
	return slices.Contains(strings.Fields(s), word), err
}
