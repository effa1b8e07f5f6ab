// Package counters reads the counters that cgroup v1 and v2 print in the same format.
package counters

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// NUMA reads the memory of each NUMA node. Unit is the unit of the file, in bytes.
func NUMA(g *cgroupfs.Reader, s *cgroups.Stats, unit uint64) {
	for kind, row := range g.Table("memory.numa_stat") {
		nodes := make(map[int]uint64, len(row))
		for name, n := range row {
			if node, err := strconv.Atoi(strings.TrimPrefix(name, "N")); err == nil {
				nodes[node] = n * unit
			}
		}
		if s.Memory.NUMA == nil {
			s.Memory.NUMA = make(map[string]map[int]uint64)
		}
		s.Memory.NUMA[kind] = nodes
	}
}

// RDMA reads the counters of the rdma controller.
func RDMA(g *cgroupfs.Reader, s *cgroups.Stats) {
	current, limit := g.Table("rdma.current"), g.Table("rdma.max")
	for device, now := range current {
		count := func(name string) cgroups.Count {
			return cgroups.Count{Usage: now[name], Limit: numberOr(limit[device], name, cgroups.Max)}
		}
		if s.RDMA == nil {
			s.RDMA = make(map[string]cgroups.RDMAStats)
		}
		s.RDMA[device] = cgroups.RDMAStats{Handles: count("hca_handle"), Objects: count("hca_object")}
	}
}

// Misc reads the counters of the misc controller.
func Misc(g *cgroupfs.Reader, s *cgroups.Stats) {
	current := g.Keyed("misc.current")
	if len(current) == 0 {
		return // the host has no such resource
	}
	limit, peak, events := g.Keyed("misc.max"), g.Keyed("misc.peak"), g.Keyed("misc.events")
	s.Misc = make(map[string]cgroups.Count)
	for _, name := range slices.Collect(maps.Keys(current)) {
		s.Misc[name] = cgroups.Count{
			Usage: current[name], Limit: numberOr(limit, name, cgroups.Max),
			Max: peak[name], Failcnt: events[name+".max"],
		}
	}
}

// numberOr returns the number of a key, or another one if the file does not have it: the
// root cgroup has no limits.
func numberOr(numbers map[string]uint64, key string, other uint64) uint64 {
	if n, ok := numbers[key]; ok {
		return n
	}
	return other
}
