package rootfs

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// needsWay is an operation on a path the way to which is made when missing.
type needsWay interface {
	Op
	// way makes it.
	way(t *Tree) error
}

// makeWay makes the directories whose lack err reports, and says that it has.
// It gives err back when that is not what it reports, or they have been made
// already.
func (t *Tree) makeWay(op Op, err error) (made bool, _ error) {
	var call *stub.Error
	need, ok := op.(needsWay)
	if !ok || !errors.As(err, &call) || call.Call != "openat2" || call.Errno != unix.ENOENT || t.lastWay == op {
		return false, err
	}
	t.lastWay = op
	if err := need.way(t); err != nil {
		return false, fmt.Errorf("%s: make the way there: %w", op, err)
	}
	return true, nil
}

// Modes of what is made where a mount point is missing.
const (
	newDir  = unix.S_IFDIR | 0o755
	newFile = unix.S_IFREG | 0o644
	// newShared is for a tmpfs without a mode: its mode is the kernel's default
	// now, and will be that of its mount point at the next run.
	newShared = unix.S_IFDIR | 0o1777
)

// point is the place of a mount.
type point struct {
	path string
	// mode of what is made there, if nothing is: newDir, newFile or another.
	mode uint32
	// flags and resolve are for openat2(2).
	flags   int
	resolve uint64
}

// target queues the opening of a mount point, and its making if only the last
// part of the path is missing. (Run makes the others: an answer is needed to
// know which.)
func (t *Tree) target(at point) *stub.Value {
	if at.path != "/" {
		parent := t.open(path.Dir(at.path), unix.O_DIRECTORY)
		t.makeLast(parent, path.Base(at.path), at.mode)
		t.p.CloseFd(parent)
	}
	dir, name := t.from(at.path)
	return t.p.Openat2(dir, name, unix.O_PATH|unix.O_CLOEXEC|at.flags, unix.RESOLVE_IN_ROOT|unix.RESOLVE_NO_MAGICLINKS|at.resolve)
}

// makeLast queues the making of one directory or empty file. It exists mostly.
func (t *Tree) makeLast(parent *stub.Value, name string, mode uint32) *stub.Value {
	if mode&unix.S_IFMT == unix.S_IFDIR {
		// One that exists is opened next, even if its directory cannot be written to.
		return t.p.Mkdirat(parent, name, mode&0o7777).MayFail(unix.EEXIST, unix.EROFS, unix.EACCES, unix.EPERM)
	}
	// One that exists is opened next, even if its directory cannot be written to.
	return t.p.Mknodat(parent, name, mode, 0).MayFail(unix.EEXIST, unix.EROFS, unix.EACCES, unix.EPERM)
}

// maxLinks is how many dangling links are followed, as path_resolution(7) has it.
const maxLinks = 40

// mkdirAll makes a directory and those above it. Symbolic links on the way are
// followed within the root; where one dangles, what it points to is made.
func (t *Tree) mkdirAll(dir string, links int) error {
	made := "/"
	for part := range strings.SplitSeq(strings.Trim(dir, "/"), "/") {
		made = path.Join(made, part)
		if err := t.makeOne(made, newDir, links); err != nil {
			return err
		}
	}
	return nil
}

// makeOne makes what is at the end of a path unless it exists. All before the
// last part exists.
func (t *Tree) makeOne(name string, mode uint32, links int) error {
	if name == "/" {
		return nil
	}
	// It is made then; a magic link exists, and its use is refused later.
	there := t.open(name, 0).MayFail(unix.ENOENT, unix.ELOOP)
	t.p.CloseFd(there)
	if err := t.p.Do(); err != nil || !errors.Is(there.Err(), unix.ENOENT) {
		return err
	}
	parent := t.open(path.Dir(name), unix.O_DIRECTORY)
	made := t.makeLast(parent, path.Base(name), mode)
	link := make([]byte, unix.PathMax)
	read := t.p.Readlinkat(parent, path.Base(name), link).MayFail(unix.EINVAL, unix.ENOENT) // no link; not made
	there = t.open(name, 0).MayFail(unix.ENOENT)                                            // a dangling link
	t.p.CloseFd(parent)
	t.p.CloseFd(there)
	if err := t.p.Do(); err != nil || there.Err() == nil {
		return err
	}
	switch err := made.Err(); {
	case errors.Is(err, unix.EPERM) && mode&unix.S_IFMT != unix.S_IFDIR:
		return fmt.Errorf("make %q: mknodat: %w (a seccomp filter or a security module denies the runtime mknodat(2), also for a regular file)", name, err)
	case err != nil && !errors.Is(err, unix.EEXIST):
		return fmt.Errorf("make %q: %w", name, err)
	case read.Err() != nil || links == maxLinks:
		return there.Err()
	}
	return t.makeLinked(name, string(read.Of(link)), mode, links+1)
}

// makeLinked makes what the dangling link at name points to.
func (t *Tree) makeLinked(name, link string, mode uint32, links int) error {
	if !path.IsAbs(link) {
		link = path.Join(path.Dir(name), link)
	}
	link = path.Clean(link)
	if err := t.mkdirAll(path.Dir(link), links); err != nil {
		return err
	}
	return t.makeOne(link, mode, links)
}
