package fs2

import (
	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// planNetwork refuses settings of the v1 controllers net_cls and net_prio.
func planNetwork(_ string, r *specs.LinuxResources) ([]cgroupfs.Write, error) {
	const why = "cgroup v2 has no net_cls and net_prio: match the cgroup's path in netfilter or eBPF"
	switch {
	case r.Network == nil:
		return nil, nil
	case r.Network.ClassID != nil && *r.Network.ClassID != 0:
		return nil, cgroupfs.Unsupported("network.classID", why)
	case len(r.Network.Priorities) > 0:
		return nil, cgroupfs.Unsupported("network.priorities", why)
	}
	return nil, nil
}
