package fs

import (
	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func planHugetlb(dir string, r *specs.LinuxResources) ([]cgroupfs.Write, error) {
	return cgroupfs.HugetlbWrites(dir, "limit_in_bytes", r.HugepageLimits)
}

// statHugetlb reads the counters of the hugetlb controller. It reads those of
// reservations if the kernel has them, because those limits apply first.
func statHugetlb(g *cgroupfs.Reader, s *cgroups.Stats) {
	for _, size := range g.HugepageSizes(".usage_in_bytes") {
		prefix := "hugetlb." + size + "."
		usage, ok := g.UintIf(prefix + "rsvd.usage_in_bytes")
		if ok {
			prefix += "rsvd."
		} else {
			usage = g.Uint(prefix + "usage_in_bytes")
		}
		s.Hugetlb[size] = cgroups.HugetlbStats{
			Usage:   usage,
			Max:     g.Uint(prefix + "max_usage_in_bytes"),
			Failcnt: g.Uint(prefix + "failcnt"),
		}
	}
}
