// Package fs2 manages a container's cgroup on a host with cgroup v2 alone.
//
// One file here is one controller: the files that it writes for
// linux.resources, and the counters that it reads.
package fs2

import (
	"context"
	"errors"
	"fmt"
	iofs "io/fs"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// Options are what a Manager needs in addition to the directory.
type Options struct {
	// SetDevices applies device rules to the directory. Package devices has
	// it; nil refuses rules.
	SetDevices func(dir string, rules []specs.LinuxDeviceCgroup) error

	// Controllers are those that Create enables for their counters, even if no
	// limit needs them. It leaves out those that it cannot enable. Set enables
	// the ones that it needs.
	Controllers []string

	// Tolerate lets Create continue without a cgroup if it has no permission to
	// make one (rootless). Set then fails for every limit.
	Tolerate bool

	// Shared lets Create use a cgroup that has processes or is frozen.
	Shared bool
}

// Manager is one directory of the v2 hierarchy.
type Manager struct {
	// dir is "" after Create has failed or continued without a cgroup; refused
	// is the reason.
	dir     string
	refused error
	opts    Options
	// freezeFor limits how long Freeze waits.
	freezeFor time.Duration
}

var _ cgroups.Manager = (*Manager)(nil)

// New returns the manager of the cgroup directory dir, which need not exist.
func New(dir string, opts Options) *Manager {
	return &Manager{dir: dir, opts: opts, freezeFor: 10 * time.Second}
}

// Paths implements cgroups.Manager.
func (m *Manager) Paths() map[string]string {
	if m.dir == "" {
		return map[string]string{}
	}
	return map[string]string{"": m.dir}
}

// Create implements cgroups.Manager.
func (m *Manager) Create() error {
	made, err := m.create()
	if err == nil {
		return nil
	}
	cgroupfs.RemoveMade(made)
	m.dir, m.refused = "", err
	if m.opts.Tolerate && (errors.Is(err, iofs.ErrPermission) || errors.Is(err, unix.EROFS)) {
		return nil
	}
	return fmt.Errorf("create cgroup: %w", err)
}

func (m *Manager) create() ([]string, error) {
	if err := cgroupfs.CheckNotRoot("use", m.dir); err != nil {
		return nil, err
	}
	made, err := cgroupfs.MakeDir(m.dir)
	if err != nil {
		return made, err
	}
	if !m.opts.Shared {
		if err := m.checkUnused(len(made) > 0); err != nil {
			return made, err
		}
	}
	// Best effort, as documented: no limit needs these controllers.
	_ = enableAll(m.dir, m.opts.Controllers)
	return made, nil
}

// checkUnused refuses a cgroup in which the init of a container would not be alone, or
// would not run.
func (m *Manager) checkUnused(isNew bool) error {
	frozen, err := cgroupfs.FrozenV2(m.dir) // a new cgroup too: its parent may be frozen
	if err != nil {
		return err
	}
	if frozen {
		return fmt.Errorf("use %q: %w", m.dir, cgroups.ErrFrozen)
	}
	if isNew {
		return nil
	}
	return cgroupfs.CheckEmpty(m.dir)
}

// AddProcess implements cgroups.Manager.
func (m *Manager) AddProcess(pid int) error {
	if m.dir == "" {
		return fmt.Errorf("add process %d: %w", pid, m.absent())
	}
	return cgroupfs.AddProcess(m.dir, pid)
}

// Entry implements cgroups.Manager.
func (m *Manager) Entry() cgroups.Entry {
	return cgroups.Entry{Dir: m.dir}
}

// Processes implements cgroups.Manager.
func (m *Manager) Processes() ([]int, error) {
	if m.dir == "" {
		return nil, fmt.Errorf("list processes: %w", m.absent())
	}
	return cgroupfs.ProcessesIn(m.dir)
}

// Freeze implements cgroups.Manager.
func (m *Manager) Freeze(frozen bool) error {
	operation := "thaw"
	if frozen {
		operation = "freeze"
	}
	if m.dir == "" {
		return fmt.Errorf("%s cgroup: %w", operation, m.absent())
	}
	if err := cgroupfs.FreezeV2(m.dir, frozen, m.freezeFor); err != nil {
		return fmt.Errorf("%s cgroup %q: %w", operation, m.dir, err)
	}
	return nil
}

// Destroy implements cgroups.Manager.
func (m *Manager) Destroy(ctx context.Context) error {
	if m.dir == "" {
		return nil
	}
	return cgroupfs.RemoveTree(ctx, m.dir)
}

func (m *Manager) absent() error {
	if m.refused != nil {
		return fmt.Errorf("%w: %w", cgroups.ErrNoCgroup, m.refused)
	}
	return cgroups.ErrNoCgroup
}
