package rootfs

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/mounts"
	"github.com/berth-oci/berth/libcontainer/config"
)

// Mounts returns the operations for config.json's mounts, in its order.
func Mounts(cfg *config.Config, host CgroupHost) []Op {
	plan := make([]Op, 0, len(cfg.Mounts))
	for i := range cfg.Mounts {
		op := mountOp{Mount: &cfg.Mounts[i]}
		if readonlyDev(op.Mount) {
			op.Mount = writable(op.Mount)
		}
		if sharesMounts(cfg) && op.Bind && !op.Remount {
			op.Mount = asSlave(op.Mount)
		}
		switch {
		case op.Remount:
			plan = append(plan, &remountOp{op})
		case op.Type == "cgroup" || op.Type == "cgroup2":
			plan = append(plan, &cgroupMount{mountOp: op, host: host, private: cfg.Namespaces.Has(unix.CLONE_NEWCGROUP), shared: sharesMounts(cfg)})
		case op.CopySymlink:
			plan = append(plan, &linkCopy{op})
		default:
			plan = append(plan, mountOrStaged(&op))
		}
	}
	return plan
}

// readonlyDev reports whether m is a read-only /dev. It stays writable until
// ReadonlyDev, after its files have been made.
func readonlyDev(m *config.Mount) bool {
	return m.Destination == "/dev" && !m.Bind && !m.Remount && m.Attr.Set&unix.MOUNT_ATTR_RDONLY != 0
}

// writable returns m without "ro".
func writable(m *config.Mount) *config.Mount {
	w := *m
	w.Attr.Set &^= unix.MOUNT_ATTR_RDONLY
	w.Flags = slices.DeleteFunc(slices.Clone(m.Flags), func(f string) bool { return f == "ro" })
	return &w
}

// HasReadonlyDev reports whether config.json has a read-only /dev.
func HasReadonlyDev(cfg *config.Config) bool {
	for i := range cfg.Mounts {
		if readonlyDev(&cfg.Mounts[i]) {
			return true
		}
	}
	return false
}

// mountOrStaged returns the operation for an ordinary mount.
func mountOrStaged(m *mountOp) Op {
	if m.staged() {
		return &stagedMount{mountOp: *m, old: mounts.NeedsOld(m.Mount)}
	}
	return m
}

// Devices returns the operations that populate /dev. kcore reports whether the
// kernel has a /proc/kcore. If /dev is a bind mount, the result is empty, since
// its content is not the container's.
func Devices(cfg *config.Config, kcore bool) []Op {
	return fillDev(cfg, kcore, func(d config.Device) Op { return deviceOp{d} })
}

// BoundDevices is Devices for a user namespace: it bind-mounts the host's
// nodes.
func BoundDevices(cfg *config.Config, kcore bool) []Op {
	return fillDev(cfg, kcore, func(d config.Device) Op {
		if d.Mode&unix.S_IFMT == unix.S_IFIFO {
			return deviceOp{d} // needs no privileges
		}
		return boundDeviceOp{deviceOp{d}, sharesMounts(cfg)}
	})
}

func fillDev(cfg *config.Config, kcore bool, device func(config.Device) Op) []Op {
	for i := range cfg.Mounts {
		if m := &cfg.Mounts[i]; m.Destination == "/dev" && m.Bind && !m.Remount {
			return nil
		}
	}
	plan := make([]Op, 0, len(cfg.Devices)+len(defaultLinks)+1)
	for _, d := range cfg.Devices {
		plan = append(plan, device(d))
	}
	for _, l := range defaultLinks {
		plan = append(plan, l)
	}
	if kcore {
		plan = append(plan, coreLink)
	}
	return plan
}
