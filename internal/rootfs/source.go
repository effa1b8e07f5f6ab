package rootfs

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// passSource opens the source of a bind mount for the stub, when that may not
// reach it, and says that it has: a container's root need not have any right
// to the directories above. The source is opened as the stub sees it, in its
// mount namespace: there the flags of the host's mounts are locked
// (mount_namespaces(7)), and a clone of what is mounted elsewhere would have
// none that hold.
func (m *mountOp) passSource(t *Tree, err error) bool {
	var call *stub.Error
	if !m.Bind || m.source != nil || !errors.As(err, &call) || call.Call != "open_tree" || call.Errno != unix.EACCES {
		return false
	}
	f, err := m.openSource(t.child.Pid)
	if err != nil {
		return false // explainSource tells of the first failure
	}
	defer f.Close()
	m.source, err = t.child.Pass(f)
	return err == nil
}

// openSource opens the source below the root of a process, which is a copy of
// the host's.
func (m *mountOp) openSource(pid int) (*os.File, error) {
	root, err := unix.Open(fmt.Sprintf("/proc/%d/root", pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(root)
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT}
	if m.SourceNoFollow {
		how.Flags |= unix.O_NOFOLLOW
	}
	for {
		fd, err := unix.Openat2(root, m.Source, &how)
		switch {
		case err == nil:
			return os.NewFile(uintptr(fd), m.Source), nil
		case !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR): // see stub.Openat2
			return nil, err
		}
	}
}

// explainSource says who may not reach the source, and where the way ends.
func (m *mountOp) explainSource(t *Tree, err error) error {
	for dir := path.Dir(m.Source); ; dir = path.Dir(dir) {
		at := t.p.Openat(stub.Num(unix.AT_FDCWD), dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0).MayFail(unix.EACCES) // a directory above denies it
		search := t.p.Faccessat2(at, ".", unix.X_OK, unix.AT_EACCESS).MayFail(unix.EACCES)                                  // this is the one
		t.p.CloseFd(at)
		if t.p.Do() != nil {
			return err
		}
		if at.Err() == nil && errors.Is(search.Err(), unix.EACCES) {
			return fmt.Errorf("%w: the container's root may not search %q: give it the right to (chmod, or setfacl), or map its user to one that has it", err, filepath.Clean(dir))
		}
		if dir == "/" {
			return err
		}
	}
}
