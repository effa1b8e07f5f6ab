package fs

import (
	"fmt"
	"path/filepath"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"golang.org/x/sys/unix"
)

// inheritCpuset gives the cpuset cgroup dir the CPUs and memory nodes of its
// parent, if it has none. A new v1 cpuset is empty, and no process can be put
// into it then; so are the directories above it that were made with it.
func inheritCpuset(dir string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		if _, err := inherit(dir, file); err != nil {
			return err
		}
	}
	return nil
}

// inherit returns the value of file in dir, after copying it from above where
// it was empty. The recursion ends at the root, which has all.
func inherit(dir, file string) (string, error) {
	value, err := cgroups.ReadFile(dir, file)
	if err != nil || value != "" {
		return value, err
	}
	parent := filepath.Dir(dir)
	if !cgroups.Exists(parent, file) {
		return "", fmt.Errorf("inherit %q: %w (empty in all cgroups above)", dir+"/"+file, unix.ENOSPC)
	}
	value, err = inherit(parent, file)
	if err != nil {
		return "", err
	}
	return value, cgroups.WriteFile(dir, file, value)
}
