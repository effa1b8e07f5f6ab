package fs2

import (
	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func planCpuset(_ string, r *specs.LinuxResources) ([]cgroupfs.Write, error) {
	if r.CPU == nil {
		return nil, nil
	}
	var writes []cgroupfs.Write
	for _, v := range []struct{ field, file, value string }{
		{"cpu.cpus", "cpuset.cpus", r.CPU.Cpus},
		{"cpu.mems", "cpuset.mems", r.CPU.Mems},
	} {
		if v.value != "" {
			writes = append(writes, cgroupfs.Write{Field: v.field, File: v.file, Value: v.value, Remedy: cgroupfs.CpusetRemedy(v.file)})
		}
	}
	return writes, nil
}
