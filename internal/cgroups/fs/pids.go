package fs

import (
	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func planPids(_ string, r *specs.LinuxResources) ([]cgroupfs.Write, error) {
	if r.Pids == nil || r.Pids.Limit == nil {
		return nil, nil
	}
	return []cgroupfs.Write{{Field: "pids.limit", File: "pids.max", Value: cgroupfs.PidsLimit(*r.Pids.Limit)}}, nil
}

// statPids reads the counters of the pids controller.
func statPids(g *cgroupfs.Reader, s *cgroups.Stats) {
	s.Pids.Current = g.Uint("pids.current")
	if limit := g.Uint("pids.max"); limit != cgroups.Max {
		s.Pids.Limit = limit
	}
}
