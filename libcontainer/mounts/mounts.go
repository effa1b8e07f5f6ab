// Package mounts makes mounts that are not attached anywhere yet, with all
// their attributes, so that nothing is ever visible in a container before it
// is as config.json wants it.
package mounts

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Detached is a mount in the making: the calls are queued.
type Detached struct {
	// FD of the mount, to be attached by move_mount.
	FD *stub.Value
	// FS is the context that the mount was made with, nil for a bind mount.
	// Reading from it gives the kernel's reason when a call has failed.
	FS *stub.Value
}

// Make queues the calls that make m.
func Make(p *stub.Proc, m *config.Mount) Detached {
	var d Detached
	if m.Bind {
		d.FD = bind(p, m)
	} else {
		d = filesystem(p, m)
	}
	for _, propagation := range m.Propagation {
		p.MountSetattr(d.FD, recursive(propagation&unix.MS_REC != 0), 0, 0, propagation&^unix.MS_REC)
	}
	return d
}

// bind queues the calls for a bind mount.
func bind(p *stub.Proc, m *config.Mount) *stub.Value {
	fd := p.OpenTree(stub.Num(unix.AT_FDCWD), m.Source, cloneFlags(m.Recursive))
	setAttr(p, fd, m.Attr, 0)
	setAttr(p, fd, m.RecAttr, unix.AT_RECURSIVE)
	return fd
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

// filesystem queues the calls for a mount of a new, or shared, superblock.
func filesystem(p *stub.Proc, m *config.Mount) Detached {
	fs := p.Fsopen(m.Type)
	if m.Source != "" {
		p.FsconfigString(fs, "source", m.Source)
	}
	for _, f := range m.Flags {
		p.FsconfigFlag(fs, f)
	}
	for _, d := range m.Data {
		key, value, hasValue := strings.Cut(d, "=")
		if hasValue {
			p.FsconfigString(fs, key, value)
		} else {
			p.FsconfigFlag(fs, key)
		}
	}
	p.FsconfigCreate(fs)
	fd := p.Fsmount(fs, m.Attr.Set)
	setAttr(p, fd, m.RecAttr, unix.AT_RECURSIVE)
	return Detached{FD: fd, FS: fs}
}

// Clone queues the call that clones the mount of what fd is open on, with
// what is mounted below it.
func Clone(p *stub.Proc, fd *stub.Value) *stub.Value {
	return p.OpenTree(fd, "", cloneFlags(true)|unix.AT_EMPTY_PATH)
}

// EmptyDir queues the calls that make an empty directory that cannot be
// written to, to cover others with.
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
