package rootfs

import (
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
)

// pointOp makes the mount point of a mount if it is missing.
type pointOp struct{ mountOp }

func (p *pointOp) Apply(t *Tree) { t.p.CloseFd(t.target(p.point(t))) }

// Points returns the operations that make the missing mount points of config.json in the
// root file system itself, without those on another mount.
func Points(cfg *config.Config) []Op {
	points := make(map[string]bool, len(cfg.Mounts))
	for i := range cfg.Mounts {
		points[cfg.Mounts[i].Destination] = true
	}
	var plan []Op
	for i := range cfg.Mounts {
		m := &cfg.Mounts[i]
		if !m.Remount && m.Destination != "/" && !onAnother(m.Destination, points) {
			plan = append(plan, &pointOp{mountOp{Mount: m}})
		}
	}
	return plan
}

// onAnother reports whether a path is below one of the mount points, other than "/". It looks
// its parents up, not through all points: there may be 100,000.
func onAnother(destination string, points map[string]bool) bool {
	if len(destination) > unix.PathMax {
		return false // no call can use it
	}
	for i := range destination {
		if i > 0 && destination[i] == '/' && points[destination[:i]] {
			return true
		}
	}
	return false
}
