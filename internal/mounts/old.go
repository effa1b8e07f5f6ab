package mounts

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// NeedsOld reports whether a mount has options that only mount(2) takes:
// fsconfig(2) limits the length of values and does not know "iversion".
func NeedsOld(m *config.Mount) bool {
	if m.Bind {
		return false
	}
	return slices.Contains(m.Flags, "iversion") || len(m.Source) > valueMax ||
		slices.ContainsFunc(m.Data, func(d string) bool { return !fits(m.Type, d) })
}

// MakeOld queues the calls that make m with mount(2), which can only make
// attached mounts. The stub mounts m on the directory at, clones the mount and
// unmounts it; no other process is in the stub's mount namespace to see it.
func MakeOld(p *stub.Proc, m *config.Mount, at *stub.Value) (Detached, error) {
	data := strings.Join(m.Data, ",")
	if page := os.Getpagesize(); len(data) >= page {
		return Detached{}, fmt.Errorf("%s.options: %d bytes of file system options, and the kernel accepts at most %d", m.Field, len(data), page-1)
	}
	p.Fchdir(at)
	p.Mount(m.Source, ".", m.Type, oldFlags(m), data)
	// In a root directory, ".." is the mount on top of it.
	on := p.Openat2(at, "..", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, unix.RESOLVE_IN_ROOT)
	fd := p.OpenTree(on, "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH)
	p.Fchdir(on)
	p.Umount2(".", unix.MNT_DETACH)
	p.Chdir("/")
	p.CloseFd(on)
	finish(p, fd, m)
	return Detached{FD: fd}, nil
}

// superblockFlag returns the mount(2) flag for a superblock flag, or 0 for one
// that only clears another ("rw", "async").
func superblockFlag(name string) uint64 {
	switch name {
	case "ro":
		return unix.MS_RDONLY
	case "sync":
		return unix.MS_SYNCHRONOUS
	case "dirsync":
		return unix.MS_DIRSYNC
	case "mand":
		return unix.MS_MANDLOCK
	case "lazytime":
		return unix.MS_LAZYTIME
	case "iversion":
		return unix.MS_I_VERSION
	}
	return 0
}

// attrFlags are mount(2)'s flags for the attributes of a mount.
var attrFlags = [...]struct{ attr, flag uint64 }{
	{unix.MOUNT_ATTR_RDONLY, unix.MS_RDONLY},
	{unix.MOUNT_ATTR_NOSUID, unix.MS_NOSUID},
	{unix.MOUNT_ATTR_NODEV, unix.MS_NODEV},
	{unix.MOUNT_ATTR_NOEXEC, unix.MS_NOEXEC},
	{unix.MOUNT_ATTR_NOATIME, unix.MS_NOATIME},
	{unix.MOUNT_ATTR_STRICTATIME, unix.MS_STRICTATIME},
	{unix.MOUNT_ATTR_NODIRATIME, unix.MS_NODIRATIME},
	{unix.MOUNT_ATTR_NOSYMFOLLOW, unix.MS_NOSYMFOLLOW},
}

// oldFlags returns the mount(2) flags for the attributes and superblock flags
// of m.
func oldFlags(m *config.Mount) uint64 {
	var flags uint64
	for _, f := range m.Flags {
		flags |= superblockFlag(f)
	}
	for _, row := range attrFlags {
		if m.Attr.Set&row.attr != 0 {
			flags |= row.flag
		}
	}
	return flags
}
