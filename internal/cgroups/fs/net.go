package fs

import (
	"fmt"
	"strconv"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func planNetCls(dir string, r *specs.LinuxResources) ([]cgroupfs.Write, error) {
	if r.Network == nil || r.Network.ClassID == nil {
		return nil, nil
	}
	if *r.Network.ClassID == 0 && dir == "" {
		return nil, nil // no class requested, and the kernel has none
	}
	return []cgroupfs.Write{{Field: "network.classID", File: "net_cls.classid", Value: strconv.FormatUint(uint64(*r.Network.ClassID), 10)}}, nil
}

func planNetPrio(_ string, r *specs.LinuxResources) ([]cgroupfs.Write, error) {
	if r.Network == nil {
		return nil, nil
	}
	var writes []cgroupfs.Write
	for i, p := range r.Network.Priorities {
		writes = append(writes, cgroupfs.Write{
			Field:  fmt.Sprintf("network.priorities[%d]", i),
			File:   "net_prio.ifpriomap",
			Row:    p.Name,
			Value:  p.Name + " " + strconv.FormatUint(uint64(p.Priority), 10),
			Remedy: map[unix.Errno]string{unix.ENODEV: "no such interface in the network namespace of the runtime"},
		})
	}
	return writes, nil
}
