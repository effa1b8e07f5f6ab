package cgroups

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Delegate gives the v2 cgroup of m to a user: the directory and the files with
// which its owner makes and fills cgroups below, but none with a limit of its
// own. What the kernel counts among those files is in
// /sys/kernel/cgroup/delegate (Linux 4.15). v1 cannot be delegated safely, and
// is left alone.
func Delegate(m Manager, uid int) error {
	dir := m.Paths()[""]
	if dir == "" {
		return nil
	}
	names := []string{"cgroup.procs", "cgroup.subtree_control", "cgroup.threads"}
	if list, err := os.ReadFile("/sys/kernel/cgroup/delegate"); err == nil {
		names = strings.Fields(string(list))
	}
	return delegate(dir, names, uid)
}

func delegate(dir string, names []string, uid int) error {
	for _, name := range append([]string{"."}, names...) {
		err := os.Lchown(filepath.Join(dir, name), uid, -1)
		// Not every file is in every cgroup: memory.oom.group, for one.
		if err != nil && !(name != "." && errors.Is(err, unix.ENOENT)) {
			return fmt.Errorf("delegate cgroup: %w", err)
		}
	}
	return nil
}
