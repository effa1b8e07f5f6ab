// Package idmap checks and applies the ID mappings of user namespaces, writes
// them for a process, and reads them.
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

// Mapping is the UID map or the GID map of a user namespace: ranges of
// container IDs with their host IDs.
type Mapping = []specs.LinuxIDMapping

// Maps are the two mappings of a user namespace.
type Maps struct {
	UIDs, GIDs Mapping
}

// maxRanges is the kernel's UID_GID_MAP_MAX_EXTENTS (Linux 4.15).
const maxRanges = 340

// Check returns an error for mappings that the kernel rejects without a reason:
// an empty range, one beyond the last ID, overlaps, or too many ranges. field
// is the mapping's field in config.json.
func Check(field string, m Mapping) error {
	if len(m) > maxRanges {
		return config.FieldErrorf(field, "%d ranges, but the kernel accepts at most %d", len(m), maxRanges)
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

// checkRange checks one range. The ID 1<<32-1 cannot be mapped: it means
// "unchanged" to system calls.
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

// checkOverlaps checks the container IDs or the host IDs for overlaps.
func checkOverlaps(field, side string, m Mapping, first func(*specs.LinuxIDMapping) uint32) error {
	order := sorted(m, first)
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

// sorted returns the indices of the ranges in the order of their container IDs or host IDs.
func sorted(m Mapping, first func(*specs.LinuxIDMapping) uint32) []int {
	order := make([]int, len(m))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(first(&m[a]), first(&m[b])) })
	return order
}

// span formats a range of IDs.
func span(first, size uint32) string {
	if size == 1 {
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d-%d", first, first+size-1)
}

// ToHost returns the host ID of a container ID, or false if it is not mapped.
func ToHost(m Mapping, id uint32) (uint32, bool) {
	for i := range m {
		if id >= m[i].ContainerID && id-m[i].ContainerID < m[i].Size {
			return m[i].HostID + (id - m[i].ContainerID), true
		}
	}
	return 0, false
}

// Equal reports whether two mappings are the same after splitting or merging of
// ranges.
func Equal(a, b Mapping) bool {
	return slices.Equal(merged(a), merged(b))
}

// merged returns the mapping sorted, with adjacent ranges merged.
func merged(m Mapping) Mapping {
	var out Mapping
	for _, i := range sorted(m, func(r *specs.LinuxIDMapping) uint32 { return r.ContainerID }) {
		r := m[i]
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

// String formats a mapping from container to host IDs: "0-9 is 1000-1009".
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

// CheckUser returns an error for the first ID of the process's user that is not
// mapped. by describes the maps, with %s for "uid" or "gid", such as
// "linux.%sMappings".
func (m Maps) CheckUser(field string, p *config.Process, by string) error {
	if _, ok := ToHost(m.UIDs, p.UID); !ok {
		return config.FieldErrorf(field+".user.uid", "%d: not mapped by "+by, p.UID, "uid")
	}
	if _, ok := ToHost(m.GIDs, p.GID); !ok {
		return config.FieldErrorf(field+".user.gid", "%d: not mapped by "+by, p.GID, "gid")
	}
	for i, gid := range p.AdditionalGIDs {
		if _, ok := ToHost(m.GIDs, gid); !ok {
			return config.FieldErrorf(fmt.Sprintf("%s.user.additionalGids[%d]", field, i), "%d: not mapped by "+by, gid, "gid")
		}
	}
	return nil
}
