package rootfs

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/mountinfo"
	"github.com/berth-oci/berth/internal/mounts"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// In a mount namespace that the container shares with others, the root is one
// mount that carries all of the container's mounts: unmounting it unmounts them
// all. It is private, so that the container's mounts do not propagate.

// sharesMounts reports whether the container has no mount namespace of its own.
// The host's mounts then stay in their peer groups (Isolate), and bind mounts
// of them leave these groups (asSlave).
func sharesMounts(cfg *config.Config) bool { return cfg.Namespaces.New&unix.CLONE_NEWNS == 0 }

// OpenShared opens the root file system at path for a container in a shared
// mount namespace, and makes the mount for its root, not yet attached. It
// returns the IDs of that mount and of its future parent.
func OpenShared(child *stub.Child, path string) (t *Tree, id, parent uint64, err error) {
	p := child.Proc
	t = &Tree{p: p, child: child}
	cwd := stub.Num(unix.AT_FDCWD)
	p.Label("root.path: %q", path)
	t.at = p.Openat(cwd, path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	// Submounts follow in CopySubmounts, when the root is attached and private.
	t.root = p.OpenTree(t.at, "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH)
	on, made := p.StatxMount(t.at), p.StatxMount(t.root)
	t.openNull(cwd)
	if err := t.p.Do(); err != nil {
		return nil, 0, 0, err
	}
	return t, made.MountID(), on.MountID(), nil
}

// AttachRoot attaches the root of OpenShared and makes it private: on a shared
// parent it becomes shared.
func (t *Tree) AttachRoot() error {
	t.p.Label("root.path")
	t.p.MoveMount(t.root, t.at)
	t.p.MountSetattr(t.root, 0, 0, 0, unix.MS_PRIVATE)
	t.p.Label("")
	return t.p.Do()
}

// CopySubmounts copies the host's submounts below root.path to the root: those
// mounts in list on the parent mount with the ID parent.
func (t *Tree) CopySubmounts(list []mountinfo.Mount, parent, point string) error {
	for _, m := range list {
		below, ok := strings.CutPrefix(m.Point, strings.TrimSuffix(point, "/")+"/")
		if m.Parent != parent || !ok {
			continue
		}
		t.p.Label("root.path: copy mount %q", m.Point)
		const flags, resolve = unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC, unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS
		source := t.p.Openat2(t.at, below, flags, resolve)
		target := t.p.Openat2(t.root, below, flags, resolve)
		clone := mounts.Clone(t.p, source)
		t.p.MountSetattr(clone, unix.AT_RECURSIVE, 0, 0, unix.MS_PRIVATE)
		t.p.MoveMount(clone, target)
		for _, fd := range []*stub.Value{source, target, clone} {
			t.p.CloseFd(fd)
		}
		if err := t.p.Do(); err != nil {
			return err
		}
	}
	t.p.Label("")
	return nil
}

// Chroot queues the calls that make the root the stub's "/" without
// pivot_root(2), which would change the root of every process in the mount
// namespace.
func (t *Tree) Chroot() {
	t.p.Fchdir(t.root)
	t.p.Chroot(".")
	t.p.Chdir("/")
}

// Find returns the mount with an ID and a parent, and the topmost mount on its
// mount point. ok is false if it does not exist.
func Find(list []mountinfo.Mount, id, parent string) (found, top mountinfo.Mount, ok bool) {
	// The mount on the root of another, by the ID of that: there may be 100,000 at one point.
	on := map[string]mountinfo.Mount{}
	for _, m := range list {
		if m.ID == id && m.Parent == parent {
			found, top, ok = m, m, true
		}
	}
	if !ok {
		return found, top, false
	}
	for _, m := range list {
		if m.Point == found.Point && m.ID != m.Parent {
			on[m.Parent] = m
		}
	}
	for range list { // not for ever
		m, more := on[top.ID]
		if !more {
			break
		}
		top = m
	}
	return found, top, true
}

// OpenMount opens the root of a mount listed in mountinfo, in the stub's
// current mount namespace.
func OpenMount(p *stub.Proc, m mountinfo.Mount) (*stub.Value, error) {
	p.Label("mount at %q", m.Point)
	fd := p.Openat(stub.Num(unix.AT_FDCWD), m.Point, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	st := p.StatxMount(fd)
	err := p.Do()
	p.Label("")
	if err == nil && strconv.FormatUint(st.MountID(), 10) != m.ID {
		err = fmt.Errorf("the mount at %q is covered by another one", m.Point)
	}
	return fd, err
}
