package ociruntime

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// checkPidFile refuses a path that writePidFile must not replace: a device, FIFO,
// socket or directory, or a symbolic link to one (/dev/stdout).
func checkPidFile(path string) error {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("write pid file: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("write pid file: %q exists and is not a regular file: name another one", path)
	}
	return nil
}

// writePidFile writes a process id, in decimal and without a newline, to a
// file that is never seen half-written. A symbolic link is replaced, as by runc.
func writePidFile(path string, pid int) error {
	tmp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path))
	f, err := createTemporary(tmp)
	if err != nil {
		return fmt.Errorf("write pid file: %w", err)
	}
	_, err = f.WriteString(strconv.Itoa(pid))
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = sys.Rename(tmp, path)
	}
	if err != nil {
		os.Remove(tmp) //nolint:errcheck // err says more
		return fmt.Errorf("write pid file: %w", err)
	}
	return nil
}

// createTemporary creates the file. It replaces one that a runtime left when it was
// killed.
func createTemporary(path string) (*os.File, error) {
	const flags = os.O_CREATE | os.O_EXCL | os.O_WRONLY
	f, err := sys.OpenFile(path, flags, 0o666)
	if !errors.Is(err, fs.ErrExist) {
		return f, err
	}
	if info, e := os.Lstat(path); e == nil && !info.Mode().IsRegular() && info.Mode().Type() != fs.ModeSymlink {
		return nil, err
	}
	if err := unix.Unlink(path); err != nil {
		return nil, &fs.PathError{Op: "unlink", Path: path, Err: err}
	}
	return sys.OpenFile(path, flags, 0o666)
}
