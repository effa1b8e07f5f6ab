package fs2

import (
	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func planHugetlb(dir string, r *specs.LinuxResources) ([]cgroupfs.Write, error) {
	return cgroupfs.HugetlbWrites(dir, "max", r.HugepageLimits)
}

// statHugetlb reads the counters of the hugetlb controller. It reads those of
// reservations if the kernel has them, because those limits apply first.
func statHugetlb(g *cgroupfs.Reader, s *cgroups.Stats) {
	for _, size := range g.HugepageSizes(".current") {
		prefix := "hugetlb." + size + "."
		usage, ok := g.UintIf(prefix + "rsvd.current")
		if !ok {
			usage = g.Uint(prefix + "current")
		}
		s.Hugetlb[size] = cgroups.HugetlbStats{
			Usage:   usage,
			Failcnt: g.Keyed(prefix + "events")["max"],
		}
	}
}
