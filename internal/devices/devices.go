// Package devices makes device nodes in a container.
package devices

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Make queues the calls that make device d as name in the open directory dir.
// The stub's umask must be 0. An existing node is accepted if it is the same
// device.
func Make(p *stub.Proc, dir *stub.Value, name string, d config.Device) {
	dev := unix.Mkdev(d.Major, d.Minor)
	made := p.Mknodat(dir, name, d.Mode, dev).MayFail(unix.EEXIST) // if it is the same
	if d.UID != 0 || d.GID != 0 {
		p.Fchownat(dir, name, int(d.UID), int(d.GID), unix.AT_SYMLINK_NOFOLLOW)
	}
	st, _ := p.Statx(dir, name, unix.AT_SYMLINK_NOFOLLOW)
	p.Check(func() error {
		if err := made.Err(); err != nil && !same(st, d) {
			return fmt.Errorf("mknod: %w", err)
		}
		return nil
	})
}

// same reports whether st describes the device d.
func same(st *stub.Stat, d config.Device) bool {
	if st.Mode()&unix.S_IFMT != d.Mode&unix.S_IFMT {
		return false
	}
	major, minor := st.Rdev()
	return d.Mode&unix.S_IFMT == unix.S_IFIFO || (major == d.Major && minor == d.Minor)
}
