package rootfs

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/mountinfo"
	"github.com/berth-oci/berth/internal/mounts"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Move queues what makes the root the stub's "/" where pivot_root(2) is not
// possible: it is moved onto "/". The host's root stays below it, for whoever
// may unmount; all that is mounted on the host's root is hidden, so that no
// procfs or sysfs of the host's is there, in which nothing is masked.
func (t *Tree) Move(propagation uint64) error {
	list, err := mountinfo.Read() // the stub has a copy of these mounts
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
		// In a user namespace the host's mounts are locked together (EINVAL), or
		// out of reach (EACCES): the container may do nothing with them there that
		// it may not do anyway. ENOENT: the host has taken it away meanwhile.
		t.p.Umount2(point, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW).MayFail(unix.EINVAL, unix.EACCES, unix.ENOENT)
	}
	t.p.Label("")
	t.p.Fchdir(t.root)
	t.p.Chroot(".")
	t.p.Chdir("/")
	t.p.CloseFd(old)
	return nil
}

// cover queues the hiding of a mount on the host's root below an empty
// directory. To unmount it would unmount it on the host, if what it lies on is
// shared; of several that lie on each other only the topmost can be changed.
func (t *Tree) cover(root *stub.Value, point string) {
	// As umount2 in Move.
	t.p.Mount("", point, "", unix.MS_PRIVATE, "").MayFail(unix.EINVAL, unix.EACCES, unix.ENOENT)
	// The same; a file (ENOTDIR) is no procfs or sysfs.
	at := t.p.Openat(root, point, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0).MayFail(unix.ENOTDIR, unix.EACCES, unix.ENOENT)
	empty := mounts.EmptyDir(t.p)
	t.p.MoveMount(empty, at)
	t.p.CloseFd(empty)
	t.p.CloseFd(at)
}

// onRoot gives, relative to "/", where mounts lie on the root mount; a place
// where several lie on each other as many times.
func onRoot(list []mountinfo.Mount) (points []string) {
	root, on := "", map[string]bool{}
	for _, m := range list {
		if m.Point == "/" {
			root = m.ID // the last one is on top
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
