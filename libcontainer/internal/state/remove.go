package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// files lists all possible files in the order of their removal.
var files = [...]string{ControlFile, RegionFile, FilterFile, NotifyDir, "." + configFile, configFile, "." + stateFile, stateFile}

// Remove removes a container's directory, the state file last: after a killed delete
// the container can still be deleted. It reports whether it removed the state file;
// of concurrent deletes only one gets true. The container may have made more files in
// the notify directory.
func Remove(dir string) (removed bool, err error) {
	for _, name := range files {
		path := filepath.Join(dir, name)
		err = unix.Unlink(path)
		if name == stateFile {
			removed = err == nil
		}
		switch {
		case errors.Is(err, unix.ENOENT):
			err = nil
		case err != nil && name != stateFile:
			err = os.RemoveAll(path) // the notify directory
		}
		if err != nil {
			return false, fmt.Errorf("remove state %q: %w", path, err)
		}
	}
	if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
		return removed, fmt.Errorf("remove state %q: %w", dir, err)
	}
	return removed, nil
}
