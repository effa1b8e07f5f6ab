// Package systemd manages a container's cgroup as a unit of systemd: a
// transient scope around the container's init. systemd leaves the content of
// the scope's cgroup to the runtime (Delegate=yes).
//
// systemd gets a property for each limit that it knows, so that it sets the
// same value after a reload. The cgroup manager for v2 then writes all limits
// to the files of the cgroup.
package systemd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/internal/cgroups/fs2"
	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/config"
)

// Unit names a unit; Load needs it.
type Unit struct {
	Name string `json:"name"`
	// User is true for a unit of the user's own systemd.
	User bool `json:"user,omitempty"`
}

// Options describe the unit of a container.
type Options struct {
	// CgroupsPath is linux.cgroupsPath: "slice:prefix:name" for the scope
	// prefix-name.scope in that slice; if name ends in ".slice", for that
	// slice. Empty: ":berth:ID". Without a slice: system.slice, or user.slice
	// of the user's systemd.
	CgroupsPath string
	// ID of the container.
	ID string
	// User selects the user's own systemd.
	User bool
	// Annotations of the container: "org.systemd.property.NAME" is a
	// property of the unit, in GVariant text format.
	Annotations map[string]string
	// Files returns the manager of the cgroup at a path of the hierarchy
	// ("/system.slice/x.scope"). Package manager has it.
	Files func(path string) (cgroups.Manager, error)
	// Log gets warnings; it may be nil.
	Log *slog.Logger
}

// Manager is the cgroup of a unit. The embedded manager does the work on the
// files of that cgroup.
type Manager struct {
	cgroups.Manager
	unit  Unit
	place place
	extra []property // from annotations
	log   *slog.Logger

	foreign error // why the saved unit cannot be the container's, if so

	dial  func(ctx context.Context, user bool) (*bus, error)
	retry time.Duration // how long to wait until the rest of a unit has ended
	// cgroupOf returns the cgroup of a process.
	cgroupOf func(pid int) (string, error)
}

var _ cgroups.Manager = (*Manager)(nil)

// New returns the manager of the unit that the options describe. It makes
// nothing. For a unit of the user's systemd it asks that systemd for its
// cgroup.
func New(ctx context.Context, o Options) (*Manager, error) {
	return newManager(ctx, o, dial)
}

func newManager(ctx context.Context, o Options, dial func(context.Context, bool) (*bus, error)) (*Manager, error) {
	p, err := placeOf(o.CgroupsPath, o.ID, o.User)
	if err != nil {
		return nil, err
	}
	extra, err := fromAnnotations(o.Annotations)
	if err != nil {
		return nil, err
	}
	m := Load(Unit{Name: p.unit, User: o.User}, nil, o.Log)
	m.place, m.extra, m.dial = p, extra, dial
	root, err := m.root(ctx)
	if err != nil {
		return nil, err
	}
	m.place.dir = path.Join(root, p.dir)
	m.Manager, err = o.Files(m.place.dir)
	if err != nil {
		return nil, err
	}
	if paths := m.Paths(); len(paths) != 1 || paths[""] == "" {
		return nil, errNotV2()
	}
	return m, nil
}

// Load returns the manager of an existing unit; files is the manager of its
// cgroup. Log may be nil.
func Load(u Unit, files cgroups.Manager, log *slog.Logger) *Manager {
	m := &Manager{
		Manager: files, unit: u, place: place{unit: u.Name}, log: log,
		dial: dial, retry: time.Second, cgroupOf: cgroupOf,
	}
	if files != nil {
		m.foreign = checkUnit(u.Name, files.Paths()[""])
	}
	if m.foreign != nil {
		m.dial = func(context.Context, bool) (*bus, error) { return nil, m.foreign }
	}
	return m
}

// root returns the cgroup below which systemd has its slices.
func (m *Manager) root(ctx context.Context) (string, error) {
	if !m.unit.User {
		// systemd is itself in a scope there, except very early or in a
		// container.
		own, err := cgroupOf(1)
		return strings.TrimSuffix(own, "/init.scope"), err
	}
	b, err := m.dial(ctx, true)
	if err != nil {
		return "", err
	}
	defer b.close()
	v, err := b.property(ctx, managerPath, managerInterface, "ControlGroup")
	if err != nil {
		return "", err
	}
	root, ok := v.Value().(string)
	if !ok {
		return "", fmt.Errorf("find the cgroup of systemd: %v is no path", v)
	}
	return root, nil
}

// cgroupOf returns the path of a process in the v2 hierarchy.
func cgroupOf(pid int) (string, error) {
	text, err := sys.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return "", fmt.Errorf("find cgroup of process %d: %w", pid, err)
	}
	for line := range strings.Lines(string(text)) {
		if p, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			return p, nil
		}
	}
	return "", errNotV2()
}

// errNotV2 returns the refusal on hosts with v1 hierarchies. systemd would have made
// only two of the container's cgroups there, its own and perhaps that of v2,
// and version 258 has removed v1.
func errNotV2() error {
	return fmt.Errorf("use systemd for cgroups: %w (not on a host with cgroup v1: leave --systemd-cgroup out, or boot with systemd.unified_cgroup_hierarchy=1)", errors.ErrUnsupported)
}

// Unit returns the unit, to save for Load.
func (m *Manager) Unit() Unit { return m.unit }

// Create makes a unit without a process, which only a slice can be. Start makes
// a scope.
func (m *Manager) Create() error {
	if !m.place.isSlice() {
		return fmt.Errorf("create cgroup: %w (systemd makes a scope around a process: start it with one)", errors.ErrUnsupported)
	}
	ctx := context.Background() // every call has a deadline
	doubtful, err := m.Start(ctx, 0, nil)
	if doubtful {
		err = errors.Join(err, m.Clear(ctx))
	}
	return err
}

// Start makes the unit around the process pid, with the limits that systemd has
// properties for. systemd moves the process into the unit's cgroup. All limits
// apply after Set of the embedded Manager. Doubtful reports that the unit
// may exist after an error: Clear then removes it, once the process has ended.
func (m *Manager) Start(ctx context.Context, pid int, r *specs.LinuxResources) (doubtful bool, err error) {
	if r == nil {
		r = new(specs.LinuxResources)
	}
	if err := m.checkThawed(); err != nil {
		return false, err
	}
	props, err := m.unitProperties(r)
	if err != nil {
		return false, err
	}
	if doubtful, err = m.start(ctx, pid, props); err != nil {
		err = fmt.Errorf("start unit %q: %w%s", m.unit.Name, err, m.blame(err))
	}
	return doubtful, err
}

// Clear removes the unit of a Start that has failed, unless a process runs in it: it is
// then another container's.
func (m *Manager) Clear(ctx context.Context) error {
	b, err := m.dial(ctx, m.unit.User)
	if err == nil {
		defer b.close()
		err = m.stopIfEmpty(ctx, b, "new") // an inactive one may have a job that starts it
	}
	if err != nil && !errors.Is(err, cgroupfs.ErrNotEmpty) {
		return fmt.Errorf("stop unit %q: %w", m.unit.Name, err)
	}
	return nil
}

// blame adds the names of the annotations to an error of systemd: its text does
// not always name the property.
func (m *Manager) blame(err error) string {
	if !refused(err) || is(err, errUnitExists) || len(m.extra) == 0 {
		return ""
	}
	var list []string
	for _, p := range m.extra {
		list = append(list, config.UnitPropertyAnnotation+p.name+"="+p.value.String())
	}
	return " (the annotations set " + strings.Join(list, ", ") + ")"
}

func (m *Manager) start(ctx context.Context, pid int, props []property) (doubtful bool, err error) {
	b, err := m.dial(ctx, m.unit.User)
	if err != nil {
		return false, err
	}
	defer b.close()
	if !m.place.isSlice() {
		p, pidfd, err := process(pid, b)
		if err != nil {
			return false, err
		}
		defer pidfd.Close() // nil without a log, which offer accepts
		props = append(props, p)
	}
	err = m.startTransient(ctx, b, props)
	if err == nil {
		err = m.enter(pid)
	}
	return err != nil && !refused(err), err
}

// enter moves the process into a slice, which systemd does not do, and checks
// that the process is in the cgroup that will have its limits.
func (m *Manager) enter(pid int) error {
	if pid == 0 {
		return nil
	}
	dir := m.Paths()[""]
	if m.place.isSlice() {
		return cgroupfs.WriteFile(dir, "cgroup.procs", strconv.Itoa(pid))
	}
	now, err := m.cgroupOf(pid)
	if err == nil && now != m.place.dir {
		err = fmt.Errorf("process %d is in the cgroup %q, not in %q: %w", pid, now, m.place.dir, unix.ESRCH)
	}
	return err
}

// Attach has systemd move the process pid, of the same user, into the cgroup
// sub below that of the unit ("/x"; empty: the unit's own). systemd can do that
// even if the caller may not (systemd 238).
func (m *Manager) Attach(ctx context.Context, sub string, pid int) error {
	b, err := m.dial(ctx, m.unit.User)
	if err == nil {
		defer b.close()
		err = b.manager(ctx, "AttachProcessesToUnit", []any{m.unit.Name, sub, []uint32{uint32(pid)}})
	}
	if err != nil {
		return fmt.Errorf("attach process to unit %q: %w", m.unit.Name, err)
	}
	return nil
}

// checkThawed refuses a slice that is frozen, in which the process would never
// run.
func (m *Manager) checkThawed() error {
	dir := m.Paths()[""]
	for name := m.place.dir; name != "/" && name != "."; name, dir = path.Dir(name), path.Dir(dir) {
		frozen, err := cgroupfs.FrozenV2(dir)
		if err != nil {
			return fmt.Errorf("use cgroup %q: %w", dir, err)
		}
		if frozen {
			return fmt.Errorf("use cgroup %q: %w", dir, cgroups.ErrFrozen)
		}
	}
	return nil
}

// Set implements cgroups.Manager. It first checks that systemd answers, then
// writes the files, and sets the properties last: systemd could not undo them
// when the kernel refuses a value.
func (m *Manager) Set(r *specs.LinuxResources) error {
	if r == nil {
		return nil
	}
	props, err := m.limits(r)
	if err != nil {
		return err
	}
	if len(props) == 0 {
		return m.Manager.Set(r)
	}
	ctx := context.Background() // every call has a deadline
	b, err := m.dial(ctx, m.unit.User)
	if err != nil {
		return fmt.Errorf("set properties of unit %q: %w", m.unit.Name, err)
	}
	defer b.close()
	if err := m.Manager.Set(r); err != nil {
		return err
	}
	if err := m.setProperties(ctx, b, props); err != nil {
		return fmt.Errorf("set properties of unit %q: %w", m.unit.Name, err)
	}
	// After its answer, systemd writes the values of all its properties for
	// these controllers, over those that it has no property for. The next
	// answer comes after these writes.
	if _, err := m.activeState(ctx, b); err != nil {
		return fmt.Errorf("set properties of unit %q: %w", m.unit.Name, err)
	}
	return m.Manager.Set(r)
}

// limits returns the properties for resources.
func (m *Manager) limits(r *specs.LinuxResources) ([]property, error) {
	dir := m.Paths()[""]
	writes, err := fs2.Plan(dir, r)
	if err != nil {
		return nil, err
	}
	props := fromWrites(dir, writes)
	if m.unit.User {
		return props, nil // a user's systemd may not load device programs
	}
	more, err := fromDevices(r.Devices)
	if err != nil {
		return nil, cgroupfs.SetError(err)
	}
	return append(props, more...), nil
}

// Destroy implements cgroups.Manager. It stops the unit, waits for that, makes
// systemd forget it, and removes the rest of the cgroup. If systemd does not
// answer but the cgroup can be removed, Destroy only logs a warning.
func (m *Manager) Destroy(ctx context.Context) error {
	if m.foreign != nil {
		return m.foreign
	}
	stopped := m.stop(ctx)
	if stopped != nil {
		stopped = fmt.Errorf("stop unit %q: %w", m.unit.Name, stopped)
		m.awaitRemoval(ctx)
	}
	if err := m.Manager.Destroy(ctx); err != nil {
		return errors.Join(stopped, err)
	}
	if stopped != nil {
		m.warn("systemd may still list the unit; its cgroup is gone", "error", stopped)
	}
	return nil
}

// awaitRemoval waits until systemd has noticed that the unit has ended, and has removed
// its cgroup. systemd never notices the end of a unit that has no cgroup.
func (m *Manager) awaitRemoval(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, m.retry)
	defer cancel()
	for {
		there, err := cgroupfs.Exists(m.Paths()[""], "cgroup.procs")
		if err != nil || !there || pause(ctx, 5*time.Millisecond) != nil {
			return // the removal reports an error
		}
	}
}

func (m *Manager) stop(ctx context.Context) error {
	b, err := m.dial(ctx, m.unit.User)
	if err != nil {
		return err
	}
	defer b.close()
	return m.stopUnit(ctx, b)
}

func (m *Manager) warn(msg string, args ...any) {
	if m.log != nil {
		m.log.Warn(msg, args...)
	}
}

// refused reports whether systemd has answered with an error.
func refused(err error) bool {
	var answer dbus.Error
	return errors.As(err, &answer)
}
