package idmap

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Namespace makes a user namespace with these maps. It lives as long as the
// file. A stub, which is started in it for a moment, creates it: a user
// namespace needs a process.
func (m Maps) Namespace() (*os.File, error) {
	child, err := stub.Start(context.Background(), stub.Options{Cloneflags: unix.CLONE_NEWUSER})
	if err != nil {
		return nil, fmt.Errorf("make user namespace: %w", err)
	}
	err = errors.Join(writeFile(child.Pid, uidKind.file, encode(m.UIDs)), writeFile(child.Pid, gidKind.file, encode(m.GIDs)))
	var ns *os.File
	if err == nil {
		ns, err = OpenNamespace(child.Pid)
	}
	err = errors.Join(err, child.Close(), child.Kill(), child.Reap(), child.Release())
	if err != nil {
		if ns != nil {
			ns.Close()
		}
		return nil, fmt.Errorf("make user namespace: %w", err)
	}
	return ns, nil
}

// String returns both maps as a map key.
func (m Maps) String() string { return encode(m.UIDs) + "\n" + encode(m.GIDs) }

// OpenNamespace opens the user namespace of a process.
func OpenNamespace(pid int) (*os.File, error) {
	return sys.OpenFile(fmt.Sprintf("/proc/%d/ns/user", pid), unix.O_RDONLY, 0)
}

// MapMount makes a detached mount ID-mapped (mount_setattr(2),
// MOUNT_ATTR_IDMAP): owners change in the mount, not in the files. recursive
// includes its submounts.
func MapMount(mount, ns *os.File, recursive bool) error {
	flags := uint(unix.AT_EMPTY_PATH)
	if recursive {
		flags |= unix.AT_RECURSIVE
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(ns.Fd())}
	err := unix.MountSetattr(int(mount.Fd()), "", flags, &attr)
	if errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("mount_setattr: %w (needs Linux 5.12)", err)
	}
	if err != nil {
		return fmt.Errorf("mount_setattr: %w", err)
	}
	return nil
}
