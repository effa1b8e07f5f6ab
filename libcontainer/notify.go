package libcontainer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/internal/setup"
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// ListenNotify returns the datagram socket for messages of the program (sd_notify(3)).
// The container must have been created with Config.Notify. A new socket replaces the
// previous one, whose unread messages are lost. Reads do not block.
func (c *Container) ListenNotify() (*os.File, error) {
	f, err := c.listenNotify()
	return f, opError("notify", c.ID(), err)
}

func (c *Container) listenNotify() (*os.File, error) {
	dir, err := os.Open(filepath.Join(c.dir, state.NotifyDir))
	if errors.Is(err, os.ErrNotExist) {
		return nil, errors.New("the container was created without a notify socket (set NOTIFY_SOCKET for create, too)")
	}
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	err = os.NewSyscallError("unlinkat", unix.Unlinkat(int(dir.Fd()), setup.NotifyFile, 0))
	if errors.Is(err, unix.ENOENT) {
		err = nil
	}
	if err == nil {
		err = os.NewSyscallError("bind", unix.Bind(fd, state.Address(dir, setup.NotifyFile)))
	}
	if err == nil {
		err = openToAll(dir, setup.NotifyFile)
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("listen on %q: %w", setup.NotifyFile, err)
	}
	return os.NewFile(uintptr(fd), setup.NotifyFile), nil
}

// openToAll lets every user of the container send to a socket. The container's root may
// replace the socket with a symlink, which fchmodat(2) would follow.
func openToAll(dir *os.File, name string) error {
	fd, err := unix.Openat(int(dir.Fd()), name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("openat", err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return os.NewSyscallError("fstat", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return errors.New("the container has replaced it")
	}
	return os.NewSyscallError("chmod", unix.Chmod(fmt.Sprintf("/proc/self/fd/%d", fd), 0o777))
}
