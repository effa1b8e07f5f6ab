package manager

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/internal/cgroups/devices"
	"github.com/berth-oci/berth/internal/cgroups/fs"
	"github.com/berth-oci/berth/internal/cgroups/fs2"
	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// host has the facts that decide about managers and paths.
type host struct {
	root string
	own  []hierarchy
	// kind returns the type of the file system that has the path, 0 if the path
	// does not exist: only that means "not mounted".
	kind func(path string) (int64, error)
}

// hostOf returns the host as a process sees it, given its directory in /proc. Root is
// DefaultRoot if empty.
func hostOf(root, process string) (*host, error) {
	if root == "" {
		root = DefaultRoot
	}
	text, err := sys.ReadFile("/proc/" + process + "/cgroup")
	if err != nil {
		return nil, fmt.Errorf("find cgroup: %w", err)
	}
	return &host{root: root, own: parseOwn(string(text)), kind: kindOf}, nil
}

// hierarchy is a line of /proc/self/cgroup: the controllers of a hierarchy
// ("name=systemd" for a named one, none for v2) and the caller's cgroup in it.
type hierarchy struct {
	controllers []string
	path        string
}

func parseOwn(s string) []hierarchy {
	var list []hierarchy
	for line := range strings.Lines(s) {
		// The path comes last and may contain colons.
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(f) != 3 {
			continue
		}
		h := hierarchy{path: f[2]}
		if f[1] != "" {
			h.controllers = strings.Split(f[1], ",")
		}
		list = append(list, h)
	}
	return list
}

func (h *host) manager(o Options) (cgroups.Manager, error) {
	place := o.CgroupsPath
	if place == "" {
		place = o.ID
	}
	if clean := cgroupfs.CleanPath(place); clean == "" || clean == "/" {
		return nil, fmt.Errorf("linux.cgroupsPath %q: %w (names the root of the hierarchy)", o.CgroupsPath, unix.EINVAL)
	}
	tolerate := o.Rootless && o.CgroupsPath == ""
	kind, err := h.kind(h.root)
	if err != nil {
		return nil, fmt.Errorf("find cgroups: %w", err)
	}
	switch kind {
	case unix.CGROUP2_SUPER_MAGIC:
		return fs2.New(h.v2(place), fs2.Options{
			SetDevices:  lenient(devices.SetV2, o.Rootless),
			Controllers: o.Controllers,
			Tolerate:    tolerate,
			Shared:      o.Shared,
		}), nil
	case 0:
		return nil, cgroupfs.Missing("find cgroups: %q does not exist", h.root)
	}
	paths, err := h.v1(place)
	if err != nil {
		return nil, err
	}
	if paths["devices"] == "" && !tolerate {
		return nil, cgroupfs.Missing("find cgroups below %q: neither cgroup v2 nor the v1 devices controller is mounted", h.root)
	}
	return fs.New(paths, fs.Options{
		SetDevices: lenient(devices.SetV1, o.Rootless),
		Tolerate:   tolerate,
		Shared:     o.Shared,
	}), nil
}

// v2 returns the directory for a path on a host with v2 alone.
func (h *host) v2(place string) string {
	clean := cgroupfs.CleanPath(place)
	if !filepath.IsAbs(clean) {
		clean = filepath.Join(filepath.Dir(h.ownV2()), clean)
	}
	return filepath.Join(h.root, clean)
}

func (h *host) ownV2() string {
	for _, own := range h.own {
		if own.controllers == nil {
			return inside(own.path)
		}
	}
	return "/"
}

// inside returns "/" for the path of a cgroup outside of the cgroup namespace,
// which the kernel prints relative to that: "/../x".
func inside(path string) string {
	if path == "/.." || strings.HasPrefix(path, "/../") {
		return "/"
	}
	return path
}

// v1 returns the directories for a path, in every hierarchy that is mounted.
func (h *host) v1(place string) (map[string]string, error) {
	clean := cgroupfs.CleanPath(place)
	paths := make(map[string]string)
	for _, own := range h.own {
		mount, err := h.mountOf(own.controllers)
		if err != nil {
			return nil, fmt.Errorf("find cgroup hierarchy %q: %w", own.name(), err)
		}
		if mount == "" {
			continue
		}
		dir := filepath.Join(mount, clean)
		if !filepath.IsAbs(clean) {
			base, err := h.base(mount, own)
			if err != nil {
				return nil, err
			}
			dir = filepath.Join(base, clean)
		}
		if own.controllers == nil {
			paths[""] = dir
		}
		for _, c := range own.controllers {
			paths[c] = dir
		}
	}
	return paths, nil
}

// name returns the name of the hierarchy for error messages.
func (h hierarchy) name() string {
	if h.controllers == nil {
		return "unified"
	}
	return strings.Join(h.controllers, ",")
}

// mountOf returns the mount point of a hierarchy, "" if it is not mounted. The
// directory is named after its controllers, in any order, or after one of them;
// the latter can be a symbolic link.
func (h *host) mountOf(controllers []string) (string, error) {
	if controllers == nil {
		return h.ifKind(filepath.Join(h.root, "unified"), unix.CGROUP2_SUPER_MAGIC)
	}
	joined := strings.TrimPrefix(strings.Join(controllers, ","), "name=")
	for _, name := range append([]string{joined}, controllers...) {
		dir, err := h.ifKind(filepath.Join(h.root, name), unix.CGROUP_SUPER_MAGIC)
		if dir != "" || err != nil {
			return dir, err
		}
	}
	if len(controllers) < 2 {
		return "", nil
	}
	entries, err := os.ReadDir(h.root)
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return "", err
	}
	for _, e := range entries {
		names := strings.Split(e.Name(), ",")
		slices.Sort(names)
		if slices.Equal(names, slices.Sorted(slices.Values(controllers))) {
			return h.ifKind(filepath.Join(h.root, e.Name()), unix.CGROUP_SUPER_MAGIC)
		}
	}
	return "", nil
}

func (h *host) ifKind(dir string, magic int64) (string, error) {
	// Podman makes plain directories for controllers that are not mounted.
	kind, err := h.kind(dir)
	if kind != magic || err != nil {
		return "", err
	}
	return dir, nil
}

// base returns the directory of the caller's own cgroup.
func (h *host) base(mount string, own hierarchy) (string, error) {
	dir := filepath.Join(mount, inside(own.path))
	kind, err := h.kind(dir)
	if err != nil {
		return "", fmt.Errorf("find own cgroup: %w", err)
	}
	if kind != 0 {
		return dir, nil
	}
	// The mount does not begin at the root of the hierarchy: the caller is in a
	// container without a cgroup namespace.
	info, err := sys.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", fmt.Errorf("find own cgroup: %w", err)
	}
	root := mountRoot(string(info), mount)
	rel, err := filepath.Rel(root, own.path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return mount, nil
	}
	return filepath.Join(mount, rel), nil
}

// mountRoot returns the directory of the file system that is mounted at mount
// (field 4 of mountinfo, proc(5)), "/" if nothing is mounted there.
func mountRoot(mountinfo, mount string) string {
	root := "/"
	for line := range strings.Lines(mountinfo) {
		f := strings.Split(line, " ") // paths can have other white space
		if len(f) > 4 && f[4] == mount {
			root = f[3] // the last one is on top
		}
	}
	return root
}

func isPermission(err error) bool {
	return errors.Is(err, iofs.ErrPermission)
}
