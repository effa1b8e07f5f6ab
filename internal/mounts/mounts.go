// Package mounts makes detached mounts with all their attributes, so that a
// container never sees a mount that is not yet as config.json describes it.
package mounts

import (
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Detached is a mount that is not attached anywhere yet. Its calls are queued.
type Detached struct {
	// FD is the mount, for move_mount(2).
	FD *stub.Value
	// FS is the file system context that the mount was made from, or nil. After
	// a failed call, reading it returns the kernel's message.
	FS *stub.Value
}

// Make queues the calls that make the detached mount m.
func Make(p *stub.Proc, m *config.Mount) Detached { return MakeFrom(p, m, nil) }

// MakeFrom is Make with a descriptor for the source of a bind mount. A nil
// source means m.Source.
func MakeFrom(p *stub.Proc, m *config.Mount, source *stub.Value) Detached {
	var d Detached
	if m.Bind {
		d.FD = bind(p, m, source)
	} else {
		d = filesystem(p, m)
	}
	finish(p, d.FD, m)
	return d
}

// finish queues the calls that set the label, recursive attributes and
// propagation.
func finish(p *stub.Proc, fd *stub.Value, m *config.Mount) {
	label(p, fd, m.Label)
	setAttr(p, fd, m.RecAttr, unix.AT_RECURSIVE)
	for _, propagation := range m.Propagation {
		p.MountSetattr(fd, recursive(propagation&unix.MS_REC != 0), 0, 0, propagation&^unix.MS_REC)
	}
}

// bind queues the calls for a bind mount. Attributes that m does not change are
// those of the source mount.
func bind(p *stub.Proc, m *config.Mount, source *stub.Value) *stub.Value {
	flags, path := cloneFlags(m.Recursive)|unix.AT_EMPTY_PATH, ""
	if source == nil {
		flags, source, path = cloneFlags(m.Recursive), stub.Num(unix.AT_FDCWD), m.Source
	}
	if m.SourceNoFollow {
		flags |= unix.AT_SYMLINK_NOFOLLOW
	}
	fd := p.OpenTree(source, path, flags)
	setAttr(p, fd, m.Attr, 0)
	return fd
}

// label queues the calls that set the SELinux label of a mount's root. They
// reopen the root because a mount's descriptor is O_PATH, which fsetxattr(2)
// does not accept.
func label(p *stub.Proc, fd *stub.Value, label string) {
	if label == "" {
		return
	}
	root := p.Openat(fd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	p.Fsetxattr(root, "security.selinux", append([]byte(label), 0))
	p.CloseFd(root)
}

func setAttr(p *stub.Proc, fd *stub.Value, a config.MountAttr, flags int) {
	if a.Set != 0 || a.Clear != 0 {
		p.MountSetattr(fd, flags, a.Set, a.Clear, 0)
	}
}

func cloneFlags(rec bool) uint {
	return unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC | uint(recursive(rec))
}

func recursive(rec bool) int {
	if rec {
		return unix.AT_RECURSIVE
	}
	return 0
}

// filesystem queues the calls for a mount of a new or shared superblock.
func filesystem(p *stub.Proc, m *config.Mount) Detached {
	fs := p.Fsopen(m.Type)
	if m.Source != "" {
		p.FsconfigString(fs, "source", m.Source)
	}
	configure(p, fs, m)
	p.FsconfigCreate(fs)
	return Detached{FD: p.Fsmount(fs, m.Attr.Set), FS: fs}
}

// Clone queues a recursive open_tree(2) clone of the mount at fd.
func Clone(p *stub.Proc, fd *stub.Value) *stub.Value {
	return p.OpenTree(fd, "", cloneFlags(true)|unix.AT_EMPTY_PATH)
}

// Remount queues the calls that change the mount with root at. Unless m is a
// bind mount, they change the superblock too.
func Remount(p *stub.Proc, m *config.Mount, at *stub.Value) Detached {
	d := Detached{FD: at}
	if !m.Bind && len(m.Flags)+len(m.Data) > 0 {
		d.FS = p.Fspick(at)
		configure(p, d.FS, m)
		p.FsconfigReconfigure(d.FS)
	}
	setAttr(p, at, m.Attr, 0)
	finish(p, at, m)
	return d
}

// MakeReadonly queues the calls that make a mount and its superblock read-only.
func MakeReadonly(p *stub.Proc, d Detached) {
	fs := d.FS
	if fs == nil {
		fs = p.Fspick(d.FD)
	}
	p.FsconfigFlag(fs, "ro")
	p.FsconfigReconfigure(fs)
	if d.FS == nil {
		p.CloseFd(fs)
	}
	p.MountSetattr(d.FD, 0, unix.MOUNT_ATTR_RDONLY, 0, 0)
}

// EmptyDir queues the calls that make an empty read-only directory. Masked
// directories are covered with it.
func EmptyDir(p *stub.Proc) *stub.Value {
	fs := p.Fsopen("tmpfs")
	p.FsconfigString(fs, "source", "tmpfs")
	p.FsconfigString(fs, "mode", "0555")
	p.FsconfigString(fs, "nr_inodes", "2")
	p.FsconfigFlag(fs, "ro")
	p.FsconfigCreate(fs)
	fd := p.Fsmount(fs, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	p.CloseFd(fs)
	return fd
}
