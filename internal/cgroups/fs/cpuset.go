package fs

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
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

// inheritCpuset copies the CPUs and memory nodes of the parent to the cpuset
// cgroup dir, if it has none. A new v1 cpuset is empty and accepts no process;
// so are the new directories above it.
func inheritCpuset(dir string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		if _, err := inherit(dir, file); err != nil {
			return err
		}
	}
	return nil
}

// inherit returns the value of file in dir, after copying it from the parent if
// it was empty. The recursion ends at the root, which has all.
func inherit(dir, file string) (string, error) {
	value, err := cgroupfs.ReadFile(dir, file)
	if err != nil || value != "" {
		return value, err
	}
	parent := filepath.Dir(dir)
	above, err := cgroupfs.Exists(parent, file)
	if err != nil {
		return "", err
	}
	if !above {
		return "", fmt.Errorf("inherit %q: %w (empty in all cgroups above)", dir+"/"+file, unix.ENOSPC)
	}
	value, err = inherit(parent, file)
	if err != nil {
		return "", err
	}
	return value, cgroupfs.WriteFile(dir, file, value)
}

// statCpuset reads the settings of the cpuset controller, which has no
// counters.
func statCpuset(g *cgroupfs.Reader, s *cgroups.Stats) {
	c := &s.CPUSet
	c.CPUs, c.Mems = g.List("cpuset.cpus"), g.List("cpuset.mems")
	for _, f := range []struct {
		name string
		to   *uint64
	}{
		{"cpu_exclusive", &c.CPUExclusive},
		{"mem_exclusive", &c.MemExclusive},
		{"mem_hardwall", &c.MemHardwall},
		{"memory_migrate", &c.MemoryMigrate},
		{"memory_spread_page", &c.MemorySpreadPage},
		{"memory_spread_slab", &c.MemorySpreadSlab},
		{"memory_pressure", &c.MemoryPressure},
		{"sched_load_balance", &c.SchedLoadBalance},
	} {
		*f.to = g.Uint("cpuset." + f.name)
	}
	// The value is signed, its default is -1. A file that is absent or not a
	// number is 0.
	c.SchedRelaxDomainLevel, _ = strconv.ParseInt(strings.TrimSpace(g.Text("cpuset.sched_relax_domain_level")), 10, 64)
}
