// Package idmap checks the id mappings of a user namespace, applies them,
// writes them for a process, and reads them back.
package idmap

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer/config"
)

// Mapping is one of the two maps of a user namespace: ranges of ids in the
// container and what they are on the host.
type Mapping = []specs.LinuxIDMapping

// maxRanges is the kernel's UID_GID_MAP_MAX_EXTENTS (Linux 4.15).
const maxRanges = 340

// Check returns the error that the kernel would give for a mapping without
// saying why: an empty range, one that goes beyond the last id, two that
// overlap, too many of them. The mapping is at field in config.json.
func Check(field string, m Mapping) error {
	if len(m) > maxRanges {
		return config.FieldErrorf(field, "%d ranges, and the kernel takes %d", len(m), maxRanges)
	}
	for i := range m {
		if err := checkRange(fmt.Sprintf("%s[%d]", field, i), &m[i]); err != nil {
			return err
		}
	}
	if err := checkOverlaps(field, "containerID", m, func(r *specs.LinuxIDMapping) uint32 { return r.ContainerID }); err != nil {
		return err
	}
	return checkOverlaps(field, "hostID", m, func(r *specs.LinuxIDMapping) uint32 { return r.HostID })
}

// checkRange checks one range alone. The last id, 1<<32-1, means "unchanged"
// to system calls and cannot be mapped.
func checkRange(field string, r *specs.LinuxIDMapping) error {
	switch {
	case r.Size == 0:
		return config.FieldErrorf(field+".size", "0: want at least one id")
	case uint64(r.ContainerID)+uint64(r.Size) > math.MaxUint32:
		return config.FieldErrorf(field+".containerID", "%d: with size %d beyond the last id, %d", r.ContainerID, r.Size, uint32(math.MaxUint32-1))
	case uint64(r.HostID)+uint64(r.Size) > math.MaxUint32:
		return config.FieldErrorf(field+".hostID", "%d: with size %d beyond the last id, %d", r.HostID, r.Size, uint32(math.MaxUint32-1))
	}
	return nil
}

// checkOverlaps looks at one side of the mapping.
func checkOverlaps(field, side string, m Mapping, first func(*specs.LinuxIDMapping) uint32) error {
	order := make([]int, len(m))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(first(&m[a]), first(&m[b])) })
	for k := 1; k < len(order); k++ {
		low, high := order[k-1], order[k]
		if first(&m[low])+m[low].Size <= first(&m[high]) {
			continue
		}
		one, other := min(low, high), max(low, high)
		return config.FieldErrorf(fmt.Sprintf("%s[%d].%s", field, other, side), "%s overlaps %s of %s[%d]",
			span(first(&m[other]), m[other].Size), span(first(&m[one]), m[one].Size), field, one)
	}
	return nil
}

// span prints a range of ids.
func span(first, size uint32) string {
	if size == 1 {
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d-%d", first, first+size-1)
}

// ToHost gives what an id of the container's is on the host; false if it is
// not mapped.
func ToHost(m Mapping, id uint32) (uint32, bool) {
	for i := range m {
		if id >= m[i].ContainerID && id-m[i].ContainerID < m[i].Size {
			return m[i].HostID + (id - m[i].ContainerID), true
		}
	}
	return 0, false
}

// Equal reports whether two mappings map the same ids to the same ids, however
// they are cut into ranges.
func Equal(a, b Mapping) bool {
	return slices.Equal(merged(a), merged(b))
}

// merged gives the mapping in order, with ranges joined that continue one
// another.
func merged(m Mapping) Mapping {
	m = slices.Clone(m)
	slices.SortFunc(m, func(a, b specs.LinuxIDMapping) int { return cmp.Compare(a.ContainerID, b.ContainerID) })
	var out Mapping
	for _, r := range m {
		if n := len(out); n > 0 && continues(out[n-1], r) {
			out[n-1].Size += r.Size
			continue
		}
		out = append(out, r)
	}
	return out
}

func continues(a, b specs.LinuxIDMapping) bool {
	return a.ContainerID+a.Size == b.ContainerID && a.HostID+a.Size == b.HostID
}

// String prints a mapping as config.json's terms have it: "0-9 is 1000-1009".
func String(m Mapping) string {
	parts := make([]string, len(m))
	for i, r := range m {
		parts[i] = span(r.ContainerID, r.Size) + " is " + span(r.HostID, r.Size)
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// CheckUser returns an error about the first id of the process's user that the
// maps lack; whose maps they are is told by whose, e.g. "linux.%sMappings".
func (m Maps) CheckUser(field string, p *config.Process, whose string) error {
	if _, ok := ToHost(m.UIDs, p.UID); !ok {
		return config.FieldErrorf(field+".user.uid", "%d: not mapped by "+whose, p.UID, "uid")
	}
	if _, ok := ToHost(m.GIDs, p.GID); !ok {
		return config.FieldErrorf(field+".user.gid", "%d: not mapped by "+whose, p.GID, "gid")
	}
	for i, gid := range p.AdditionalGIDs {
		if _, ok := ToHost(m.GIDs, gid); !ok {
			return config.FieldErrorf(fmt.Sprintf("%s.user.additionalGids[%d]", field, i), "%d: not mapped by "+whose, gid, "gid")
		}
	}
	return nil
}
