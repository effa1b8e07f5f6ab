package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/mountinfo"
	"github.com/berth-oci/berth/internal/namespaces"
	"github.com/berth-oci/berth/internal/rootfs"
	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// The steps for containers in a shared mount namespace: the runtime's, or one given
// by path. The container's root is a private mount there, entered by chroot(2).

// openSharedRoot makes the container's root, records it in the state, and then
// attaches it.
func openSharedRoot(r *run) error {
	s := &state.SharedRoot{Path: mountNamespacePath(r.cfg)}
	if err := identify(s); err != nil {
		return err
	}
	r.warnOfChroot()
	tree, id, parent, err := rootfs.OpenShared(r.child, r.cfg.Rootfs)
	if err != nil {
		return err
	}
	r.tree, r.state.SharedRoot = tree, s
	r.atEnd(tree.Release)
	s.ID, s.Parent = strconv.FormatUint(id, 10), strconv.FormatUint(parent, 10)
	if err := r.noteRoot(*s); err != nil {
		return err
	}
	if err := tree.AttachRoot(); err != nil {
		return err
	}
	list, err := mountinfo.Of(strconv.Itoa(r.child.Pid))
	if err != nil {
		return err
	}
	found, _, ok := rootfs.Find(list, s.ID, s.Parent)
	if !ok {
		return fmt.Errorf("root.path: mount %s is not in the mount namespace", s.ID)
	}
	s.Point, s.Device = found.Point, found.Device
	if err := r.noteRoot(*s); err != nil {
		return err
	}
	return tree.CopySubmounts(list, s.Parent, s.Point)
}

// noteRoot records the root in the state, so that delete can unmount it after a killed
// create.
func (r *run) noteRoot(s state.SharedRoot) error {
	r.note(func(state *state.State) { state.SharedRoot = &s })
	_, err := r.noting.wait()
	return err
}

// warnOfChroot warns about CAP_SYS_CHROOT, with which a process can leave a chroot.
func (r *run) warnOfChroot() {
	caps := r.cfg.Process.Capabilities
	if r.log != nil && (caps.Bounding|caps.Permitted)&(1<<unix.CAP_SYS_CHROOT) != 0 {
		r.log.Warn(`process.capabilities: with CAP_SYS_CHROOT the container can leave its root: without a "mount" namespace of its own that is a chroot`)
	}
}

func undoSharedRoot(r *run) error {
	return RemoveSharedRoot(context.WithoutCancel(r.ctx), r.state.SharedRoot, r.dir, r.log)
}

func changeRoot(r *run) error {
	r.tree.Chroot()
	return nil
}

// enterSharedRoot lets the joining stub, which is in the container's mount namespace,
// change to the container's root.
func enterSharedRoot(r *run) error {
	s := r.state.SharedRoot
	if s == nil {
		return errors.New("the state has no sharedRoot")
	}
	list, err := mountinfo.Of(strconv.Itoa(r.child.Pid))
	if err != nil {
		return err
	}
	top, ok := findRoot(s, list)
	if !ok {
		return fmt.Errorf("the container's root at %q was unmounted", s.Point)
	}
	root, err := rootfs.OpenMount(r.stub, top)
	if err != nil {
		return err
	}
	r.stub.Fchdir(root)
	r.stub.Chroot(".")
	r.stub.Chdir("/")
	r.stub.CloseFd(root)
	return nil
}

// mountNamespacePath returns the path of the mount namespace that is joined.
func mountNamespacePath(c *config.Config) string {
	for _, join := range c.Namespaces.Join {
		if join.Type == unix.CLONE_NEWNS {
			return join.Path
		}
	}
	return ""
}

// identify sets the device and inode of the mount namespace.
func identify(s *state.SharedRoot) (err error) {
	path := s.Path
	if path == "" {
		path = "/proc/self/ns/mnt"
	}
	s.NamespaceDevice, s.NamespaceInode, err = inodeOf(path)
	return err
}

func inodeOf(path string) (device, inode uint64, err error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return 0, 0, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return uint64(st.Dev), st.Ino, nil
}

// isNamespace reports whether path is the namespace.
func isNamespace(s *state.SharedRoot, path string) bool {
	device, inode, err := inodeOf(path)
	return err == nil && device == s.NamespaceDevice && inode == s.NamespaceInode
}

// findRoot finds the root in a mountinfo of the namespace and returns the topmost
// mount at its place: the root itself, if nothing is mounted over it.
func findRoot(s *state.SharedRoot, list []mountinfo.Mount) (top mountinfo.Mount, ok bool) {
	found, top, ok := rootfs.Find(list, s.ID, s.Parent)
	return top, ok && (s.Point == "" || s.Point == found.Point && s.Device == found.Device)
}

// openNamespace opens the mount namespace; nil if it no longer exists. The runtime may
// be in another namespace than at create, so it searches all processes.
func openNamespace(s *state.SharedRoot) (*os.File, error) {
	candidates := []string{"/proc/self/ns/mnt", "/proc/1/ns/mnt"}
	if s.Path != "" {
		candidates = append(candidates, s.Path)
	}
	for _, path := range candidates {
		if isNamespace(s, path) {
			return sys.OpenFile(path, unix.O_RDONLY, 0)
		}
	}
	processes, err := filepath.Glob("/proc/[0-9]*/ns/mnt")
	if err != nil {
		return nil, err
	}
	for _, path := range processes {
		if isNamespace(s, path) {
			return sys.OpenFile(path, unix.O_RDONLY, 0)
		}
	}
	return nil, nil
}

// unmountTime is the time limit for the removal of a root: its path may be on a file
// system whose server does not answer.
const unmountTime = 2 * time.Second

// RemoveSharedRoot unmounts the root of a container in a shared mount namespace, with
// all mounts on it, within 2 s. A nil s is no error.
func RemoveSharedRoot(ctx context.Context, s *state.SharedRoot, dir string, log *slog.Logger) error {
	if s == nil {
		return nil
	}
	ns, err := openNamespace(s)
	if err != nil || ns == nil {
		return err
	}
	defer ns.Close()
	ctx, cancel := context.WithTimeout(ctx, unmountTime)
	defer cancel()
	child, err := startInNamespace(ctx, ns, stub.Options{Dir: dir, Log: log})
	if err != nil {
		return fmt.Errorf("unmount root: %w", err)
	}
	stop := child.EndWith(ctx)
	err = unmountRoot(s, child)
	stop() //nolint:errcheck // the connection is not used any more
	if err != nil {
		err = fmt.Errorf("unmount root: %w", err)
	}
	return errors.Join(err, child.End())
}

// startInNamespace starts a stub that joins a mount namespace, and first the user
// namespace that owns it if the runtime lacks the privilege.
func startInNamespace(ctx context.Context, ns *os.File, o stub.Options) (*stub.Child, error) {
	o.Files = []*os.File{nil, nil, nil, ns}
	owner, err := namespaces.Owner(ns)
	if err != nil {
		return nil, err
	}
	if owner != nil {
		defer owner.Close()
		o.Files = append(o.Files, owner)
	}
	child, err := stub.Start(ctx, o)
	if err != nil {
		return nil, err
	}
	stop := child.EndWith(ctx)
	if owner != nil {
		child.Setns(stub.Num(4), unix.CLONE_NEWUSER)
		child.CloseFd(stub.Num(4))
	}
	child.Setns(stub.Num(3), unix.CLONE_NEWNS)
	child.CloseFd(stub.Num(3))
	if err := cmp.Or(child.Do(), stop()); err != nil {
		return nil, errors.Join(err, child.End())
	}
	return child, nil
}

// unmountRoot unmounts the topmost mount at the root's place until the root is gone.
// Each unmount detaches all mounts below it.
func unmountRoot(s *state.SharedRoot, child *stub.Child) error {
	for {
		list, err := mountinfo.Of(strconv.Itoa(child.Pid))
		if err != nil {
			return err
		}
		top, ok := findRoot(s, list)
		if !ok {
			return nil
		}
		fd, err := rootfs.OpenMount(child.Proc, top)
		if err != nil {
			return err
		}
		child.Fchdir(fd)
		child.CloseFd(fd)
		child.Umount2(".", unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
		child.Chdir("/")
		if err := child.Do(); err != nil {
			return err
		}
	}
}
