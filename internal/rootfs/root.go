package rootfs

import (
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/mounts"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Isolate queues the calls that keep the mounts of the new mount namespace from
// appearing on the host. It applies the part of rootfsPropagation that concerns
// the host: with "shared", the host's mounts stay in their peer groups, so that
// a volume can propagate mounts. The mount that contains the root at path then
// becomes private: the stub's mounts there would appear on the host, and
// pivot_root(2) rejects a shared parent.
func Isolate(p *stub.Proc, propagation uint64, path string) error {
	shared := staysShared(propagation)
	switch {
	case propagation == 0:
		propagation = unix.MS_SLAVE | unix.MS_REC
	case propagation&unix.MS_UNBINDABLE != 0: // see Propagate
		propagation = unix.MS_PRIVATE | unix.MS_REC
	}
	p.Mount("", "/", "", propagation, "")
	if !shared {
		return nil
	}
	parent, err := mountPoint(path)
	if err != nil {
		return fmt.Errorf("find the mount of %q: %w", path, err)
	}
	p.Mount("", parent, "", unix.MS_PRIVATE, "")
	return nil
}

// Cover queues the calls that mount "/", with all below, on itself, and change the root to
// that mount. The mount namespace must be isolated.
func Cover(p *stub.Proc) {
	p.Label(`cover "/"`)
	cwd := stub.Num(unix.AT_FDCWD)
	at := p.Openat(cwd, "/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	copied := p.OpenTree(cwd, "/", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	p.MoveMount(copied, at)
	p.Fchdir(copied)
	p.Chroot(".")
	p.CloseFd(copied)
	p.CloseFd(at)
	p.Label("")
}

// staysShared reports whether the host's shared mounts stay shared in the
// container's mount namespace.
func staysShared(propagation uint64) bool {
	return propagation != 0 && propagation&unix.MS_UNBINDABLE == 0 &&
		(propagation&unix.MS_SHARED != 0 || propagation&unix.MS_REC == 0)
}

// mountPoint returns the mount point of the mount that contains path. It checks
// each parent directory (STATX_ATTR_MOUNT_ROOT, Linux 5.8).
func mountPoint(path string) (string, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	for {
		var st unix.Statx_t
		if err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_TYPE, &st); err != nil {
			return "", err
		}
		if st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0 || path == "/" {
			return path, nil
		}
		path = filepath.Dir(path)
	}
}

// Propagate queues the part of rootfsPropagation that concerns the container's
// own mounts. It must follow Pivot: the root itself is a bind mount, which
// "unbindable" would prevent.
func Propagate(p *stub.Proc, propagation uint64) {
	if propagation&(unix.MS_SHARED|unix.MS_UNBINDABLE) != 0 {
		p.Mount("", "/", "", propagation, "")
	}
}

// Open queues the calls that make the root file system at path on the host a
// mount, and open it and the host's /dev/null.
func Open(child *stub.Child, path string) *Tree { return openRoot(child, path, path) }

// OpenWorkingDirectory is Open for a path that is already the stub's working
// directory: the stub may lack search permission on its parents.
func OpenWorkingDirectory(child *stub.Child, path string) *Tree { return openRoot(child, path, ".") }

func openRoot(child *stub.Child, path, from string) *Tree {
	p := child.Proc
	t := &Tree{p: p, child: child}
	cwd := stub.Num(unix.AT_FDCWD)
	p.Label("root.path: %q", path)
	at := p.Openat(cwd, from, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	t.root = mounts.Clone(p, at)
	p.MoveMount(t.root, at)
	p.CloseFd(at)
	t.openNull(cwd)
	return t
}

// openNull opens the device that masks files. It uses and checks the host's,
// since the image's could be a link to any file (CVE-2025-31133).
func (t *Tree) openNull(cwd *stub.Value) {
	t.p.Label(`host's "/dev/null"`)
	t.null = t.p.Openat(cwd, "/dev/null", unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	st, _ := t.p.Statx(t.null, "", unix.AT_EMPTY_PATH)
	t.p.Check(func() error {
		if major, minor := st.Rdev(); st.Mode()&unix.S_IFMT != unix.S_IFCHR || major != 1 || minor != 3 {
			return errors.New("not the null device (character device 1:3)")
		}
		return nil
	})
	t.p.Label("")
}

// MakeDir makes a directory in the container, with its parents, unless it
// exists.
func (t *Tree) MakeDir(dir string) error {
	if err := t.p.Do(); err != nil {
		return err
	}
	if err := t.makeOne(dir, newDir, 0); !errors.Is(err, unix.ENOENT) {
		return err
	}
	if err := t.mkdirAll(dir, 0); err != nil {
		return fmt.Errorf("make directory %q: %w", dir, err)
	}
	return nil
}

// Readonly queues the call that makes the root mount, without its submounts,
// read-only.
func (t *Tree) Readonly() {
	t.p.MountSetattr(t.root, 0, unix.MOUNT_ATTR_RDONLY, 0, 0)
}

// ReadonlyDev queues the calls that make the mount at /dev read-only.
func (t *Tree) ReadonlyDev() {
	dev := t.open("/dev", unix.O_DIRECTORY)
	t.p.MountSetattr(dev, 0, unix.MOUNT_ATTR_RDONLY, 0, 0)
	t.p.CloseFd(dev)
}

// Pivot queues the calls that make the root the stub's "/" and unmount the
// host's tree. pivot_root(".", ".") stacks the old root on the new one for a
// moment, so it needs no directory (pivot_root(2)). The old root becomes a
// slave first: otherwise shared mounts would be unmounted on the host too.
func (t *Tree) Pivot() {
	old := t.p.Openat(stub.Num(unix.AT_FDCWD), "/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	t.p.Fchdir(t.root)
	t.p.PivotRoot(".", ".")
	t.p.Fchdir(old)
	t.p.Mount("", ".", "", unix.MS_SLAVE|unix.MS_REC, "")
	t.p.Umount2(".", unix.MNT_DETACH)
	t.p.Chdir("/")
	t.p.CloseFd(old)
}

// OpenPtmx queues the open of the container's /dev/pts/ptmx.
func (t *Tree) OpenPtmx() *stub.Value {
	t.p.Label("process.terminal: open /dev/pts/ptmx")
	return t.p.OpenInRoot(t.root, "/dev/pts/ptmx", unix.O_RDWR|unix.O_NOCTTY)
}

// BindConsole queues the bind mount of the terminal slave on /dev/console.
func (t *Tree) BindConsole(slave *stub.Value) {
	t.p.Label("process.terminal: bind on /dev/console")
	dev := t.open("/dev", unix.O_DIRECTORY)
	// An existing file is opened next, even in a directory that is not
	// writable.
	t.p.Mknodat(dev, "console", unix.S_IFREG|0o600, 0).MayFail(unix.EEXIST, unix.EROFS, unix.EACCES, unix.EPERM)
	t.p.CloseFd(dev)
	at := t.open("/dev/console", unix.O_NOFOLLOW)
	bind := mounts.Clone(t.p, slave)
	t.p.MoveMount(bind, at)
	t.p.CloseFd(bind)
	t.p.CloseFd(at)
	t.p.Label("")
}
