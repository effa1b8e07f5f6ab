package rootfs

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// pathMaker is an operation that can make the missing parts of its path.
type pathMaker interface {
	Op
	// makePath makes the missing parts.
	makePath(t *Tree) error
}

// makeMissing makes the path that is missing according to err, and returns whether
// it has. It returns any other error unchanged, and also the second error of the
// same operation.
func (t *Tree) makeMissing(op Op, err error) (made bool, _ error) {
	var call *stub.Error
	need, ok := op.(pathMaker)
	if !ok || !errors.As(err, &call) || call.Call != "openat2" || call.Errno != unix.ENOENT || t.lastMade == op {
		return false, err
	}
	t.lastMade = op
	if err := need.makePath(t); err != nil {
		return false, fmt.Errorf("%s: make missing path: %w", op, err)
	}
	return true, nil
}

// Types and modes of missing mount points.
const (
	newDir  = unix.S_IFDIR | 0o755
	newFile = unix.S_IFREG | 0o644
	// newShared is for a tmpfs without a mode option: the kernel's default
	// mode, which the next run inherits from the mount point.
	newShared = unix.S_IFDIR | 0o1777
)

// point is a mount point.
type point struct {
	path string
	// mode is the type and mode if it is missing: newDir, newFile or newShared.
	mode uint32
	// flags and resolve are for openat2(2).
	flags   int
	resolve uint64
}

// target queues the calls that open a mount point and make its last component
// if missing. Run makes missing parents, which needs results in between.
func (t *Tree) target(at point) *stub.Value {
	if at.path != "/" {
		parent := t.open(path.Dir(at.path), unix.O_DIRECTORY)
		t.makeLast(parent, path.Base(at.path), at.mode)
		t.p.CloseFd(parent)
	}
	dir, name := t.from(at.path)
	return t.p.Openat2(dir, name, unix.O_PATH|unix.O_CLOEXEC|at.flags, unix.RESOLVE_IN_ROOT|unix.RESOLVE_NO_MAGICLINKS|at.resolve)
}

// makeLast queues the call that makes a directory or empty file, which usually
// exists.
func (t *Tree) makeLast(parent *stub.Value, name string, mode uint32) *stub.Value {
	if mode&unix.S_IFMT == unix.S_IFDIR {
		// An existing one is opened next, even in a directory that is not
		// writable.
		return t.p.Mkdirat(parent, name, mode&0o7777).MayFail(unix.EEXIST, unix.EROFS, unix.EACCES, unix.EPERM)
	}
	// An existing one is opened next, even in a directory that is not writable.
	return t.p.Mknodat(parent, name, mode, 0).MayFail(unix.EEXIST, unix.EROFS, unix.EACCES, unix.EPERM)
}

// maxLinks is how many dangling links are followed, the limit of
// path_resolution(7).
const maxLinks = 40

// mkdirAll makes a directory and its parents. It follows symbolic links within
// the root and makes the targets of dangling ones.
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

// makeOne makes the last component of a path unless it exists. Its parents
// exist.
func (t *Tree) makeOne(name string, mode uint32, links int) error {
	if name == "/" {
		return nil
	}
	// ENOENT: made next. ELOOP: a magic link, which is refused later.
	there := t.open(name, 0).MayFail(unix.ENOENT, unix.ELOOP)
	t.p.CloseFd(there)
	if err := t.p.Do(); err != nil || !errors.Is(there.Err(), unix.ENOENT) {
		return err
	}
	parent := t.open(path.Dir(name), unix.O_DIRECTORY)
	made := t.makeLast(parent, path.Base(name), mode)
	link := make([]byte, unix.PathMax)
	read := t.p.Readlinkat(parent, path.Base(name), link).MayFail(unix.EINVAL, unix.ENOENT) // not a link; not made
	there = t.open(name, 0).MayFail(unix.ENOENT)                                            // a dangling link
	t.p.CloseFd(parent)
	t.p.CloseFd(there)
	if err := t.p.Do(); err != nil || there.Err() == nil {
		return err
	}
	switch err := made.Err(); {
	case errors.Is(err, unix.EPERM) && mode&unix.S_IFMT != unix.S_IFDIR:
		return fmt.Errorf("make %q: mknodat: %w (a seccomp filter or a security module denies mknodat(2) to the runtime, even for a regular file)", name, err)
	case err != nil && !errors.Is(err, unix.EEXIST):
		return fmt.Errorf("make %q: %w", name, err)
	case read.Err() != nil || links == maxLinks:
		return there.Err()
	}
	return t.makeLinked(name, string(read.Of(link)), mode, links+1)
}

// makeLinked makes the target of the dangling link at name.
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
