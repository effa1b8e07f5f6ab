package setup

import (
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// Where the program finds the socket: runc's place.
const (
	NotifyFile        = "notify.sock"
	notifyDestination = "/run/notify"
)

// makeNotifyDir makes the directory of the socket, which notifyMount mounts.
func makeNotifyDir(r *run) error {
	dir := filepath.Join(r.dir, state.NotifyDir)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	r.notify = []string{"NOTIFY_SOCKET=" + notifyDestination + "/" + NotifyFile}
	return os.Chmod(dir, 0o755) // whatever the caller's umask is
}

// withNotifyMount returns the configuration with the directory mounted, if the
// program is to have the socket.
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
