package rootfs

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/mounts"
	"github.com/berth-oci/berth/libcontainer/config"
)

// Mounts gives the operations for config.json's mounts, in its order.
func Mounts(cfg *config.Config, host CgroupHost) []Op {
	plan := make([]Op, 0, len(cfg.Mounts))
	for i := range cfg.Mounts {
		op := mountOp{Mount: &cfg.Mounts[i]}
		if readonlyDev(op.Mount) {
			op.Mount = writable(op.Mount)
		}
		if sharesMounts(cfg) && op.Bind && !op.Remount {
			op.Mount = enslaved(op.Mount)
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

// readonlyDev reports whether m is a /dev that is to be read-only: it is made
// so when everything in it is made (ReadonlyDev).
func readonlyDev(m *config.Mount) bool {
	return m.Destination == "/dev" && !m.Bind && !m.Remount && m.Attr.Set&unix.MOUNT_ATTR_RDONLY != 0
}

// writable gives m without "ro".
func writable(m *config.Mount) *config.Mount {
	w := *m
	w.Attr.Set &^= unix.MOUNT_ATTR_RDONLY
	w.Flags = slices.DeleteFunc(slices.Clone(m.Flags), func(f string) bool { return f == "ro" })
	return &w
}

// HasReadonlyDev reports whether /dev is to be read-only.
func HasReadonlyDev(cfg *config.Config) bool {
	for i := range cfg.Mounts {
		if readonlyDev(&cfg.Mounts[i]) {
			return true
		}
	}
	return false
}

// mountOrStaged gives the operation for a mount that is neither special.
func mountOrStaged(m *mountOp) Op {
	if m.staged() {
		return &stagedMount{mountOp: *m, old: mounts.NeedsOld(m.Mount)}
	}
	return m
}

// Devices gives the operations that fill /dev; kcore says whether the kernel
// has a /proc/kcore. There are none when /dev is bound from somewhere: it is
// not the container's to change then.
func Devices(cfg *config.Config, kcore bool) []Op {
	return fillDev(cfg, kcore, func(d config.Device) Op { return deviceOp{d} })
}

// BoundDevices is Devices for a user namespace: the nodes are the host's.
func BoundDevices(cfg *config.Config, kcore bool) []Op {
	return fillDev(cfg, kcore, func(d config.Device) Op {
		if d.Mode&unix.S_IFMT == unix.S_IFIFO {
			return deviceOp{d} // everybody may make one
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
