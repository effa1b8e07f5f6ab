package rootfs

import (
	"errors"
	"fmt"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// linkCopy is a bind mount with "copy-symlink": if its source is a symbolic
// link, the destination becomes an equal link.
type linkCopy struct {
	mountOp
}

func (l *linkCopy) Perform(t *Tree) error {
	link, err := l.target(t)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) { // not a link; the mount reports ENOENT
		return t.Run([]Op{mountOrStaged(&l.mountOp)})
	}
	if err != nil {
		return err
	}
	parent := t.open(path.Dir(l.Destination), unix.O_DIRECTORY)
	t.p.Symlinkat(link, parent, path.Base(l.Destination)).MayFail(unix.EEXIST) // compared next
	there := make([]byte, unix.PathMax)
	n := t.p.Readlinkat(parent, path.Base(l.Destination), there).MayFail(unix.EINVAL) // not a symbolic link
	t.p.CloseFd(parent)
	if err := t.p.Do(); err != nil {
		return err
	}
	if n.Err() != nil || string(n.Of(there)) != link {
		return fmt.Errorf("%s: copy-symlink: %q exists and is not a link to %q", l, l.Destination, link)
	}
	return nil
}

// target reads the link. The stub makes the call, since a file server may never
// answer. The runtime makes it only if the stub is denied access.
func (l *linkCopy) target(t *Tree) (string, error) {
	buf := make([]byte, unix.PathMax)
	// EINVAL: not a symbolic link. ENOENT: the mount reports it.
	n := t.p.Readlinkat(stub.Num(unix.AT_FDCWD), l.Source, buf).MayFail(unix.EINVAL, unix.ENOENT, unix.EACCES)
	if err := t.p.Do(); err != nil {
		return "", err
	}
	if errors.Is(n.Err(), unix.EACCES) {
		link, err := os.Readlink(l.Source)
		if err != nil {
			err = fmt.Errorf("%s: %w", l, err)
		}
		return link, err
	}
	return string(n.Of(buf)), n.Err()
}

func (l *linkCopy) makePath(t *Tree) error { return t.mkdirAll(path.Dir(l.Destination), 0) }
