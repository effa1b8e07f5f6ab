package fs

import (
	"errors"
	"fmt"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// row is a controller, with the function that returns its writes for
// linux.resources. No writes mean that the controller is not needed.
type row struct {
	controller string
	plan       func(dir string, r *specs.LinuxResources) ([]cgroupfs.Write, error)
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

// Set implements cgroups.Manager. It checks all values before it writes the
// first. When the kernel refuses one, it restores those written before.
func (m *Manager) Set(r *specs.LinuxResources) error {
	if r == nil {
		return nil
	}
	if err := m.set(r); err != nil {
		return cgroupfs.SetError(err)
	}
	return nil
}

func (m *Manager) set(r *specs.LinuxResources) error {
	jobs, err := plan(m.paths, r)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if j.dir == "" {
			return cgroupfs.InField(j.writes[0].Field, fmt.Errorf("%s: %w", j.writes[0].Field, m.absent(j.controller)))
		}
	}
	var t cgroupfs.Transaction
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

// job is the writes to the files of one controller. The directory is "" if the
// controller has none.
type job struct {
	controller, dir string
	writes          []cgroupfs.Write
}

func plan(paths map[string]string, r *specs.LinuxResources) ([]job, error) {
	if len(r.Unified) > 0 {
		return nil, cgroupfs.Unsupported("unified", "its keys are files of cgroup v2, this host has v1 controllers")
	}
	var jobs []job
	for _, row := range rows() {
		dir := paths[row.controller]
		writes, err := row.plan(dir, r)
		if err != nil {
			return nil, err
		}
		if len(writes) > 0 {
			jobs = append(jobs, job{row.controller, dir, writes})
		}
	}
	return jobs, nil
}

// Plan checks resources, and returns the writes that Set would make in the
// directories of controllers, which need not exist. It leaves device rules out.
func Plan(paths map[string]string, r *specs.LinuxResources) (writes []cgroupfs.Write, err error) {
	jobs, err := plan(paths, r)
	if err != nil {
		return nil, cgroupfs.SetError(err)
	}
	for _, j := range jobs {
		writes = append(writes, j.writes...)
	}
	return writes, nil
}

func (m *Manager) setDevices(rules []specs.LinuxDeviceCgroup) error {
	if len(rules) == 0 {
		return nil
	}
	dir := m.paths["devices"]
	if dir == "" && m.opts.Tolerate {
		// Without a cgroup the rules cannot apply; a rootless container cannot
		// make device nodes anyway.
		return nil
	}
	if dir == "" {
		return cgroupfs.InField("devices", fmt.Errorf("devices: %w", m.absent("devices")))
	}
	if m.opts.SetDevices == nil {
		return cgroupfs.InField("devices", fmt.Errorf("devices: %w", errors.ErrUnsupported))
	}
	return cgroupfs.InField("devices", m.opts.SetDevices(dir, rules))
}
