package systemd

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/fs2"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// setup returns a manager of x-y.scope that talks to a fake systemd, the
// directory of its cgroup, and its log.
func setup(t *testing.T, o Options) (*Manager, *fakeSystemd, string, *bytes.Buffer) {
	t.Helper()
	f, root, text := newFake(t), t.TempDir(), new(bytes.Buffer)
	if o.CgroupsPath == "" {
		o.CgroupsPath = ":x:y"
	}
	o.Log = slog.New(slog.NewTextHandler(text, nil))
	o.Files = func(path string) (cgroups.Manager, error) { return fs2.New(root+path, fs2.Options{}), nil }
	m, err := newManager(t.Context(), o, f.dial)
	if err != nil {
		t.Fatal(err)
	}
	m.retry = 100 * time.Millisecond
	m.cgroupOf = func(int) (string, error) { return m.place.dir, nil }
	return m, f, root + m.place.dir, text
}

func ptr[T any](v T) *T { return &v }

func TestStart(t *testing.T) {
	m, f, _, log := setup(t, Options{Annotations: map[string]string{
		"org.systemd.property.CollectMode": "'inactive'", "org.systemd.property.TimeoutStopSec": "5", "other": "x",
	}})
	r := &specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: ptr(int64(1000)), Swap: ptr(int64(1500))},
		Pids:   &specs.LinuxPids{Limit: ptr(int64(-1))},
	}
	if _, err := m.Start(t.Context(), 42, r); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`Description="berth container unit x-y.scope"`, `Slice="system.slice"`, `Delegate=true`,
		`MemoryAccounting=true`, `CPUAccounting=true`, `IOAccounting=true`, `TasksAccounting=true`, `DefaultDependencies=false`,
		`MemorySwapMax=@t 500`, `MemoryMax=@t 1000`, `TasksMax=@t 18446744073709551615`,
		`CollectMode="inactive"`, `TimeoutStopUSec=@t 5000000`, `PIDs=@au [42]`,
	}
	if got, _ := f.unit("x-y.scope"); !slices.Equal(got, want) {
		t.Errorf("properties:\n got %q\nwant %q", got, want)
	}
	if got := f.called(); !slices.Equal(got, []string{"StartTransientUnit x-y.scope"}) {
		t.Errorf("not one call: %q", got)
	}
	if log.Len() > 0 {
		t.Errorf("logged: %s", log)
	}
}

// A value that every kernel would refuse is refused before systemd is asked.
func TestStartChecks(t *testing.T) {
	m, f, _, _ := setup(t, Options{})
	_, err := m.Start(t.Context(), 42, &specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: ptr(uint64(2)), RealtimePeriod: ptr(uint64(5))}})
	if !errors.Is(err, errors.ErrUnsupported) || len(f.called()) > 0 {
		t.Errorf("%v, %q", err, f.called())
	}
}

func TestRefusedProperty(t *testing.T) {
	m, f, _, log := setup(t, Options{})
	f.set(func() {
		f.refuse["AllowedCPUs"] = refusal("org.freedesktop.DBus.Error.PropertyReadOnly", "Cannot set property AllowedCPUs, or unknown property.")
		f.refuse["DeviceAllow"] = refusal("org.freedesktop.DBus.Error.InvalidArgs", "DeviceAllow= requires device node or pattern")
	})
	r := &specs.LinuxResources{
		CPU:     &specs.LinuxCPU{Cpus: "0-1", Mems: "0"},
		Devices: []specs.LinuxDeviceCgroup{{Allow: true, Type: "c", Major: ptr(int64(1)), Minor: ptr(int64(3)), Access: "rw"}},
	}
	if _, err := m.Start(t.Context(), 42, r); err != nil {
		t.Fatal(err)
	}
	props, _ := f.unit("x-y.scope")
	got := strings.Join(props, " ")
	if strings.Contains(got, "AllowedCPUs") || strings.Contains(got, "Device") || !strings.Contains(got, "AllowedMemoryNodes=") {
		t.Errorf("a device policy without its list denies everything: %s", got)
	}
	for _, name := range []string{"AllowedCPUs", "Device"} {
		if strings.Count(log.String(), "property="+name) != 1 {
			t.Errorf("%s is not logged once: %s", name, log)
		}
	}
	f.set(func() {
		f.refuse["Delegate"] = refusal("org.freedesktop.DBus.Error.PropertyReadOnly", "Cannot set property Delegate, or unknown property.")
		delete(f.state, "x-y.scope")
	})
	if _, err := m.Start(t.Context(), 42, r); err == nil || !strings.Contains(err.Error(), "Delegate") {
		t.Errorf("a property that the container needs was left out: %v", err)
	}
}

func TestRefusedAnnotation(t *testing.T) {
	m, f, _, _ := setup(t, Options{Annotations: map[string]string{"org.systemd.property.TasksMax": "true"}})
	f.set(func() {
		f.refuse["TasksMax"] = refusal("org.freedesktop.DBus.Error.InvalidArgs", "Unexpected message contents")
	})
	_, err := m.Start(t.Context(), 42, nil)
	if err == nil || !strings.Contains(err.Error(), "org.systemd.property.TasksMax=true") {
		t.Errorf("the error does not name the annotation: %v", err)
	}
}

func TestLeftover(t *testing.T) {
	for _, test := range []struct {
		state, procs string // of the cgroup, if it exists
		ok           bool
	}{
		{"failed", "", true},
		{"active", "", true},
		{"active", "1\n", false},
	} {
		m, f, dir, _ := setup(t, Options{})
		f.set(func() { f.state["x-y.scope"] = test.state })
		if test.procs != "" {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(test.procs), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		_, err := m.Start(t.Context(), 42, nil)
		f.clients.Wait() // for calls without a wait for the answer, too
		props, state := f.unit("x-y.scope")
		switch {
		case test.ok && (err != nil || state != "active" || props == nil):
			t.Errorf("%+v: %v, %q", test, err, f.called())
		case !test.ok && (!errors.Is(err, cgroups.ErrNotEmpty) || slices.Contains(f.called(), "StopUnit x-y.scope")):
			t.Errorf("%+v: another's unit: %v, %q", test, err, f.called())
		}
	}
}

// A unit that has a file of its own is an error.
func TestUnitWithFile(t *testing.T) {
	m, f, _, _ := setup(t, Options{})
	f.set(func() {
		f.refuse["StartTransientUnit"] = refusal(errUnitExists, "Unit x-y.scope was already loaded or has a fragment file.")
	})
	if _, err := m.Start(t.Context(), 42, nil); !is(err, errUnitExists) {
		t.Error(err)
	}
}

func TestDeadlines(t *testing.T) {
	for _, hang := range []string{"AUTH", "Hello", "StartTransientUnit", "job"} {
		t.Run(hang, func(t *testing.T) {
			t.Parallel()
			m, f, _, _ := setup(t, Options{})
			f.set(func() {
				f.hang = []string{hang}
				if hang == "job" {
					f.result = "never"
				}
			})
			doubtful, err := m.Start(t.Context(), 42, nil)
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error(err)
			}
			// If systemd makes the unit later, it must not stay.
			if want := hang == "StartTransientUnit" || hang == "job"; doubtful != want {
				t.Errorf("the unit may exist: %v", doubtful)
			}
			f.set(func() { f.hang, f.result, f.state = nil, "", map[string]string{} })
			if _, err := m.Start(t.Context(), 42, nil); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	m, f, _, _ := setup(t, Options{})
	f.set(func() { f.result = "never" })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := m.Start(ctx, 42, nil); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}

func TestBusyBus(t *testing.T) {
	m, f, _, _ := setup(t, Options{})
	f.set(func() { f.busy = 3 })
	if _, err := m.Start(t.Context(), 42, nil); err != nil || len(f.called()) != 4 {
		t.Errorf("%v, %q", err, f.called())
	}
}

func TestJobFails(t *testing.T) {
	m, f, _, _ := setup(t, Options{})
	f.set(func() { f.result = "failed" })
	if _, err := m.Start(t.Context(), 42, nil); err == nil || !strings.Contains(err.Error(), `"failed"`) {
		t.Error(err)
	}
}

func TestWrongCgroup(t *testing.T) {
	m, _, _, _ := setup(t, Options{})
	m.cgroupOf = func(int) (string, error) { return "/elsewhere", nil }
	doubtful, err := m.Start(t.Context(), 42, nil)
	if err == nil || !doubtful || !strings.Contains(err.Error(), `"/elsewhere"`) {
		t.Errorf("%v, %v", doubtful, err)
	}
}

func TestClear(t *testing.T) {
	m, f, dir, _ := setup(t, Options{})
	if _, err := m.Start(t.Context(), 42, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ procs, want string }{{"7\n", "active"}, {"", ""}} { // "7": of another container
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(test.procs), 0o644); err != nil {
			t.Fatal(err)
		}
		f.set(func() { f.state["x-y.scope"] = "active" })
		if err := m.Clear(t.Context()); err != nil {
			t.Errorf("with processes %q: %v", test.procs, err)
		}
		if _, state := f.unit("x-y.scope"); state != test.want {
			t.Errorf("with processes %q: %s", test.procs, state)
		}
	}
	// The cgroup is empty now.
	f.set(func() { f.hang = []string{"StopUnit"} })
	if err := m.Clear(t.Context()); !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "x-y.scope") {
		t.Error(err)
	}
}

func TestUserManager(t *testing.T) {
	m, f, dir, _ := setup(t, Options{User: true})
	if !strings.HasSuffix(dir, "/user.slice/user-7.slice/user@7.service/user.slice/x-y.scope") {
		t.Errorf("the cgroup would be %q", dir)
	}
	rules := []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}
	if _, err := m.Start(t.Context(), 42, &specs.LinuxResources{Devices: rules}); err != nil {
		t.Fatal(err)
	}
	props, _ := f.unit("x-y.scope")
	if got := strings.Join(props, " "); strings.Contains(got, "Device") {
		t.Errorf("a property that a user's systemd cannot apply: %s", got)
	}
}

func TestAttach(t *testing.T) {
	m, f, _, _ := setup(t, Options{})
	if err := m.Attach(t.Context(), "/sub", 42); err != nil {
		t.Fatal(err)
	}
	if props, _ := f.unit("x-y.scope"); !slices.Equal(props, []string{"attached /sub[42]"}) {
		t.Errorf("%q", props)
	}
}

func TestSlice(t *testing.T) {
	m, f, _, _ := setup(t, Options{CgroupsPath: "a.slice:x:a-b.slice"})
	if err := m.Create(); err != nil {
		t.Fatal(err)
	}
	props, _ := f.unit("a-b.slice")
	got := strings.Join(props, " ")
	if !strings.Contains(got, `Wants=["a.slice"]`) || strings.Contains(got, "PIDs") || strings.Contains(got, "Delegate") {
		t.Error(got)
	}
	scope, _, _, _ := setup(t, Options{})
	if err := scope.Create(); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}

func TestDestroy(t *testing.T) {
	m, f, _, _ := setup(t, Options{})
	if _, err := m.Start(t.Context(), 42, nil); err != nil {
		t.Fatal(err)
	}
	again := Load(m.Unit(), m.Manager, nil)
	again.dial = f.dial
	if err := again.Destroy(t.Context()); err != nil {
		t.Error(err)
	}
	if _, state := f.unit("x-y.scope"); state != "" {
		t.Errorf("state %s; called %q", state, f.called())
	}
	if err := again.Destroy(t.Context()); err != nil {
		t.Errorf("a unit that is gone: %v", err)
	}
}

// A state that was forged or damaged can name any unit.
func TestDestroyForeignUnit(t *testing.T) {
	m, f, dir, _ := setup(t, Options{})
	if _, err := m.Start(t.Context(), 42, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	before := len(f.called())
	for _, name := range []string{"sshd.service", "a-b.scope", "system.slice"} {
		again := Load(Unit{Name: name}, m.Manager, nil)
		if err := again.Destroy(t.Context()); !errors.Is(err, unix.EINVAL) || !strings.Contains(err.Error(), name) {
			t.Errorf("Destroy of %s: %v", name, err)
		}
		if err := again.Attach(t.Context(), "", 42); !errors.Is(err, unix.EINVAL) {
			t.Errorf("Attach to %s: %v", name, err)
		}
	}
	if now := len(f.called()); now != before {
		t.Errorf("called %q", f.called())
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
}

// A systemd that does not answer does not prevent the removal of an ended
// container.
func TestDestroyWithoutBus(t *testing.T) {
	m, f, dir, log := setup(t, Options{})
	f.set(func() { f.hang = []string{"Hello"} })
	if err := m.Destroy(t.Context()); err != nil || !strings.Contains(log.String(), "may still list") {
		t.Errorf("%v, %s", err, log)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := m.Destroy(t.Context()); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the cgroup still exists: %v", err)
	}
}

func TestSet(t *testing.T) {
	m, f, dir, _ := setup(t, Options{})
	for _, d := range []string{dir} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"cgroup.controllers": "pids", "pids.max": ""} {
			if err := os.WriteFile(filepath.Join(d, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := m.Set(&specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr(int64(7))}}); err != nil {
		t.Fatal(err)
	}
	if got, _ := f.unit("x-y.scope"); !slices.Equal(got, []string{"TasksMax=@t 7"}) {
		t.Errorf("%q", got)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "pids.max")); string(text) != "7" {
		t.Errorf("pids.max: %q, %v", text, err)
	}
	// systemd does not get a value that the kernel refuses.
	err := m.Set(&specs.LinuxResources{Unified: map[string]string{"memory.max": "5"}})
	if props, _ := f.unit("x-y.scope"); err == nil || strings.Contains(strings.Join(props, " "), "MemoryMax") {
		t.Errorf("%v, %q", err, props)
	}
}

// witness records whether the cgroup still exists when Destroy removes it.
type witness struct {
	cgroups.Manager
	dir   string
	there bool
}

func (w *witness) Destroy(context.Context) error {
	_, err := os.Stat(w.dir)
	w.there = err == nil
	return nil
}

// systemd would list the unit for ever if the cgroup was removed before it has noticed the
// end of the unit.
func TestDestroyWithoutBusLeavesTheCgroupToSystemd(t *testing.T) {
	m, _, dir, log := setup(t, Options{})
	w := &witness{Manager: m.Manager, dir: dir}
	m.Manager, m.retry = w, time.Minute
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	removed := make(chan error, 1)
	m.dial = func(context.Context, bool) (*bus, error) {
		go func() { removed <- os.RemoveAll(dir) }() // systemd
		return nil, unix.ECONNREFUSED
	}
	err := m.Destroy(t.Context())
	if e := <-removed; e != nil {
		t.Fatal(e)
	}
	if err != nil || w.there || !strings.Contains(log.String(), "may still list") {
		t.Errorf("%v; the cgroup existed: %v; %s", err, w.there, log)
	}
}

func TestDialWithoutBus(t *testing.T) {
	f := newFake(t)
	public, private := "unix:path="+filepath.Join(t.TempDir(), "none"), "unix:path="+f.address
	b, err := dialAt(t.Context(), public, private, false)
	if err != nil {
		t.Fatal(err)
	}
	b.close()
	f.set(func() {
		if len(f.calls) > 0 {
			t.Errorf("a private socket has no message bus: %q", f.calls)
		}
	})
	full := newFake(t)
	full.refuse["Hello"] = refusal(errLimits, "The maximum number of active connections for UID 0 has been reached")
	b, err = dialAt(t.Context(), "unix:path="+full.address, private, false)
	if err != nil {
		t.Fatal(err)
	}
	b.close()
	if _, err := dialAt(t.Context(), public, public, true); !errors.Is(err, unix.ENOENT) || !strings.Contains(err.Error(), "enable-linger") {
		t.Error(err)
	}
}

// A systemd that does not accept pidfds gets pids.
func TestPidsInstead(t *testing.T) {
	m, _, _, log := setup(t, Options{})
	byPid := prop("PIDs", []uint32{42})
	byFile := prop("PIDFDs", []dbus.UnixFD{7})
	byFile.instead = &byPid
	var offered []string
	err := m.offer([]property{byFile, prop("Delegate", true)}, func(list []wire) error {
		for _, w := range list {
			offered = append(offered, w.Name)
		}
		if list[0].Name == "PIDFDs" {
			return refusal("org.freedesktop.DBus.Error.PropertyReadOnly", "Cannot set property PIDFDs, or unknown property.")
		}
		return nil
	})
	if want := []string{"PIDFDs", "Delegate", "Delegate", "PIDs"}; err != nil || !slices.Equal(offered, want) || log.Len() > 0 {
		t.Errorf("%v, offered %q, logged %q", err, offered, log)
	}
}
