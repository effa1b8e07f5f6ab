package rootfs

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/mountinfo"
	"github.com/berth-oci/berth/internal/mounts"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Move queues the calls that replace pivot_root(2) where that is not possible:
// they move the root onto "/". The host's root stays below, accessible if the
// container may unmount. So the mounts on the host's root are hidden: no procfs
// or sysfs without masked paths stays.
func (t *Tree) Move(propagation uint64) error {
	list, err := mountinfo.Read() // the stub's mount namespace is a copy of this one
	if err != nil {
		return err
	}
	points := onRoot(list)
	t.p.Label("")
	// A mount on a shared mount would appear on the host.
	t.p.Mount("", "/", "", unix.MS_PRIVATE, "")
	old := t.p.Openat(stub.Num(unix.AT_FDCWD), "/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	t.p.MoveMount(t.root, old)
	for _, point := range points {
		t.p.Label("hide %q", "/"+point)
		t.p.Fchdir(old)
		if staysShared(propagation) {
			t.cover(old, point)
			continue
		}
		// In a user namespace, EINVAL: the host's mounts are locked together.
		// EACCES: no search permission. In both cases the container has no more
		// access than without Move. ENOENT: the host has unmounted it.
		t.p.Umount2(point, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW).MayFail(unix.EINVAL, unix.EACCES, unix.ENOENT)
	}
	t.p.Label("")
	t.p.Fchdir(t.root)
	t.p.Chroot(".")
	t.p.Chdir("/")
	t.p.CloseFd(old)
	return nil
}

// cover queues the calls that hide a mount on the host's root with an empty
// directory. An unmount would propagate to the host if the parent mount is
// shared. Of mounts on the same point only the topmost can be changed.
func (t *Tree) cover(root *stub.Value, point string) {
	// The errnos of umount2 in Move.
	t.p.Mount("", point, "", unix.MS_PRIVATE, "").MayFail(unix.EINVAL, unix.EACCES, unix.ENOENT)
	// The same, and ENOTDIR: a file cannot be a procfs or sysfs.
	at := t.p.Openat(root, point, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0).MayFail(unix.ENOTDIR, unix.EACCES, unix.ENOENT)
	empty := mounts.EmptyDir(t.p)
	t.p.MoveMount(empty, at)
	t.p.CloseFd(empty)
	t.p.CloseFd(at)
}

// onRoot returns the mount points on the root mount, relative to "/", once for
// each mount stacked there.
func onRoot(list []mountinfo.Mount) (points []string) {
	root, on := "", map[string]bool{}
	for _, m := range list {
		if m.Point == "/" {
			root = m.ID // the last is on top
		}
	}
	for _, m := range list {
		on[m.Point] = on[m.Point] || m.Parent == root
	}
	for _, m := range list {
		if on[m.Point] {
			points = append(points, strings.TrimPrefix(m.Point, "/"))
		}
	}
	return points
}
