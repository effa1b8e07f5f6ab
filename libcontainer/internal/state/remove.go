package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// files are all files there can be, in the order in which they are
// removed.
var files = [...]string{ControlFile, RegionFile, FilterFile, NotifyDir, "." + configFile, configFile, "." + stateFile, stateFile}

// Remove removes a container's directory, its state file last, so that
// what is left by a delete that was killed can still be deleted. It reports
// whether there was a state, which only one of several deletes is told. The
// container may have put more into the directory that it sees of it.
func Remove(dir string) (removed bool, err error) {
	for _, name := range files {
		path := filepath.Join(dir, name)
		if name == stateFile {
			err = unix.Unlink(path)
			removed = err == nil
			if errors.Is(err, unix.ENOENT) {
				err = nil
			}
		} else {
			err = os.RemoveAll(path)
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
