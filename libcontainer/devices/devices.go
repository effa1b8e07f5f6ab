// Package devices makes device nodes in a container.
package devices

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Make queues the calls that make d in dir, an open directory, as name. The
// stub's umask must be 0. A node that exists is accepted if it is the same
// device: the returned function tells once the batch is done.
func Make(p *stub.Proc, dir *stub.Value, name string, d config.Device) func() error {
	dev := unix.Mkdev(d.Major, d.Minor)
	made := p.Mknodat(dir, name, d.Mode, dev).MayFail()
	if d.UID != 0 || d.GID != 0 {
		p.Fchownat(dir, name, int(d.UID), int(d.GID), unix.AT_SYMLINK_NOFOLLOW)
	}
	st, stat := p.Statx(dir, name, unix.AT_SYMLINK_NOFOLLOW)
	stat.MayFail()
	return func() error {
		err := made.Err()
		if err == nil {
			return nil
		}
		if errors.Is(err, unix.EEXIST) && stat.Err() == nil && same(st, d) {
			return nil
		}
		return fmt.Errorf("mknod: %w", err)
	}
}

// same reports whether what st describes is the device d.
func same(st *stub.Stat, d config.Device) bool {
	if st.Mode()&unix.S_IFMT != d.Mode&unix.S_IFMT {
		return false
	}
	major, minor := st.Rdev()
	return d.Mode&unix.S_IFMT == unix.S_IFIFO || (major == d.Major && minor == d.Minor)
}
