package cgroups

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// Delegate makes a user the owner of the v2 cgroup of m: of the directory, and
// of the files that the user needs to make and fill cgroups below it, but of no
// file with a limit of this cgroup. The kernel lists these files in
// /sys/kernel/cgroup/delegate (Linux 4.15). Delegate does nothing on v1, where
// delegation is not safe.
func Delegate(m Manager, uid int) error {
	dir := m.Paths()[""]
	if dir == "" {
		return nil
	}
	names := []string{"cgroup.procs", "cgroup.subtree_control", "cgroup.threads"}
	if list, err := sys.ReadFile("/sys/kernel/cgroup/delegate"); err == nil {
		names = strings.Fields(string(list))
	}
	return delegate(dir, names, uid)
}

func delegate(dir string, names []string, uid int) error {
	for _, name := range append([]string{"."}, names...) {
		err := os.Lchown(filepath.Join(dir, name), uid, -1)
		// Some files are not in every cgroup: memory.oom.group, for one.
		if err != nil && !(name != "." && errors.Is(err, unix.ENOENT)) {
			return fmt.Errorf("delegate cgroup: %w", err)
		}
	}
	return nil
}
