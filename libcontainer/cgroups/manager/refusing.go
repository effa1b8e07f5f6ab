package manager

import (
	"context"
	"errors"
	"fmt"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// checkFileSystem refuses a directory that is not in a cgroup file system. A
// directory that does not exist is a cgroup that was removed.
func checkFileSystem(dir string) error {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open cgroup %q: %w", dir, err)
	}
	defer unix.Close(fd)
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil {
		return fmt.Errorf("fstatfs cgroup %q: %w", dir, err)
	}
	if st.Type != unix.CGROUP_SUPER_MAGIC && st.Type != unix.CGROUP2_SUPER_MAGIC {
		return fmt.Errorf("use cgroup %q: %w (the saved directory is not in a cgroup file system: berth changes nothing in it)", dir, unix.EXDEV)
	}
	return nil
}

// refusing is the manager of directories that berth must not use.
type refusing struct{ err error }

var _ cgroups.Manager = refusing{}

func (r refusing) Create() error                   { return r.err }
func (r refusing) Set(*specs.LinuxResources) error { return r.err }
func (r refusing) Entry() cgroups.Entry            { return cgroups.Entry{} }
func (r refusing) Paths() map[string]string        { return map[string]string{} }
func (r refusing) Processes() ([]int, error)       { return nil, r.err }
func (r refusing) Freeze(bool) error               { return r.err }
func (r refusing) Stats() (*cgroups.Stats, error)  { return nil, r.err }
func (r refusing) Destroy(context.Context) error   { return r.err }
