package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/mountinfo"
	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/config"
)

// harmlessTypes are file systems that have no files of the host.
var harmlessTypes = [...]string{"tmpfs", "proc", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2"}

// tree is a part of a file system: a directory with all below, or a file.
type tree struct{ device, root string }

// has reports whether a mount shows only files of the tree.
func (t tree) has(m mountinfo.Mount) bool {
	return t.device == m.Device && (t.root == "/" || m.Root == t.root || strings.HasPrefix(m.Root, t.root+"/"))
}

// verifyMounts refuses a mount of files that config.json does not name.
func verifyMounts(init int, cfg *config.Config) error {
	allowed, err := namedTrees(cfg)
	if err != nil {
		return err
	}
	mounts, err := mountinfo.Of(strconv.Itoa(init))
	if err != nil {
		return err
	}
	for _, m := range mounts {
		if slices.Contains(harmlessTypes[:], m.Type) && !slices.ContainsFunc(allowed, func(t tree) bool { return t.device == m.Device }) {
			continue
		}
		if !isNamed(m, cfg) && !slices.ContainsFunc(allowed, func(t tree) bool { return t.has(m) }) {
			return fmt.Errorf("mounts: config.json does not have its mount of %s on %q", m.Type, m.Point)
		}
	}
	return nil
}

// isNamed reports whether config.json has a mount of this type there. CRIU takes the
// options of the image: those of an overlay are directories of the host.
func isNamed(m mountinfo.Mount, cfg *config.Config) bool {
	return m.Type != "overlay" && slices.ContainsFunc(cfg.Mounts, func(named config.Mount) bool {
		return !named.Bind && named.Type == m.Type && named.Destination == m.Point
	})
}

// namedTrees returns the files of the host that a configuration names.
func namedTrees(cfg *config.Config) ([]tree, error) {
	host, err := mountinfo.Read()
	if err != nil {
		return nil, err
	}
	paths := []string{cfg.Rootfs, nullDevice}
	for i := range cfg.Devices {
		paths = append(paths, cfg.Devices[i].Path)
	}
	for i := range cfg.Mounts {
		m := &cfg.Mounts[i]
		if !m.Bind || m.Remount {
			continue
		}
		paths = append(paths, m.Source)
		for _, h := range host {
			if m.Recursive && strings.HasPrefix(h.Point, strings.TrimSuffix(m.Source, "/")+"/") {
				paths = append(paths, h.Point)
			}
		}
	}
	var list []tree
	for _, p := range paths {
		t, err := treeAt(p, host)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a device that the host lacks
		}
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

// treeAt returns the part of a file system at a path of the host.
func treeAt(p string, host []mountinfo.Mount) (tree, error) {
	p, err := filepath.EvalSymlinks(p)
	if err != nil {
		return tree{}, err
	}
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, p, 0, unix.STATX_MNT_ID, &st); err != nil {
		return tree{}, &fs.PathError{Op: "statx", Path: p, Err: err}
	}
	id := strconv.FormatUint(st.Mnt_id, 10)
	for _, m := range host {
		if m.ID == id {
			return tree{m.Device, path.Join(m.Root, strings.TrimPrefix(p, strings.TrimSuffix(m.Point, "/")))}, nil
		}
	}
	return tree{}, fmt.Errorf("the mount of %q is not in /proc/self/mountinfo", p)
}

// verifyPaths checks that the paths are masked and read-only that config.json says.
func verifyPaths(init int, cfg *config.Config) error {
	root, err := sys.Open(unix.AT_FDCWD, fmt.Sprintf("/proc/%d/root", init), unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer unix.Close(root)
	for _, p := range cfg.MaskedPaths {
		if err := look(root, p, isMasked); err != nil {
			return fmt.Errorf("the image: linux.maskedPaths: %q: %w", p, err)
		}
	}
	readonly := slices.Clone(cfg.ReadonlyPaths)
	if cfg.ReadonlyRootfs {
		readonly = append(readonly, "/")
	}
	for i := range cfg.Mounts {
		if m := &cfg.Mounts[i]; m.Attr.Set&unix.MOUNT_ATTR_RDONLY != 0 && !coveredLater(cfg.Mounts[i+1:], m.Destination) {
			readonly = append(readonly, m.Destination)
		}
	}
	for _, p := range readonly {
		if err := look(root, p, isReadonly); err != nil {
			return fmt.Errorf("the image: %q: %w", p, err)
		}
	}
	return nil
}

// coveredLater reports whether one of the mounts changes the destination.
func coveredLater(mounts []config.Mount, destination string) bool {
	return slices.ContainsFunc(mounts, func(m config.Mount) bool { return m.Destination == destination })
}

// look calls check with a path of the container. A path that does not exist needs no
// protection.
func look(root int, p string, check func(fd int) error) error {
	fd, err := unix.Openat2(root, p, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	if err != nil {
		return os.NewSyscallError("openat2", err)
	}
	defer unix.Close(fd)
	return check(fd)
}

func isReadonly(fd int) error {
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil {
		return os.NewSyscallError("fstatfs", err)
	}
	if st.Flags&unix.MS_RDONLY == 0 {
		return errors.New("it is not read-only")
	}
	return nil
}

// isMasked demands the null device, or a read-only tmpfs for a directory.
func isMasked(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return os.NewSyscallError("fstat", err)
	}
	if st.Mode&unix.S_IFMT == unix.S_IFCHR && uint64(st.Rdev) == unix.Mkdev(1, 3) {
		return nil
	}
	var filesystem unix.Statfs_t
	if err := unix.Fstatfs(fd, &filesystem); err != nil {
		return os.NewSyscallError("fstatfs", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || filesystem.Type != unix.TMPFS_MAGIC || filesystem.Flags&unix.MS_RDONLY == 0 {
		return errors.New("it is not masked")
	}
	return nil
}
