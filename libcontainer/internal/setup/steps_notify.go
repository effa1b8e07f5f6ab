package setup

import (
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// The socket's path in the container, the same as runc's.
const (
	NotifyFile        = "notify.sock"
	notifyDestination = "/run/notify"
)

// makeNotifyDir makes the directory of the socket, which withNotifyMount mounts.
func makeNotifyDir(r *run) error {
	dir := filepath.Join(r.dir, state.NotifyDir)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	r.notify = []string{"NOTIFY_SOCKET=" + notifyDestination + "/" + NotifyFile}
	return os.Chmod(dir, 0o755) // independent of the caller's umask
}

// withNotifyMount returns the configuration with a mount of the notify directory, if
// the program gets the socket.
func withNotifyMount(cfg *config.Config, dir string) *config.Config {
	if !cfg.Notify {
		return cfg
	}
	with := *cfg
	with.Mounts = append(slices.Clip(cfg.Mounts), config.Mount{
		Field: "notify socket", Source: filepath.Join(dir, state.NotifyDir), Destination: notifyDestination, Bind: true,
		Attr: config.MountAttr{Set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC},
	})
	return &with
}
