package setup

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/devices"
	"github.com/berth-oci/berth/internal/rootfs"
)

// makeDevices makes the device nodes. A runtime that is in a user namespace, or
// lacks CAP_MKNOD, binds those of the host.
func makeDevices(r *run) error {
	err := r.tree.Run(rootfs.Devices(r.cfg, r.kcore))
	if errors.Is(err, unix.EPERM) {
		return bindDevices(r)
	}
	return err
}

// bindDevices binds the device nodes of the host.
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
