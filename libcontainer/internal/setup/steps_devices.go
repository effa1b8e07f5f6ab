package setup

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/devices"
	"github.com/berth-oci/berth/internal/rootfs"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// makeDevices makes the device nodes. In a user namespace, or without CAP_MKNOD, it
// bind-mounts the host's devices instead.
func makeDevices(r *run) error {
	err := r.tree.Run(rootfs.Devices(r.cfg, r.kcore))
	var call *stub.Error
	if errors.As(err, &call) && call.Call == "mknodat" && call.Errno == unix.EPERM {
		return bindDevices(r)
	}
	return err
}

// bindDevices bind-mounts the host's device nodes.
func bindDevices(r *run) error {
	for i := range r.cfg.Devices {
		warning, err := devices.OnHost(&r.cfg.Devices[i])
		if err != nil {
			return err
		}
		if warning != "" && r.log != nil {
			r.log.Warn(warning)
		}
	}
	return r.tree.Run(rootfs.BoundDevices(r.cfg, r.kcore))
}
