// Package systemd manages a container's cgroup as a unit of systemd's: a
// transient scope, which systemd makes around the container's first process and
// in whose cgroup it leaves everything else to the runtime (Delegate=yes).
//
// What systemd has a property for is told to it, so that it agrees with what it
// finds when it is reloaded; all limits are then written to the files of the
// cgroup by the manager that would do so without systemd.
package systemd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/internal/cgroups/fs2"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/config"
)

// Unit names a unit; it is what to save to get at it later.
type Unit struct {
	Name string `json:"name"`
	// User says that it is of the user's own systemd.
	User bool `json:"user,omitempty"`
}

// Options say what unit a container is to have.
type Options struct {
	// CgroupsPath is linux.cgroupsPath: "slice:prefix:name", for the scope
	// prefix-name.scope in that slice, or the slice itself that name is the
	// name of. Empty: ":berth:ID". Without a slice: system.slice, or
	// user.slice of the user's systemd.
	CgroupsPath string
	// ID of the container.
	ID string
	// User has the unit made by the user's own systemd.
	User bool
	// Annotations of the container: "org.systemd.property.NAME" is a
	// property of the unit, in GVariant text format.
	Annotations map[string]string
	// Files gives the manager of the cgroup at a path of the hierarchy
	// ("/system.slice/x.scope"). Package manager has it.
	Files func(path string) (cgroups.Manager, error)
	// Log gets warnings; it may be nil.
	Log *slog.Logger
}

// Manager is the cgroup of a unit. Beside what it does itself it is the manager
// of the unit's cgroup, and where no process enters the unit, of no unit.
type Manager struct {
	cgroups.Manager
	unit  Unit
	place place
	extra []property // from annotations
	log   *slog.Logger

	dial  func(ctx context.Context, user bool) (*bus, error)
	retry time.Duration // how long to wait for what is left of a unit to go
	// cgroupOf tells which cgroup a process is in.
	cgroupOf func(pid int) (string, error)
}

var _ cgroups.Manager = (*Manager)(nil)

// New gives the manager of the unit that the options describe. Nothing is made
// yet. That of the user's systemd asks it which cgroup it has.
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
		return nil, errNotV2
	}
	return m, nil
}

// Load gives the manager of a unit that was made before, whose cgroup has the
// manager given. Log may be nil.
func Load(u Unit, files cgroups.Manager, log *slog.Logger) *Manager {
	return &Manager{
		Manager: files, unit: u, place: place{unit: u.Name}, log: log,
		dial: dial, retry: time.Second, cgroupOf: cgroupOf,
	}
}

// root gives the cgroup below which systemd has its slices.
func (m *Manager) root(ctx context.Context) (string, error) {
	if !m.unit.User {
		// It is itself in a scope there, or, very early or in a container, not.
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

// cgroupOf gives the path of a process in the v2 hierarchy.
func cgroupOf(pid int) (string, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return "", fmt.Errorf("find cgroup of process %d: %w", pid, err)
	}
	for line := range strings.Lines(string(text)) {
		if p, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			return p, nil
		}
	}
	return "", errNotV2
}

// errNotV2 is the refusal on hosts with v1 hierarchies. There systemd would have
// made only two of the container's cgroups, its own and perhaps that of v2, and
// it has given v1 up (version 258).
var errNotV2 = fmt.Errorf("use systemd for cgroups: %w (not on a host with cgroup v1: leave --systemd-cgroup out, or boot with systemd.unified_cgroup_hierarchy=1)", errors.ErrUnsupported)

// Unit gives the unit, to be saved for Load.
func (m *Manager) Unit() Unit { return m.unit }

// Create makes a unit without a process, which only a slice can be. A scope is
// made by Start.
func (m *Manager) Create() error {
	if !m.place.isSlice() {
		return fmt.Errorf("create cgroup: %w (systemd makes a scope around a process: start it with one)", errors.ErrUnsupported)
	}
	return m.Start(context.Background(), 0, nil)
}

// Start makes the unit around the process pid, which is then in its cgroup, and
// tells systemd of the limits. They are in force when they are written to the
// files of the cgroup too: by Set of the embedded Manager. When Start fails
// there is no such unit; where systemd did not answer, it may come to be, but
// not outlive the process.
func (m *Manager) Start(ctx context.Context, pid int, r *specs.LinuxResources) error {
	if r == nil {
		r = new(specs.LinuxResources)
	}
	if err := m.checkThawed(); err != nil {
		return err
	}
	props, err := m.unitProperties(r)
	if err != nil {
		return err
	}
	if err := m.start(ctx, pid, props); err != nil {
		return fmt.Errorf("start unit %q: %w%s", m.unit.Name, err, m.blame(err))
	}
	return nil
}

// blame names the annotations, which systemd may have refused: its own words
// are not always about one property.
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

func (m *Manager) start(ctx context.Context, pid int, props []property) error {
	b, err := m.dial(ctx, m.unit.User)
	if err != nil {
		return err
	}
	defer b.close()
	if !m.place.isSlice() {
		p, pidfd, err := process(pid, b)
		if err != nil {
			return err
		}
		defer pidfd.Close() // nil without, which it takes
		props = append(props, p)
	}
	begun, err := m.startTransient(ctx, b, props)
	if err == nil {
		err = m.enter(pid)
	}
	if err != nil && begun {
		b.send("StopUnit", m.unit.Name, "replace") // it may come to be yet
	}
	return err
}

// enter puts the process into a slice, which systemd does not, and makes sure
// that it is where its limits will be.
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

// Attach has systemd move the process pid, of the same user, into the cgroup sub
// below that of the unit ("/x"; empty: the unit's own). It can do that where the
// caller may not (systemd 238).
func (m *Manager) Attach(ctx context.Context, sub string, pid int) error {
	b, err := m.dial(ctx, m.unit.User)
	if err == nil {
		defer b.close()
		err = b.invoke(ctx, "AttachProcessesToUnit", m.unit.Name, sub, []uint32{uint32(pid)})
	}
	if err != nil {
		return fmt.Errorf("attach process to unit %q: %w", m.unit.Name, err)
	}
	return nil
}

// checkThawed refuses a slice in which the process would never run.
func (m *Manager) checkThawed() error {
	for dir := m.Paths()[""]; dir != "/" && dir != "."; dir = path.Dir(dir) {
		frozen, err := cgroupfs.FrozenV2(dir)
		if err != nil {
			return nil // past the root of the hierarchy
		}
		if frozen {
			return fmt.Errorf("use cgroup %q: %w", dir, cgroups.ErrFrozen)
		}
	}
	return nil
}

// Set implements cgroups.Manager. systemd, which could not take back what the
// kernel then refuses, is told last, but asked first whether it is there.
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
	ctx := context.Background() // every call has its deadline
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
	// Behind its answer systemd writes all that it knows of these controllers,
	// over what there is no property for. It has done so when it answers again.
	if _, err := m.activeState(ctx, b); err != nil {
		return fmt.Errorf("set properties of unit %q: %w", m.unit.Name, err)
	}
	return m.Manager.Set(r)
}

// limits gives the properties for resources.
func (m *Manager) limits(r *specs.LinuxResources) ([]property, error) {
	dir := m.Paths()[""]
	writes, err := fs2.Plan(dir, r)
	if err != nil {
		return nil, err
	}
	props := fromWrites(dir, writes)
	if m.unit.User {
		return props, nil // a user's systemd may not load programs for devices
	}
	more, err := fromDevices(r.Devices)
	if err != nil {
		return nil, fmt.Errorf("set linux.resources.%w", err)
	}
	return append(props, more...), nil
}

// Destroy implements cgroups.Manager: it stops the unit, waits for that, has
// systemd forget it, and removes what is left of the cgroup. Where systemd does
// not answer, but the cgroup can be removed without it, that is only warned of:
// systemd will see for itself that the unit has ended.
func (m *Manager) Destroy(ctx context.Context) error {
	stopped := m.stop(ctx)
	if stopped != nil {
		stopped = fmt.Errorf("stop unit %q: %w", m.unit.Name, stopped)
	}
	if err := m.Manager.Destroy(ctx); err != nil {
		return errors.Join(stopped, err)
	}
	if stopped != nil {
		m.warn("systemd may still list the unit, whose cgroup is gone", "error", stopped)
	}
	return nil
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

// refused tells whether systemd has answered, with an error.
func refused(err error) bool {
	var answer dbus.Error
	return errors.As(err, &answer)
}
