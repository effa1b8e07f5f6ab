package devices

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// In a user namespace, mknod(2) cannot create device nodes, and existing nodes
// cannot be opened on a file system mounted there. The runtime bind-mounts the
// host's node instead, with the mode and owner that it has.

const needsMknod = " (mknod(2) needs CAP_MKNOD in the initial user namespace)"

var errOtherDevice = errors.New("is a different device on the host")

// Bind queues the calls that bind-mount the host's node for d on target, and a
// check that the node is still the device that OnHost checked. private takes
// the mount out of the peer group of the host's mount.
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

// OnHost checks before create changes anything that the host has the device d
// at d.Path. The warning, if any, reports that the container gets another mode
// or owner than config.json sets.
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
		return "", config.FieldErrorf(field, "device %q: creating it is not permitted%s, and the host's cannot be bind-mounted: lstat: %w", d.Path, needsMknod, err)
	}
	if st.Mode&unix.S_IFMT != d.Mode&unix.S_IFMT || uint64(st.Rdev) != unix.Mkdev(d.Major, d.Minor) {
		return "", config.FieldErrorf(field, "device %q: %w (%s %d:%d), and creating the device is not permitted%s", d.Path, errOtherDevice,
			kind(st.Mode), unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev)), needsMknod)
	}
	if d.Field != "" && (st.Mode&0o7777 != d.Mode&0o7777 || d.UID != 0 || d.GID != 0) {
		warning = fmt.Sprintf("%s: in a user namespace, device %q is bind-mounted from the host and keeps its mode and owner (%#o, %d:%d)",
			field, d.Path, st.Mode&0o7777, st.Uid, st.Gid)
	}
	return warning, nil
}

// kind returns a description of a file type, to precede device numbers.
func kind(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFCHR:
		return "character device"
	case unix.S_IFBLK:
		return "block device"
	}
	return "not a device, numbers"
}
