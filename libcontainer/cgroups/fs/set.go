package fs

import (
	"errors"
	"fmt"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// row is a controller and how linux.resources becomes writes to its files. No
// writes: nothing is asked of it.
type row struct {
	controller string
	plan       func(dir string, r *specs.LinuxResources) ([]cgroups.Write, error)
}

func rows() []row {
	return []row{
		{"cpuset", planCpuset},
		{"cpu", planCPU},
		{"memory", planMemory},
		{"pids", planPids},
		{"blkio", planBlkio},
		{"hugetlb", planHugetlb},
		{"rdma", planRdma},
		{"net_cls", planNetCls},
		{"net_prio", planNetPrio},
	}
}

// Set implements cgroups.Manager. All values are checked before the first is
// written, and when the kernel refuses one, those written before it are taken
// back.
func (m *Manager) Set(r *specs.LinuxResources) error {
	if r == nil {
		return nil
	}
	if err := m.set(r); err != nil {
		return fmt.Errorf("set linux.resources.%w", err)
	}
	return nil
}

func (m *Manager) set(r *specs.LinuxResources) error {
	if len(r.Unified) > 0 {
		return cgroups.Unsupported("unified", "its keys are files of cgroup v2, this host has v1 controllers")
	}
	type job struct {
		dir    string
		writes []cgroups.Write
	}
	var jobs []job
	for _, row := range rows() {
		dir := m.paths[row.controller]
		writes, err := row.plan(dir, r)
		if err != nil {
			return err
		}
		if len(writes) == 0 {
			continue
		}
		if dir == "" {
			return fmt.Errorf("%s: %w", writes[0].Field, m.absent(row.controller))
		}
		jobs = append(jobs, job{dir, writes})
	}
	var t cgroups.Transaction
	for _, j := range jobs {
		if err := t.Apply(j.dir, j.writes); err != nil {
			return t.Rollback(err)
		}
	}
	if err := m.setDevices(r.Devices); err != nil {
		return t.Rollback(err)
	}
	return nil
}

func (m *Manager) setDevices(rules []specs.LinuxDeviceCgroup) error {
	if len(rules) == 0 {
		return nil
	}
	dir := m.paths["devices"]
	if dir == "" && m.opts.Tolerate {
		// Without a cgroup there is none to restrict; a rootless container can
		// not make device nodes.
		return nil
	}
	if dir == "" {
		return fmt.Errorf("devices: %w", m.absent("devices"))
	}
	if m.opts.SetDevices == nil {
		return fmt.Errorf("devices: %w", errors.ErrUnsupported)
	}
	return m.opts.SetDevices(dir, rules)
}
