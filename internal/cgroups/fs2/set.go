package fs2

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
		{"io", planIO},
		{"hugetlb", planHugetlb},
		{"rdma", planRdma},
		{"", planNetwork},
	}
}

// Set implements cgroups.Manager. It enables the controllers that it needs, and
// no others. It checks all values before it writes the first.
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
	needed, writes, err := planRows(m.dir, r)
	if err != nil {
		return err
	}
	if len(writes) > 0 && m.dir == "" {
		return cgroupfs.InField(writes[0].Field, fmt.Errorf("%s: %w", writes[0].Field, m.absent()))
	}
	var t cgroupfs.Transaction
	if err := m.write(&t, needed, r); err != nil {
		return t.Rollback(err)
	}
	return nil
}

func (m *Manager) write(t *cgroupfs.Transaction, needed []row, r *specs.LinuxResources) error {
	for _, row := range needed {
		if err := m.setRow(t, row, r); err != nil {
			return err
		}
	}
	// Last: an entry of unified names its file, so it wins.
	if err := m.setUnified(t, r.Unified); err != nil {
		return err
	}
	return m.setDevices(r.Devices)
}

// planRows returns the rows that have writes, with these writes.
func planRows(dir string, r *specs.LinuxResources) (needed []row, writes []cgroupfs.Write, err error) {
	for _, row := range rows() {
		more, err := row.plan(dir, r)
		if err != nil {
			return nil, nil, err
		}
		if len(more) > 0 {
			needed, writes = append(needed, row), append(writes, more...)
		}
	}
	return needed, writes, nil
}

// Plan checks resources, and returns the writes that Set would make in the
// cgroup directory dir, which need not exist. It leaves device rules out.
func Plan(dir string, r *specs.LinuxResources) ([]cgroupfs.Write, error) {
	_, writes, err := planRows(dir, r)
	if err == nil {
		var more []cgroupfs.Write
		more, err = planUnified(r.Unified)
		writes = append(writes, more...)
	}
	if err != nil {
		return nil, cgroupfs.SetError(err)
	}
	return writes, nil
}

func (m *Manager) setRow(t *cgroupfs.Transaction, row row, r *specs.LinuxResources) error {
	if err := enable(m.dir, row.controller); err != nil {
		return cgroupfs.InField(field(row, r), fmt.Errorf("%s: %w", field(row, r), err))
	}
	// Planned again, because some files exist only now.
	writes, err := row.plan(m.dir, r)
	if err != nil {
		return err
	}
	return t.Apply(m.dir, writes)
}

// field returns the field of linux.resources that needs the controller of a
// row.
func field(row row, r *specs.LinuxResources) string {
	if writes, err := row.plan("", r); err == nil && len(writes) > 0 {
		return writes[0].Field
	}
	return row.controller
}

func (m *Manager) setDevices(rules []specs.LinuxDeviceCgroup) error {
	if len(rules) == 0 {
		return nil
	}
	if m.dir == "" && m.opts.Tolerate {
		// Without a cgroup the rules cannot apply; a rootless container cannot
		// make device nodes anyway.
		return nil
	}
	if m.dir == "" {
		return cgroupfs.InField("devices", fmt.Errorf("devices: %w", m.absent()))
	}
	if m.opts.SetDevices == nil {
		return cgroupfs.InField("devices", fmt.Errorf("devices: %w", errors.ErrUnsupported))
	}
	return cgroupfs.InField("devices", m.opts.SetDevices(m.dir, rules))
}
