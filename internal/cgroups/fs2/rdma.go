package fs2

import (
	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func planRdma(_ string, r *specs.LinuxResources) ([]cgroupfs.Write, error) {
	return cgroupfs.RdmaWrites(r.Rdma)
}
