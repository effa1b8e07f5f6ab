package rootfs

import (
	"strings"

	"github.com/berth-oci/berth/libcontainer/config"
)

// pointOp makes the mount point of a mount if it is missing.
type pointOp struct{ mountOp }

func (p *pointOp) Apply(t *Tree) { t.p.CloseFd(t.target(p.point(t))) }

// Points returns the operations that make the missing mount points of config.json in the
// root file system itself, without those on another mount.
func Points(cfg *config.Config) []Op {
	var plan []Op
	for i := range cfg.Mounts {
		m := &cfg.Mounts[i]
		if !m.Remount && m.Destination != "/" && !onAnother(m, cfg.Mounts) {
			plan = append(plan, &pointOp{mountOp{Mount: m}})
		}
	}
	return plan
}

// onAnother reports whether the mount point is on one of the mounts.
func onAnother(m *config.Mount, mounts []config.Mount) bool {
	for i := range mounts {
		if strings.HasPrefix(m.Destination, mounts[i].Destination+"/") {
			return true
		}
	}
	return false
}
