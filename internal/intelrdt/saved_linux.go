package intelrdt

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Saved returns the file system of a group in a saved state, which may be forged
// or damaged: it refuses directories of other file systems. The caller can name
// one directory that need not be a resctrl file system.
func Saved(g *Group, named string) (*FS, error) {
	for _, name := range []string{g.Name, g.Monitor} {
		if name == "" {
			continue
		}
		if err := CheckName(name); err != nil {
			return nil, fmt.Errorf("saved group: %w", err)
		}
	}
	if !filepath.IsAbs(g.Root) {
		return nil, fmt.Errorf("saved group: %q: %w (not an absolute path)", g.Root, unix.EINVAL)
	}
	if g.Root != named {
		if err := errors.Join(checkFileSystem(g.Dir()), checkFileSystem(g.MonitorDir())); err != nil {
			return nil, err
		}
	}
	return At(g.Root), nil
}

// checkFileSystem refuses a directory that is not in a resctrl file system. If it
// does not exist, the group was removed.
func checkFileSystem(dir string) error {
	var st unix.Statfs_t
	err := unix.Statfs(dir, &st)
	switch {
	case dir == "" || errors.Is(err, unix.ENOENT):
		return nil
	case err != nil:
		return &fs.PathError{Op: "statfs", Path: dir, Err: err}
	case st.Type != unix.RDTGROUP_SUPER_MAGIC:
		return fmt.Errorf("use group %q: %w (the saved directory is not in a resctrl file system: nothing in it is touched)", dir, unix.EXDEV)
	}
	return nil
}
