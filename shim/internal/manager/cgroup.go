package manager

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// cgroupMounts are where hosts mount the hierarchies: v2 alone, and v1.
var cgroupMounts = []string{"/sys/fs/cgroup", "/sys/fs/cgroup/*"}

// joinCgroup moves a shim to an existing cgroup, in each hierarchy that has it.
func joinCgroup(path string, pid int) error {
	if path == "" {
		return nil
	}
	joined := false
	for _, pattern := range cgroupMounts {
		mounts, err := filepath.Glob(pattern)
		if err != nil {
			return err
		}
		for _, mount := range mounts {
			err := enter(filepath.Join(mount, path), pid)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return fmt.Errorf("move the shim to cgroup %q: %w", path, err)
			}
			joined = true
		}
	}
	if !joined {
		return fmt.Errorf("move the shim to cgroup %q: it does not exist", path)
	}
	return nil
}

func enter(dir string, pid int) error {
	f, err := os.OpenFile(filepath.Join(dir, "cgroup.procs"), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(strconv.Itoa(pid))
	return errors.Join(err, f.Close())
}
