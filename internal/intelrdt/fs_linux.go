// Package intelrdt puts processes into the groups of the resctrl file system,
// which divides caches and memory bandwidth, and reads the usage of the groups
// (the kernel's filesystems/resctrl.rst).
package intelrdt

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/mountinfo"
	"github.com/berth-oci/berth/internal/sys"
)

// DefaultRoot is the usual mount point of resctrl.
const DefaultRoot = "/sys/fs/resctrl"

// ErrNotMounted means that no resctrl file system is mounted.
var ErrNotMounted = errors.New("no resctrl file system is mounted")

// FS is a mounted resctrl file system.
type FS struct {
	root string

	// The kernel populates new directories and empties removed ones. Tests
	// replace these functions to do the same.
	mkdir func(path string, mode uint32) error
	rmdir func(path string) error
}

// At returns the file system mounted at root.
func At(root string) *FS { return &FS{root: root, mkdir: unix.Mkdir, rmdir: unix.Rmdir} }

// Find looks for a mounted resctrl file system, first at DefaultRoot, then
// among all mounts. It returns ErrNotMounted, with the remedy, if none is
// mounted.
func Find() (*FS, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(DefaultRoot, &st); err == nil && st.Type == unix.RDTGROUP_SUPER_MAGIC {
		return At(DefaultRoot), nil
	}
	list, err := mountinfo.Read()
	if err != nil {
		return nil, fmt.Errorf("find resctrl: %w", err)
	}
	if root := findMount(list); root != "" {
		return At(root), nil
	}
	known, err := os.ReadFile("/proc/filesystems")
	if err != nil {
		return nil, fmt.Errorf("find resctrl: %w", err)
	}
	if slices.Contains(strings.Fields(string(known)), "resctrl") {
		return nil, fmt.Errorf("%w (mount -t resctrl resctrl %s)", ErrNotMounted, DefaultRoot)
	}
	return nil, fmt.Errorf("%w, and this kernel does not support it (it needs a CPU with RDT and Linux with CONFIG_X86_CPU_RESCTRL; then mount -t resctrl resctrl %s)", ErrNotMounted, DefaultRoot)
}

// findMount returns the mount point of the first resctrl file system, or "".
func findMount(list []mountinfo.Mount) string {
	for _, m := range list {
		if m.Type == "resctrl" {
			return m.Point
		}
	}
	return ""
}

// lockTime is how long to wait for the lock.
const lockTime = 10 * time.Second

// lock takes the lock that applications hold while they change several files
// (resctrl.rst, Locking between applications).
func (fs *FS) lock() (*os.File, error) {
	f, err := os.Open(fs.root)
	if err != nil {
		return nil, err
	}
	err = sys.Flock(f, lockTime)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = fmt.Errorf("another process holds the lock for more than %s: %w", lockTime, err)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %q: %w", fs.root, err)
	}
	return f, nil
}

// write writes a line to a file, with one write(2).
func (fs *FS) write(path, line string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := unix.Write(int(f.Fd()), []byte(line+"\n")); err != nil {
		return fmt.Errorf("write %q to %q: %w", line, path, fs.explain(err))
	}
	return nil
}

// explain adds the kernel's message about the last command.
func (fs *FS) explain(err error) error {
	text, e := os.ReadFile(filepath.Join(fs.root, "info/last_cmd_status"))
	if text = bytes.TrimSpace(text); e != nil || len(text) == 0 || string(text) == "ok" {
		return err
	}
	return fmt.Errorf("%w: %s", err, bytes.ReplaceAll(text, []byte("\n"), []byte("; ")))
}
