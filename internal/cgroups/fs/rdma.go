package fs

import (
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func planRdma(_ string, r *specs.LinuxResources) ([]cgroups.Write, error) {
	return cgroups.RdmaWrites(r.Rdma)
}
