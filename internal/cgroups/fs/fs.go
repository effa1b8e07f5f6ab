// Package fs manages a container's cgroup on a host with cgroup v1 hierarchies,
// with or without a v2 hierarchy ("hybrid").
//
// One file here is one controller: the files that it writes for
// linux.resources, and the counters that it reads.
package fs

import (
	"context"
	"errors"
	"fmt"
	iofs "io/fs"
	"maps"
	"slices"
	"time"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Options are what a Manager needs in addition to the directories.
type Options struct {
	// SetDevices applies device rules to the directory of the devices
	// controller. Package devices has it; nil refuses rules.
	SetDevices func(dir string, rules []specs.LinuxDeviceCgroup) error

	// Tolerate lets Create leave out a hierarchy that it has no permission for
	// (rootless). Set then fails if it needs that hierarchy.
	Tolerate bool

	// Shared lets Create use a cgroup that has processes or is frozen.
	Shared bool
}

// Manager is a cgroup in v1 hierarchies and, on a hybrid host, in v2.
type Manager struct {
	paths map[string]string
	opts  Options
	// refused is the reason, by controller, why Create left one out.
	refused map[string]error
	// freezeFor limits how long Freeze waits.
	freezeFor time.Duration
}

var _ cgroups.Manager = (*Manager)(nil)

// New returns the manager of the cgroup with these directories, by controller:
// "memory", "cpu", …, "name=systemd", and "" for v2. Controllers of one
// hierarchy have the same directory. The directories need not exist.
func New(paths map[string]string, opts Options) *Manager {
	return &Manager{
		paths:     maps.Clone(paths),
		opts:      opts,
		refused:   make(map[string]error),
		freezeFor: 10 * time.Second,
	}
}

// Paths implements cgroups.Manager.
func (m *Manager) Paths() map[string]string {
	return maps.Clone(m.paths)
}

// dirs returns the directory of each hierarchy, once, in a fixed order.
func (m *Manager) dirs() []string {
	return slices.Compact(slices.Sorted(maps.Values(m.paths)))
}

// Create implements cgroups.Manager.
func (m *Manager) Create() (err error) {
	var made []string
	defer func() {
		if err != nil {
			cgroupfs.RemoveMade(made)
			for _, dir := range m.dirs() {
				m.drop(dir, err)
			}
		}
	}()
	for _, dir := range m.dirs() {
		more, err := m.createOne(dir)
		made = append(made, more...)
		if err != nil && m.tolerates(err) {
			m.drop(dir, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("create cgroup: %w", err)
		}
	}
	return nil
}

func (m *Manager) createOne(dir string) ([]string, error) {
	if err := cgroupfs.CheckNotRoot("use", dir); err != nil {
		return nil, err
	}
	made, err := cgroupfs.MakeDir(dir)
	if err != nil {
		return made, err
	}
	if !m.opts.Shared {
		if err := m.checkUnused(dir, len(made) > 0); err != nil {
			return made, err
		}
	}
	if dir == m.paths["cpuset"] {
		if err := inheritCpuset(dir); err != nil {
			return made, err
		}
	}
	return made, nil
}

// checkUnused refuses a cgroup in which the init of a container would not be alone, or
// would not run.
func (m *Manager) checkUnused(dir string, isNew bool) error {
	if dir == m.paths["freezer"] || dir == m.paths[""] {
		// A new cgroup too: its parent may be frozen.
		if err := checkThawed(dir, dir == m.paths["freezer"]); err != nil {
			return err
		}
	}
	if isNew {
		return nil
	}
	return cgroupfs.CheckEmpty(dir)
}

func checkThawed(dir string, v1 bool) error {
	frozen := cgroupfs.FrozenV2
	if v1 {
		frozen = cgroupfs.FrozenV1
	}
	is, err := frozen(dir)
	if err != nil {
		return err
	}
	if is {
		return fmt.Errorf("use %q: %w", dir, cgroups.ErrFrozen)
	}
	return nil
}

// tolerates reports whether the error is a lack of permission to make a
// directory.
func (m *Manager) tolerates(err error) bool {
	return m.opts.Tolerate && (errors.Is(err, iofs.ErrPermission) || errors.Is(err, unix.EROFS))
}

func (m *Manager) drop(dir string, why error) {
	for controller, d := range m.paths {
		if d == dir {
			delete(m.paths, controller)
			m.refused[controller] = why
		}
	}
}

// Entry implements cgroups.Manager.
func (m *Manager) Entry() cgroups.Entry {
	e := cgroups.Entry{Dir: m.paths[""]}
	for _, dir := range m.dirs() {
		if dir != e.Dir {
			e.Files = append(e.Files, dir+"/tasks")
		}
	}
	return e
}

// AddProcess implements cgroups.Manager.
func (m *Manager) AddProcess(pid int) error {
	if len(m.paths) == 0 {
		return fmt.Errorf("add process %d: %w", pid, m.absent("freezer"))
	}
	for _, dir := range m.dirs() {
		if err := cgroupfs.AddProcess(dir, pid); err != nil {
			return err
		}
	}
	return nil
}

// Processes implements cgroups.Manager.
func (m *Manager) Processes() ([]int, error) {
	// All hierarchies have the same processes, unless another program moved
	// one: systemd may, in its own hierarchy and in v2.
	for _, c := range []string{"devices", "freezer", "pids", "memory", "cpu"} {
		if dir := m.paths[c]; dir != "" {
			return cgroupfs.ProcessesIn(dir)
		}
	}
	if dirs := m.dirs(); len(dirs) > 0 {
		return cgroupfs.ProcessesIn(dirs[0])
	}
	return nil, fmt.Errorf("list processes: %w", cgroups.ErrNoCgroup)
}

// Destroy implements cgroups.Manager.
func (m *Manager) Destroy(ctx context.Context) error {
	var errs []error
	for _, dir := range m.dirs() {
		errs = append(errs, cgroupfs.RemoveTree(ctx, dir))
	}
	return errors.Join(errs...)
}
