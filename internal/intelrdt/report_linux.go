package intelrdt

import (
	"os"
	"path/filepath"
	"strings"
)

// Report describes a container's groups for "berth events", in runc's JSON
// format.
type Report struct {
	L3CacheInfo       *CacheInfo     `json:"l3_cache_info,omitempty"`
	L3CacheSchemaRoot string         `json:"l3_cache_schema_root,omitempty"`
	L3CacheSchema     string         `json:"l3_cache_schema,omitempty"`
	MemBwInfo         *BandwidthInfo `json:"mem_bw_info,omitempty"`
	MemBwSchemaRoot   string         `json:"mem_bw_schema_root,omitempty"`
	MemBwSchema       string         `json:"mem_bw_schema,omitempty"`
	// Schemata are all lines of the CLOS group.
	Schemata []string         `json:"schemata,omitempty"`
	Memory   []MemoryUsage    `json:"mbm_stats,omitempty"`
	Cache    []CacheOccupancy `json:"cmt_stats,omitempty"`
}

// CacheInfo describes how the L3 cache can be divided.
type CacheInfo struct {
	Mask      string `json:"cbm_mask,omitempty"`
	MinBits   uint64 `json:"min_cbm_bits,omitempty"`
	NumGroups uint64 `json:"num_closids,omitempty"`
}

// BandwidthInfo describes how memory bandwidth can be divided, in percent.
type BandwidthInfo struct {
	Granularity uint64 `json:"bandwidth_gran,omitempty"`
	Linear      uint64 `json:"delay_linear,omitempty"`
	Min         uint64 `json:"min_bandwidth,omitempty"`
	NumGroups   uint64 `json:"num_closids,omitempty"`
}

// MemoryUsage is the memory traffic of one L3 cache, in bytes.
type MemoryUsage struct {
	Total uint64 `json:"mbm_total_bytes,omitempty"`
	Local uint64 `json:"mbm_local_bytes,omitempty"`
}

// CacheOccupancy is the used part of one cache, in bytes.
type CacheOccupancy struct {
	Occupancy uint64 `json:"llc_occupancy,omitempty"`
}

// Report returns the schemata and the usage of a container's groups.
func (fs *FS) Report(g *Group) (*Report, error) {
	lines, err := fs.Schemata(g)
	if err != nil {
		return nil, err
	}
	all, err := fs.Schemata(&Group{Root: g.Root})
	if err != nil {
		return nil, err
	}
	r := &Report{
		Schemata:      lines,
		L3CacheSchema: ofResource(lines, "L3"), L3CacheSchemaRoot: ofResource(all, "L3"),
		MemBwSchema: ofResource(lines, "MB"), MemBwSchemaRoot: ofResource(all, "MB"),
	}
	if mask, err := os.ReadFile(filepath.Join(fs.root, "info/L3/cbm_mask")); err == nil {
		r.L3CacheInfo = &CacheInfo{
			Mask:    strings.TrimSpace(string(mask)),
			MinBits: fs.number("info/L3/min_cbm_bits"), NumGroups: fs.number("info/L3/num_closids"),
		}
	}
	if is, err := exists(filepath.Join(fs.root, "info/MB")); err != nil {
		return nil, err
	} else if is {
		r.MemBwInfo = &BandwidthInfo{
			Granularity: fs.number("info/MB/bandwidth_gran"), Linear: fs.number("info/MB/delay_linear"),
			Min: fs.number("info/MB/min_bandwidth"), NumGroups: fs.number("info/MB/num_closids"),
		}
	}
	usage, err := fs.Usage(g)
	for _, u := range usage {
		if u.MemoryTotal != nil || u.MemoryLocal != nil {
			r.Memory = append(r.Memory, MemoryUsage{value(u.MemoryTotal), value(u.MemoryLocal)})
		}
		if u.CacheOccupancy != nil {
			r.Cache = append(r.Cache, CacheOccupancy{*u.CacheOccupancy})
		}
	}
	return r, err
}

// ofResource returns the line of a resource, or "".
func ofResource(schemata []string, resource string) string {
	for _, line := range schemata {
		if strings.HasPrefix(line, resource+":") {
			return line
		}
	}
	return ""
}

// value returns a counter, or 0 if it is absent.
func value(counter *uint64) uint64 {
	if counter == nil {
		return 0
	}
	return *counter
}
