package fs2

import (
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func planCpuset(_ string, r *specs.LinuxResources) ([]cgroups.Write, error) {
	if r.CPU == nil {
		return nil, nil
	}
	var writes []cgroups.Write
	for _, v := range []struct{ field, file, value string }{
		{"cpu.cpus", "cpuset.cpus", r.CPU.Cpus},
		{"cpu.mems", "cpuset.mems", r.CPU.Mems},
	} {
		if v.value != "" {
			writes = append(writes, cgroups.Write{Field: v.field, File: v.file, Value: v.value, Remedy: cgroups.CpusetRemedy(v.file)})
		}
	}
	return writes, nil
}
