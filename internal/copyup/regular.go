package copyup

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// errChanged means that another process changes the directory during the copy.
var errChanged = errors.New("was replaced by another file during the copy")

// regular copies a regular file.
func (c *copier) regular(src, dst *stub.Value, e *entry) error {
	// e.fd is O_PATH and cannot be read, so the name is opened again. It may
	// have become a FIFO or terminal: O_NONBLOCK and O_NOCTTY.
	from := c.p.Openat(src, e.name, unix.O_RDONLY|unix.O_LARGEFILE|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	st, _ := c.p.Statx(from, "", unix.AT_EMPTY_PATH)
	to := c.p.Openat(dst, e.name, unix.O_WRONLY|unix.O_LARGEFILE|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err := c.p.Do(); err != nil {
		return err
	}
	if st.Inode() != e.st.Inode() || st.Mode()&unix.S_IFMT != unix.S_IFREG {
		return fmt.Errorf("copy %q: %w", "/"+e.path, errChanged)
	}
	if err := c.content(from, to, st); err != nil {
		return err
	}
	return c.finish(from, to, dst, e)
}

// content copies the data of a file; of a sparse file, extent by extent.
func (c *copier) content(from, to *stub.Value, st *stub.Stat) error {
	if st.Blocks()*512 >= st.Size() {
		return c.send(from, to, st.Size())
	}
	for at := int64(0); at < st.Size(); {
		data := c.p.Lseek(from, at, unix.SEEK_DATA).MayFail(unix.ENXIO) // a hole until the end
		if err := c.p.Do(); err != nil {
			return err
		}
		if data.Err() != nil {
			break
		}
		start := data.Int64()
		hole := c.p.Lseek(from, start, unix.SEEK_HOLE)
		c.p.Lseek(from, start, unix.SEEK_SET)
		c.p.Lseek(to, start, unix.SEEK_SET)
		if err := c.p.Do(); err != nil {
			return err
		}
		end := hole.Int64()
		if start < at || end <= start {
			return fmt.Errorf("lseek: %w", errChanged)
		}
		if err := c.send(from, to, end-start); err != nil {
			return err
		}
		at = end
	}
	c.p.Ftruncate(to, st.Size())
	return c.p.Do()
}

// sendMax is the most bytes that sendfile(2) copies in one call.
const sendMax = 0x7ffff000

// send copies size bytes, or fewer if the file ends earlier.
func (c *copier) send(from, to *stub.Value, size int64) error {
	for size > 0 {
		n := c.p.Sendfile(to, from, uint64(min(size, sendMax)))
		if err := c.p.Do(); err != nil {
			return err
		}
		if n.Int() <= 0 {
			return nil
		}
		size -= int64(n.Int())
	}
	return nil
}
