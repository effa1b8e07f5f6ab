package devices

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// In a user namespace no device node can be made (mknod(2)), and one that
// exists cannot be opened on a file system mounted there. What works is a bind
// mount of a node of the host's, with the mode and owner that it has.

const needsMknod = " (mknod(2) takes CAP_MKNOD, in the initial user namespace)"

var errOtherDevice = errors.New("is another device on the host")

// Bind queues the binding of the host's node for d on what target is open on;
// private takes it out of the peer group of the host's mount. That it is still the
// right device, for which OnHost has asked before, is checked.
func Bind(p *stub.Proc, d config.Device, target *stub.Value, private bool) {
	node := p.Openat(stub.Num(unix.AT_FDCWD), d.Path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	st, _ := p.Statx(node, "", unix.AT_EMPTY_PATH)
	clone := p.OpenTree(node, "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH)
	if private {
		p.MountSetattr(clone, 0, 0, 0, unix.MS_PRIVATE)
	}
	p.MoveMount(clone, target)
	p.CloseFd(clone)
	p.CloseFd(node)
	p.Check(func() error {
		if !same(st, d) {
			return errOtherDevice
		}
		return nil
	})
}

// OnHost checks, before anything is done, that the host has the device where
// it is to be in the container. It warns of a mode or owner that it will not
// have.
func OnHost(d *config.Device) (warning string, err error) {
	if d.Mode&unix.S_IFMT == unix.S_IFIFO {
		return "", nil
	}
	field := d.Field
	if field == "" {
		field = "linux.devices"
	}
	var st unix.Stat_t
	if err := unix.Lstat(d.Path, &st); err != nil {
		return "", config.FieldErrorf(field, "device %q: creating it is not permitted%s, and to bind the host's: lstat: %w", d.Path, needsMknod, err)
	}
	if st.Mode&unix.S_IFMT != d.Mode&unix.S_IFMT || st.Rdev != unix.Mkdev(d.Major, d.Minor) {
		return "", config.FieldErrorf(field, "device %q: %w (%s %d:%d), and creating one is not permitted%s", d.Path, errOtherDevice,
			kind(st.Mode), unix.Major(st.Rdev), unix.Minor(st.Rdev), needsMknod)
	}
	if d.Field != "" && (st.Mode&0o7777 != d.Mode&0o7777 || d.UID != 0 || d.GID != 0) {
		warning = fmt.Sprintf("%s: device %q is the host's in a user namespace and keeps its mode and owner (%#o, %d:%d)",
			field, d.Path, st.Mode&0o7777, st.Uid, st.Gid)
	}
	return warning, nil
}

// kind names a file type.
func kind(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFCHR:
		return "character device"
	case unix.S_IFBLK:
		return "block device"
	}
	return "no device, numbers"
}
