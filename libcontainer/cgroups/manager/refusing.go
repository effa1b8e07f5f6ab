package manager

import (
	"context"
	"fmt"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// checkFileSystem refuses a directory that is not in a cgroup file system. A
// directory that does not exist is a cgroup that was removed.
func checkFileSystem(dir string) error {
	kind, err := kindOf(dir)
	switch {
	case err != nil:
		return fmt.Errorf("find cgroup: %w", err)
	case kind != 0 && kind != unix.CGROUP_SUPER_MAGIC && kind != unix.CGROUP2_SUPER_MAGIC:
		return fmt.Errorf("use cgroup %q: %w (the saved directory is not in a cgroup file system: berth changes nothing in it)", dir, unix.EXDEV)
	}
	return nil
}

// refusing is the manager of directories that berth must not use.
type refusing struct{ err error }

var _ cgroups.Manager = refusing{}

// Refusal returns the reason if the manager refuses every operation, nil if not. Entry
// of such a manager returns no cgroup, so a process must not be started with it: it
// would be without the limits and the device rules.
func Refusal(m cgroups.Manager) error {
	r, _ := m.(refusing)
	return r.err
}

func (r refusing) Create() error                   { return r.err }
func (r refusing) AddProcess(int) error            { return r.err }
func (r refusing) Set(*specs.LinuxResources) error { return r.err }
func (r refusing) Entry() cgroups.Entry            { return cgroups.Entry{} }
func (r refusing) Paths() map[string]string        { return map[string]string{} }
func (r refusing) Processes() ([]int, error)       { return nil, r.err }
func (r refusing) Freeze(bool) error               { return r.err }
func (r refusing) Stats() (*cgroups.Stats, error)  { return nil, r.err }
func (r refusing) Destroy(context.Context) error   { return r.err }
