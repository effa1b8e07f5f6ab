package rootfs

import (
	"fmt"
	"path"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/devices"
	"github.com/berth-oci/berth/libcontainer/config"
)

// deviceOp makes a device node.
type deviceOp struct {
	config.Device
}

func (d deviceOp) String() string {
	if d.Field == "" {
		return fmt.Sprintf("default device %q", d.Path)
	}
	return fmt.Sprintf("%s: device %q", d.Field, d.Path)
}

func (d deviceOp) field() string { return d.Field }

func (d deviceOp) Apply(t *Tree) {
	dir := t.open(path.Dir(d.Path), unix.O_DIRECTORY)
	devices.Make(t.p, dir, path.Base(d.Path), d.Device)
	t.p.CloseFd(dir)
}

func (d deviceOp) makePath(t *Tree) error { return t.mkdirAll(path.Dir(d.Path), 0) }

// boundDeviceOp bind-mounts the host's device node of the same path.
type boundDeviceOp struct {
	deviceOp
	// shared is the result of sharesMounts.
	shared bool
}

func (d boundDeviceOp) Apply(t *Tree) {
	target := t.target(point{path: d.Path, mode: newFile})
	devices.Bind(t.p, d.Device, target, d.shared)
	t.p.CloseFd(target)
}

func (d boundDeviceOp) makePath(t *Tree) error {
	if err := d.deviceOp.makePath(t); err != nil {
		return err
	}
	return t.makeOne(d.Path, newFile, 0)
}

// linkOp makes a symbolic link. An existing link stays, unless replace is set.
type linkOp struct {
	path, target string
	// replace removes an existing file first.
	replace bool
}

func (l linkOp) String() string { return fmt.Sprintf("link %q", l.path) }

func (l linkOp) Apply(t *Tree) {
	dir := t.open(path.Dir(l.path), unix.O_DIRECTORY)
	if l.replace {
		// ENOTDIR: not a directory. EBUSY: a mount of config.json. EROFS: the image's own.
		t.p.Unlinkat(dir, path.Base(l.path), unix.AT_REMOVEDIR).MayFail(unix.ENOENT, unix.ENOTDIR, unix.EBUSY, unix.EROFS)
		// The same; EISDIR: a mount on a directory.
		t.p.Unlinkat(dir, path.Base(l.path), 0).MayFail(unix.ENOENT, unix.EBUSY, unix.EROFS, unix.EISDIR)
	}
	// The image's own link stays.
	t.p.Symlinkat(l.target, dir, path.Base(l.path)).MayFail(unix.EEXIST)
	t.p.CloseFd(dir)
}

func (l linkOp) makePath(t *Tree) error { return t.mkdirAll(path.Dir(l.path), 0) }

// coreLink is made if the kernel has a /proc/kcore.
var coreLink = linkOp{path: "/dev/core", target: "/proc/kcore"}

// defaultLinks are the links that the specification requires (config-linux.md,
// default devices), and ptmx in the container's devpts.
var defaultLinks = [...]linkOp{
	{path: "/dev/fd", target: "/proc/self/fd"},
	{path: "/dev/stdin", target: "/proc/self/fd/0"},
	{path: "/dev/stdout", target: "/proc/self/fd/1"},
	{path: "/dev/stderr", target: "/proc/self/fd/2"},
	{path: "/dev/ptmx", target: "pts/ptmx", replace: true},
}
