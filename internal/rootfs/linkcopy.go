package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"syscall"

	"golang.org/x/sys/unix"
)

// linkCopy is a bind mount with "copy-symlink": if its source is a symbolic
// link, the destination becomes one like it.
type linkCopy struct {
	mountOp
}

func (l *linkCopy) Perform(t *Tree) error {
	link, err := os.Readlink(l.Source)
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, fs.ErrNotExist) { // no link; the mount tells what is missing
		return t.Run([]Op{mountOrStaged(&l.mountOp)})
	}
	if err != nil {
		return fmt.Errorf("%s: %w", l, err)
	}
	parent := t.open(path.Dir(l.Destination), unix.O_DIRECTORY)
	t.p.Symlinkat(link, parent, path.Base(l.Destination)).MayFail(unix.EEXIST) // compared next
	there := make([]byte, unix.PathMax)
	n := t.p.Readlinkat(parent, path.Base(l.Destination), there).MayFail(unix.EINVAL) // no symbolic link
	t.p.CloseFd(parent)
	if err := t.p.Do(); err != nil {
		return err
	}
	if n.Err() != nil || string(n.Of(there)) != link {
		return fmt.Errorf("%s: copy-symlink: %q is there already, and no link to %q", l, l.Destination, link)
	}
	return nil
}

func (l *linkCopy) way(t *Tree) error { return t.mkdirAll(path.Dir(l.Destination), 0) }
