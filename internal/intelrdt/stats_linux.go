package intelrdt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Usage is a group's use of one L3 domain: its cache, and the memory traffic
// through it. A counter is nil if the hardware lacks it or has no value at the
// moment.
type Usage struct {
	// Domain is the name of the directory, such as "mon_L3_00".
	Domain string
	// CacheOccupancy is in bytes.
	CacheOccupancy *uint64
	// MemoryTotal and MemoryLocal are the bytes transferred from and to all
	// memory, and the domain's local memory, since the group was made.
	MemoryTotal *uint64
	MemoryLocal *uint64
}

// Usage reads the container's usage by domain: that of its monitoring group or,
// without one, of the whole CLOS group. It is empty if the hardware cannot
// monitor.
func (fs *FS) Usage(g *Group) ([]Usage, error) {
	dir := g.MonitorDir()
	if dir == "" {
		dir = g.Dir()
	}
	dir = filepath.Join(dir, "mon_data")
	domains, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read usage: %w", err)
	}
	var all []Usage
	for _, d := range domains {
		u := Usage{Domain: d.Name()}
		for name, counter := range map[string]**uint64{
			"llc_occupancy": &u.CacheOccupancy, "mbm_total_bytes": &u.MemoryTotal, "mbm_local_bytes": &u.MemoryLocal,
		} {
			if *counter, err = readCounter(filepath.Join(dir, u.Domain, name)); err != nil {
				return nil, fmt.Errorf("read usage: %w", err)
			}
		}
		all = append(all, u)
	}
	return all, nil
}

// readCounter reads a counter. The kernel writes "Unavailable", "Error" or
// "Unassigned" if it has no value.
func readCounter(path string) (*uint64, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return nil, nil // a word instead of a number
	}
	return &n, nil
}

// Schemata returns the lines of a group's schemata file without leading blanks.
func (fs *FS) Schemata(g *Group) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(g.Dir(), "schemata"))
	if err != nil {
		return nil, err
	}
	return strings.Fields(string(text)), nil
}
