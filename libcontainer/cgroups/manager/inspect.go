package manager

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/internal/cgroups/counters"
	"github.com/berth-oci/berth/internal/cgroups/fs"
	"github.com/berth-oci/berth/internal/cgroups/fs2"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// Inspect returns the cgroup at a path of each hierarchy, for reading; "/" is the root
// cgroup. Root is the directory with the mounts of cgroup file systems, DefaultRoot if
// empty. The cgroup need not exist: Stats and Processes return ENOENT then.
//
// The root cgroup of v2 has no memory.current: its Stats have the memory in use on the
// host. It has no pids.current: the number is 0.
func Inspect(root, path string) (cgroups.Reader, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("inspect cgroup %q: %w (not an absolute path)", path, unix.EINVAL)
	}
	h, err := hostOf(root, "self")
	if err != nil {
		return nil, err
	}
	mode, err := h.mode()
	if err != nil {
		return nil, err
	}
	if mode == V2 {
		return readOnly{fs2.New(h.v2(path), fs2.Options{})}, nil
	}
	paths, err := h.v1(path)
	if err != nil {
		return nil, err
	}
	return readOnly{fs.New(paths, fs.Options{})}, nil
}

// readOnly hides the methods of a manager that change the cgroup.
type readOnly struct{ cgroups.Reader }

// Stats implements cgroups.Reader.
func (r readOnly) Stats() (*cgroups.Stats, error) {
	s, err := r.Reader.Stats()
	if err != nil {
		return nil, err
	}
	dir := r.Paths()[""]
	if dir == "" || s.Memory.Usage != (cgroups.MemoryUsage{}) {
		return s, nil
	}
	// Only the root of the hierarchy has no cgroup.type (cgroups(7)). The root of a
	// cgroup namespace has one.
	below, err := cgroupfs.Exists(dir, "cgroup.type")
	if err != nil || below {
		return s, err
	}
	if err := counters.Host(s); err != nil {
		return nil, fmt.Errorf("read statistics: %w", err)
	}
	return s, nil
}

// Mode is the kind of cgroups that a host has.
type Mode string

// The modes of hosts.
const (
	V1     Mode = "v1"     // hierarchies of v1 alone
	V2     Mode = "v2"     // the hierarchy of v2 alone
	Hybrid Mode = "hybrid" // controllers in hierarchies of v1, and a hierarchy of v2
)

// HostMode returns the mode of the host, as the caller's mounts show it. Root is as in
// Inspect. The error is errors.ErrUnsupported if no hierarchy is mounted there.
func HostMode(root string) (Mode, error) {
	h, err := hostOf(root, "self")
	if err != nil {
		return "", err
	}
	return h.mode()
}

func (h *host) mode() (Mode, error) {
	kind, err := h.kind(h.root)
	switch {
	case err != nil:
		return "", fmt.Errorf("find cgroups: %w", err)
	case kind == unix.CGROUP2_SUPER_MAGIC:
		return V2, nil
	case kind == 0:
		return "", cgroupfs.Missing("find cgroups: %q does not exist", h.root)
	}
	paths, err := h.v1("/")
	if err != nil {
		return "", err
	}
	_, unified := paths[""]
	switch {
	case unified && len(paths) > 1:
		return Hybrid, nil
	case !unified && len(paths) > 0:
		return V1, nil
	}
	return "", cgroupfs.Missing("find cgroups below %q: neither v2 nor a hierarchy of v1 is mounted", h.root)
}
