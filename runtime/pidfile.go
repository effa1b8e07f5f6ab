package ociruntime

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// writePidFile writes a process id, in decimal and without a newline, to a
// file that is never seen half-written.
func writePidFile(path string, pid int) error {
	tmp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path))
	const flags = os.O_CREATE | os.O_EXCL | os.O_WRONLY
	f, err := os.OpenFile(tmp, flags, 0o666)
	if errors.Is(err, fs.ErrExist) { // who made it was killed here
		if err = unix.Unlink(tmp); err == nil {
			f, err = os.OpenFile(tmp, flags, 0o666)
		}
	}
	if err != nil {
		return fmt.Errorf("write pid file: %w", err)
	}
	_, err = f.WriteString(strconv.Itoa(pid))
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		os.Remove(tmp) //nolint:errcheck // err says more
		return fmt.Errorf("write pid file: %w", err)
	}
	return nil
}
