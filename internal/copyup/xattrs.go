package copyup

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// Room for names of attributes and for a value: most files have none, and the
// kernel's limit is 64 KiB.
const (
	fewXattrs = 512
	maxXattrs = 64 << 10
)

// xattrs copies the extended attributes of a file that is open on both sides.
// Those that the new file system does not take, or the container may not set,
// are left out.
func (c *copier) xattrs(from, to *stub.Value) error {
	list, err := c.read(func(dst []byte) *stub.Value { return c.p.Flistxattr(from, dst) })
	if err != nil {
		return err
	}
	for _, name := range parseXattrs(list) {
		value, err := c.read(func(dst []byte) *stub.Value { return c.p.Fgetxattr(from, name, dst) })
		if err != nil {
			return err
		}
		// The file system does not take it; the container may not set it.
		c.p.Fsetxattr(to, name, value).MayFail(unix.EOPNOTSUPP, unix.EPERM)
	}
	return c.p.Do()
}

// read performs a call that fills a buffer, with a larger one if need be, and
// what was queued before.
func (c *copier) read(call func(dst []byte) *stub.Value) ([]byte, error) {
	for _, size := range []int{fewXattrs, maxXattrs} {
		dst := make([]byte, size)
		// A file system without attributes; not for the container; gone meanwhile; a larger buffer is tried.
		n := call(dst).MayFail(unix.EOPNOTSUPP, unix.EPERM, unix.ENODATA, unix.ERANGE)
		if err := c.p.Do(); err != nil {
			return nil, err
		}
		switch err := n.Err(); {
		case err == nil:
			return n.Of(dst), nil
		case !errors.Is(err, unix.ERANGE):
			return nil, nil
		}
	}
	return nil, unix.ERANGE
}
