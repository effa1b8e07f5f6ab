// Package manager chooses the cgroup manager that fits the host: v2, v1, or
// both (hybrid).
package manager

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/devices"
	"github.com/berth-oci/berth/internal/cgroups/fs"
	"github.com/berth-oci/berth/internal/cgroups/fs2"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// DefaultRoot is the directory where hosts mount their cgroup file systems.
const DefaultRoot = "/sys/fs/cgroup"

// Options describe the cgroup of a container.
type Options struct {
	// CgroupsPath is linux.cgroupsPath. Absolute: below the root of each
	// hierarchy. Relative: on v1 below the caller's own cgroup, on v2 below the
	// parent of that, because a v2 cgroup that has processes cannot have limits
	// for cgroups below it. Empty: the relative path ID. ".." does not lead out
	// of the base.
	CgroupsPath string

	// ID of the container.
	ID string

	// Root is the directory with the mounts of cgroup file systems, DefaultRoot
	// if empty.
	Root string

	// Rootless lets Create continue without a cgroup if it has no permission to
	// make one and CgroupsPath is empty; Set then refuses limits. If the kernel
	// does not let the caller set device rules, they are left out: the user
	// namespace of such a container cannot make device nodes anyway.
	Rootless bool

	// Shared is for a cgroup that is not a single container's, such as that of a
	// pod: Create uses an existing cgroup also if processes are in it or in the
	// cgroups below, or if it is frozen.
	Shared bool

	// Controllers are the v2 controllers that Create enables for their
	// counters, if it can, even if no limit needs them: a cgroup without the
	// memory controller has no memory.current. On v1 Create makes a cgroup in
	// all hierarchies.
	Controllers []string
}

// New returns the manager of the cgroup that the options describe. It makes
// nothing.
func New(o Options) (cgroups.Manager, error) {
	h, err := hostOf(o.Root, "self")
	if err != nil {
		return nil, err
	}
	return h.manager(o)
}

// Own returns the cgroup directories of the caller, by controller, as Paths
// does. A container that has no cgroup of its own is in these. Root is the
// directory with the mounts of cgroup file systems, DefaultRoot if empty.
func Own(root string) (map[string]string, error) { return Of(root, "self") }

// Of returns the cgroup directories of a process, given its directory in /proc,
// as Own does.
func Of(root, process string) (map[string]string, error) {
	h, err := hostOf(root, process)
	if err != nil {
		return nil, err
	}
	kind, err := h.kind(h.root)
	if err != nil {
		return nil, fmt.Errorf("find cgroup: %w", err)
	}
	if kind == unix.CGROUP2_SUPER_MAGIC {
		return map[string]string{"": filepath.Join(h.root, h.ownV2())}, nil
	}
	return h.v1(".")
}

// LoadOptions are what the manager of an existing cgroup needs.
type LoadOptions struct {
	// Rootless is as in Options, for the device rules.
	Rootless bool
}

// Load returns the manager of the cgroup with these directories, as Paths
// returned them. If one is not in a cgroup file system, the manager refuses
// every operation: saved paths can be wrong, and Destroy removes directories.
func Load(paths map[string]string, o LoadOptions) cgroups.Manager {
	for _, dir := range paths {
		if err := checkFileSystem(dir); err != nil {
			return refusing{err}
		}
	}
	if dir, ok := paths[""]; ok && len(paths) == 1 {
		return fs2.New(dir, fs2.Options{SetDevices: lenient(devices.SetV2, o.Rootless)})
	}
	return fs.New(paths, fs.Options{SetDevices: lenient(devices.SetV1, o.Rootless)})
}

type setDevices = func(dir string, rules []specs.LinuxDeviceCgroup) error

// lenient ignores a lack of permission, for rootless containers.
func lenient(set setDevices, rootless bool) setDevices {
	if !rootless {
		return set
	}
	return func(dir string, rules []specs.LinuxDeviceCgroup) error {
		err := set(dir, rules)
		if isPermission(err) {
			return devices.Check(rules)
		}
		return err
	}
}

// kindOf returns the type of the file system that has the path, 0 if the path
// does not exist.
func kindOf(path string) (int64, error) {
	for {
		var st unix.Statfs_t
		err := unix.Statfs(path, &st)
		switch {
		case err == nil:
			return int64(st.Type), nil
		case errors.Is(err, unix.ENOENT):
			return 0, nil
		case !errors.Is(err, unix.EINTR):
			return 0, &os.PathError{Op: "statfs", Path: path, Err: err}
		}
	}
}
