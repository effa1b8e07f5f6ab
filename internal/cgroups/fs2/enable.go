package fs2

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
)

// enable makes a controller available in the cgroup dir: it writes the
// cgroup.subtree_control of each cgroup above, from the top down, if the
// controller is not enabled yet. The first enabling of a controller waits for
// RCU, up to 25 ms.
func enable(dir, controller string) error { return enableAll(dir, []string{controller})[controller] }

// enableAll is enable for several controllers. It returns the errors of those that
// cannot be enabled.
func enableAll(dir string, controllers []string) map[string]error {
	failed := map[string]error{}
	lacking := func(err error) map[string]error {
		for _, c := range controllers {
			failed[c] = fmt.Errorf("enable controller %q: %w", c, err)
		}
		return failed
	}
	present, err := cgroupfs.ReadFile(dir, "cgroup.controllers")
	if err != nil {
		return lacking(err)
	}
	controllers = without(controllers, strings.Fields(present))
	if len(controllers) == 0 {
		return failed
	}
	parent := filepath.Dir(dir)
	above, err := cgroupfs.Exists(parent, "cgroup.subtree_control")
	if err != nil {
		return lacking(err)
	}
	if !above {
		return missing(dir, controllers)
	}
	failed = enableAll(parent, controllers)
	for _, c := range without(controllers, slices.Collect(maps.Keys(failed))) {
		if err := enableBelow(parent, c); err != nil {
			failed[c] = err
		}
	}
	return failed
}

// without returns the words that are not in remove.
func without(words, remove []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return slices.Contains(remove, w) })
}

// enableBelow enables a controller for the cgroups directly below dir. One write for
// several controllers would fail for all of them.
func enableBelow(dir, controller string) error {
	err := cgroupfs.WriteFile(dir, "cgroup.subtree_control", "+"+controller)
	remedy := ""
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ENOENT):
		return missing(dir, []string{controller})[controller]
	case errors.Is(err, unix.EBUSY):
		remedy = " (that cgroup holds processes itself: move them into a cgroup below it, or choose another linux.cgroupsPath)"
	case errors.Is(err, unix.EOPNOTSUPP):
		remedy = " (that cgroup is threaded)"
	}
	return fmt.Errorf("enable controller %q: %w%s", controller, err, remedy)
}

// missing returns the errors for controllers that dir, the topmost visible
// cgroup, does not have, with a remedy. Only the root of the hierarchy has no
// cgroup.type (cgroups(7)); any other is the root of a cgroup namespace, or of
// a mount.
func missing(dir string, controllers []string) map[string]error {
	below, err := cgroupfs.Exists(dir, "cgroup.type")
	failed := map[string]error{}
	for _, c := range controllers {
		remedy := "absent from the kernel, disabled at boot by cgroup_disable=, or in use by a v1 hierarchy: see /proc/cgroups"
		if below && err == nil {
			remedy = fmt.Sprintf("the cgroup above has to enable it: write \"+%s\" to its cgroup.subtree_control on the host", c)
		}
		failed[c] = cgroupfs.Missing("controller %q is not available in the cgroup %q (%s)", c, dir, remedy)
	}
	return failed
}
