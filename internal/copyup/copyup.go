// Package copyup copies the content of a directory into an empty one
// (tmpcopyup). A stub performs the copy, so the container's cgroup is charged
// for the memory, and owners are mapped by the container's user namespace.
//
// The copy keeps owners, modes, times, symbolic and hard links, holes and
// devices, and the extended attributes that the file system accepts. It follows
// no links: every name is opened relative to the directory that it was read
// from.
package copyup

import (
	"path"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// Copy copies the content of the directory from into the directory to. No other
// process may change to meanwhile.
func Copy(p *stub.Proc, from, to *stub.Value) error {
	c := &copier{p: p, to: to, links: map[[3]uint64]string{}}
	src, dst := c.openDir(from, "."), c.openDir(to, ".")
	if err := p.Do(); err != nil {
		return err
	}
	if err := c.directory(src, dst, ""); err != nil {
		return err
	}
	p.Label("")
	p.CloseFd(src)
	p.CloseFd(dst)
	return p.Do()
}

type copier struct {
	p  *stub.Proc
	to *stub.Value
	// links maps the inode of a file with several names to the path of its
	// copy.
	links map[[3]uint64]string
}

// entry is a name in a directory that is being copied.
type entry struct {
	name string
	path string // from the top
	fd   *stub.Value
	st   *stub.Stat
}

func (e *entry) kind() uint32 { return e.st.Mode() & unix.S_IFMT }

func (c *copier) openDir(dir *stub.Value, name string) *stub.Value {
	return c.p.Openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
}

// listSize is the size in bytes of the buffer for names; it fits into the
// region.
const listSize = 8 << 10

// directory copies the content of src to dst; at is its path from the top.
func (c *copier) directory(src, dst *stub.Value, at string) error {
	list := make([]byte, listSize)
	for {
		c.p.Label("read directory %q", "/"+at)
		n := c.p.Getdents64(src, list)
		if err := c.p.Do(); err != nil {
			return err
		}
		if len(n.Of(list)) == 0 {
			return nil
		}
		names, err := parseNames(n.Of(list))
		if err != nil {
			return err
		}
		for some := range slices.Chunk(names, entriesAtOnce) {
			if err := c.entries(src, dst, at, some); err != nil {
				return err
			}
		}
	}
}

// entriesAtOnce is how many names are examined in one batch.
const entriesAtOnce = 32

// entries copies some names of a directory.
func (c *copier) entries(src, dst *stub.Value, at string, names []string) error {
	list, err := c.look(src, at, names)
	if err != nil {
		return err
	}
	for i := range list {
		e := &list[i]
		c.p.Label("copy %q", "/"+e.path)
		if err := c.entry(src, dst, e); err != nil {
			return err
		}
	}
	for i := range list {
		c.p.CloseFd(list[i].fd)
	}
	return c.p.Do()
}

// look examines the names. It leaves out files that have been removed.
func (c *copier) look(src *stub.Value, at string, names []string) ([]entry, error) {
	list := make([]entry, len(names))
	for i, name := range names {
		e := &list[i]
		e.name, e.path = name, path.Join(at, name)
		c.p.Label("look at %q", "/"+e.path)
		e.fd = c.p.Openat(src, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0).MayFail(unix.ENOENT) // it was removed
		e.st, _ = c.p.Statx(e.fd, "", unix.AT_EMPTY_PATH)
	}
	if err := c.p.Do(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(e entry) bool { return e.fd.Err() != nil }), nil
}

// entry copies one file of any type. It leaves e.fd open.
func (c *copier) entry(src, dst *stub.Value, e *entry) error {
	if e.kind() == unix.S_IFDIR {
		return c.subdirectory(dst, e)
	}
	if e.st.Nlink() > 1 {
		if first, ok := c.links[e.st.Inode()]; ok {
			c.p.Linkat(c.to, first, dst, e.name)
			return c.p.Do()
		}
		c.links[e.st.Inode()] = e.path
	}
	switch e.kind() {
	case unix.S_IFREG:
		return c.regular(src, dst, e)
	case unix.S_IFLNK:
		return c.symlink(dst, e)
	}
	major, minor := e.st.Rdev()
	c.p.Mknodat(dst, e.name, e.kind()|0o600, unix.Mkdev(major, minor))
	c.own(dst, e)
	c.p.Utimensat(dst, e.name, e.st, unix.AT_SYMLINK_NOFOLLOW)
	return c.p.Do()
}

// own queues the calls that set the owner and then the mode of a copy: a change
// of owner clears the set-user-ID bit.
func (c *copier) own(dst *stub.Value, e *entry) {
	c.p.Fchownat(dst, e.name, int(e.st.UID()), int(e.st.GID()), unix.AT_SYMLINK_NOFOLLOW)
	if e.kind() != unix.S_IFLNK {
		c.p.Fchmodat(dst, e.name, e.st.Mode()&0o7777)
	}
}

func (c *copier) symlink(dst *stub.Value, e *entry) error {
	target := make([]byte, unix.PathMax)
	n := c.p.Readlinkat(e.fd, "", target)
	if err := c.p.Do(); err != nil {
		return err
	}
	c.p.Symlinkat(string(n.Of(target)), dst, e.name)
	c.own(dst, e)
	c.p.Utimensat(dst, e.name, e.st, unix.AT_SYMLINK_NOFOLLOW)
	return c.p.Do()
}

func (c *copier) subdirectory(dst *stub.Value, e *entry) error {
	c.p.Mkdirat(dst, e.name, 0o700)
	from, to := c.openDir(e.fd, "."), c.openDir(dst, e.name)
	if err := c.p.Do(); err != nil {
		return err
	}
	if err := c.directory(from, to, e.path); err != nil {
		return err
	}
	c.p.Label("copy %q", "/"+e.path)
	return c.finish(from, to, dst, e)
}

// finish sets the owner, mode, extended attributes and times of a file or
// directory after its content was copied, and closes both descriptors.
func (c *copier) finish(from, to, dst *stub.Value, e *entry) error {
	c.own(dst, e)
	if err := c.xattrs(from, to); err != nil {
		return err
	}
	c.p.Utimensat(dst, e.name, e.st, unix.AT_SYMLINK_NOFOLLOW)
	c.p.CloseFd(from)
	c.p.CloseFd(to)
	return c.p.Do()
}
