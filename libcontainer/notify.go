package libcontainer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
)

// Where the program finds the socket: runc's place.
const (
	notifyFile        = "notify.sock"
	notifyDestination = "/run/notify"
)

// makeNotifyDir makes the directory of the socket and has it mounted.
func makeNotifyDir(r *run) error {
	dir := filepath.Join(r.c.dir, notifyDir)
	err := os.Mkdir(dir, 0o755)
	if err == nil {
		err = os.Chmod(dir, 0o755) // whatever the caller's umask is
	}
	if err != nil {
		return err
	}
	cfg := *r.cfg
	cfg.Mounts = append(slices.Clip(cfg.Mounts), config.Mount{
		Field: "notify socket", Source: dir, Destination: notifyDestination, Bind: true,
		Attr: config.MountAttr{Set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC},
	})
	r.cfg = &cfg
	r.launch.Env = append(r.launch.Env, "NOTIFY_SOCKET="+notifyDestination+"/"+notifyFile)
	return nil
}

// ListenNotify gives the datagram socket to which the program of a container
// created with Notify tells what it has to tell. There is one at a time; what
// was sent to one before is lost. Reads do not block.
func (c *Container) ListenNotify() (*os.File, error) {
	f, err := c.listenNotify()
	return f, opError("notify", c.ID(), "", err)
}

func (c *Container) listenNotify() (*os.File, error) {
	dir, err := os.Open(filepath.Join(c.dir, notifyDir))
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
	err = unix.Unlinkat(int(dir.Fd()), notifyFile, 0)
	if errors.Is(err, unix.ENOENT) {
		err = nil
	}
	if err == nil {
		err = unix.Bind(fd, address(dir, notifyFile))
	}
	if err == nil {
		err = openToAll(dir, notifyFile)
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("listen on %q: %w", notifyFile, err)
	}
	return os.NewFile(uintptr(fd), notifyFile), nil
}

// openToAll lets every user of the container's send to a socket. Who is root
// there may be able to write to the directory, and to have put a link in its
// place: fchmodat(2) would follow that.
func openToAll(dir *os.File, name string) error {
	fd, err := unix.Openat(int(dir.Fd()), name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return errors.New("the container has replaced it")
	}
	return unix.Chmod(fmt.Sprintf("/proc/self/fd/%d", fd), 0o777)
}

// Ended returns when the container's first process has ended, or with ctx's
// error. Unlike Wait it is for any process, and does not know the exit status.
func (c *Container) Ended(ctx context.Context) error {
	pidfd, err := c.state.openProcess()
	if errors.Is(err, ErrNotRunning) {
		return nil
	}
	if err == nil {
		defer pidfd.Close()
		err = pollExit(ctx, pidfd)
	}
	return opError("wait", c.ID(), "", err)
}
