package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/criu"
	"github.com/berth-oci/berth/internal/mountinfo"
	"github.com/berth-oci/berth/internal/rootfs"
	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/config"
)

// nullDevice masks files. It is also the name of these mounts in an image, as in runc's.
const nullDevice = "/dev/null"

// external is a mount of the host's files. Its name in an image is the destination in
// config.json: at restore the configuration says what the name stands for.
type external struct {
	destination string
	name        string
	// below has the mounts below the destination too.
	below bool
	// cgroups means the cgroup file systems at the destination and below.
	cgroups bool
}

// externals returns the mounts of a configuration that an image does not contain.
func externals(cfg *config.Config) []external {
	var list []external
	for i := range cfg.Mounts {
		m := &cfg.Mounts[i]
		switch {
		case m.Bind && !m.Remount:
			list = append(list, external{destination: m.Destination, name: m.Destination, below: m.Recursive})
		case showsHostCgroups(m, cfg):
			list = append(list, external{destination: m.Destination, name: m.Destination, below: true, cgroups: true})
		}
	}
	for _, p := range cfg.MaskedPaths {
		list = append(list, external{destination: p, name: nullDevice})
	}
	for _, d := range cfg.Devices { // bind mounts, if it has a user namespace
		list = append(list, external{destination: d.Path, name: d.Path})
	}
	return list
}

// showsHostCgroups reports whether a mount is of the host's cgroup hierarchies: a
// container without a cgroup namespace has bind mounts of them.
func showsHostCgroups(m *config.Mount, cfg *config.Config) bool {
	return isCgroup(m.Type) && !m.Bind && !m.Remount && !cfg.Namespaces.Has(unix.CLONE_NEWCGROUP)
}

func isCgroup(kind string) bool { return kind == "cgroup" || kind == "cgroup2" }

// Mounts returns the external mounts of a container with this init, for a dump: mount
// points, and their names in the image.
func Mounts(pid int, cfg *config.Config) ([]criu.Pair, error) {
	mounts, err := mountinfo.Of(strconv.Itoa(pid))
	if err != nil {
		return nil, err
	}
	root, err := sys.Open(unix.AT_FDCWD, fmt.Sprintf("/proc/%d/root", pid), unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, fmt.Errorf("open root of process %d: %w", pid, err)
	}
	defer unix.Close(root)
	var pairs []criu.Pair
	for _, e := range externals(cfg) {
		at, ok, err := mountAt(root, e.destination, mounts)
		if err != nil {
			return nil, err
		}
		if !ok || e.name == nullDevice && at.Root != "/null" {
			continue // unmounted since, or a masked directory, which is a tmpfs
		}
		if !e.cgroups || isCgroup(at.Type) {
			pairs = add(pairs, at.Point, e.name)
		}
		for _, m := range mounts {
			if rel, ok := strings.CutPrefix(m.Point, at.Point+"/"); ok && e.below && (!e.cgroups || isCgroup(m.Type)) {
				pairs = add(pairs, m.Point, path.Join(e.name, rel))
			}
		}
	}
	return pairs, nil
}

// add adds a pair. The last name of a mount point is that of the mount on top.
func add(pairs []criu.Pair, point, name string) []criu.Pair {
	pairs = slices.DeleteFunc(pairs, func(p criu.Pair) bool { return p.Key == point })
	return append(pairs, criu.Pair{Key: point, Value: name})
}

// mountAt returns the mount that is on top at a path of the container. The path may have
// symbolic links, which stay within the container's root.
func mountAt(root int, dest string, mounts []mountinfo.Mount) (m mountinfo.Mount, ok bool, err error) {
	fd, err := unix.Openat2(root, dest, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP):
		return m, false, nil // the container has unmounted it, or put something else there
	case err != nil:
		return m, false, &fs.PathError{Op: "openat2", Path: dest, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID, &st); err != nil {
		return m, false, &fs.PathError{Op: "statx", Path: dest, Err: err}
	}
	if st.Attributes&unix.STATX_ATTR_MOUNT_ROOT == 0 {
		return m, false, nil
	}
	id := strconv.FormatUint(st.Mnt_id, 10)
	i := slices.IndexFunc(mounts, func(m mountinfo.Mount) bool { return m.ID == id })
	if i < 0 {
		return m, false, nil
	}
	return mounts[i], true, nil
}

// Sources returns what the names of external mounts stand for, for a restore of a
// container with these cgroups.
func Sources(cfg *config.Config, cgroups rootfs.CgroupHost) ([]criu.Pair, error) {
	host, err := mountinfo.Read()
	if err != nil {
		return nil, err
	}
	pairs := []criu.Pair{{Key: nullDevice, Value: nullDevice}}
	for i := range cfg.Mounts {
		m := &cfg.Mounts[i]
		if showsHostCgroups(m, cfg) {
			for point, dir := range cgroups.Sources(m) {
				pairs = add(pairs, point, dir)
			}
		}
		if !m.Bind || m.Remount {
			continue
		}
		pairs = add(pairs, m.Destination, m.Source)
		for _, h := range host {
			if rel, ok := strings.CutPrefix(h.Point, strings.TrimSuffix(m.Source, "/")+"/"); ok && m.Recursive {
				pairs = add(pairs, path.Join(m.Destination, rel), h.Point)
			}
		}
	}
	for _, d := range cfg.Devices {
		if !slices.ContainsFunc(pairs, func(p criu.Pair) bool { return p.Key == d.Path }) {
			pairs = add(pairs, d.Path, d.Path)
		}
	}
	return pairs, nil
}
