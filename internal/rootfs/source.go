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

// passSource opens the source of a bind mount for a stub that was denied access
// to it, since the container's root needs no permissions on its parents. It
// returns whether it has. It opens the source in the stub's mount namespace,
// where the host's mount flags are locked (mount_namespaces(7)); a clone from
// elsewhere would have no locked flags.
func (m *mountOp) passSource(t *Tree, err error) bool {
	var call *stub.Error
	if !m.Bind || m.source != nil || !errors.As(err, &call) || call.Call != "open_tree" || call.Errno != unix.EACCES {
		return false
	}
	f, err := m.openSource(t.child.Pid)
	if err != nil {
		return false // explainSource reports the first failure
	}
	defer f.Close()
	m.source, err = t.child.Pass(f)
	return err == nil
}

// openSource opens the source relative to the root of a process, which is a
// copy of the host's.
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

// explainSource adds the directory on which search permission is missing.
func (m *mountOp) explainSource(t *Tree, err error) error {
	for dir := path.Dir(m.Source); ; dir = path.Dir(dir) {
		at := t.p.Openat(stub.Num(unix.AT_FDCWD), dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0).MayFail(unix.EACCES) // a parent denies it
		search := t.p.Faccessat2(at, ".", unix.X_OK, unix.AT_EACCESS).MayFail(unix.EACCES)                                  // the directory to report
		t.p.CloseFd(at)
		if t.p.Do() != nil {
			return err
		}
		if at.Err() == nil && errors.Is(search.Err(), unix.EACCES) {
			return fmt.Errorf("%w: the container's root has no search permission on %q: grant it (chmod or setfacl), or map root to a user that has it", err, filepath.Clean(dir))
		}
		if dir == "/" {
			return err
		}
	}
}
