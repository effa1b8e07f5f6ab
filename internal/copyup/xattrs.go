package copyup

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// Buffer sizes in bytes for attribute names and for a value: most files have no
// attributes, and the kernel's limit is 64 KiB.
const (
	fewXattrs = 512
	maxXattrs = 64 << 10
)

// xattrs copies the extended attributes of an open file. It leaves out
// attributes that the new file system does not support or the container may not
// set.
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
		// EOPNOTSUPP: not supported by the file system. EPERM: not permitted to
		// the container.
		c.p.Fsetxattr(to, name, value).MayFail(unix.EOPNOTSUPP, unix.EPERM)
	}
	return c.p.Do()
}

// read performs all queued calls and one that fills a buffer, again with a
// larger buffer if the first is too small.
func (c *copier) read(call func(dst []byte) *stub.Value) ([]byte, error) {
	for _, size := range []int{fewXattrs, maxXattrs} {
		dst := make([]byte, size)
		// In this order: no attributes on this file system, not permitted,
		// removed meanwhile, buffer too small.
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
