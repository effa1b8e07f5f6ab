package intelrdt

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/berth-oci/berth/internal/mountinfo"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// kernel imitates a resctrl file system in a directory: it populates new groups
// and removes groups with their content.
type kernel struct {
	t *testing.T
	*FS
	full bool // it has no more CLOSIDs
}

func newKernel(t *testing.T) *kernel {
	k := &kernel{t: t, FS: At(t.TempDir())}
	k.mkdir = func(path string, mode uint32) error {
		if k.full {
			return unix.ENOSPC
		}
		if err := unix.Mkdir(path, mode); err != nil {
			return err
		}
		k.fill(path)
		return nil
	}
	k.rmdir = func(path string) error {
		if _, err := os.Lstat(path); err != nil {
			return unix.ENOENT
		}
		return os.RemoveAll(path)
	}
	k.fill(k.root)
	k.file("info/MB/bandwidth_gran", "10\n")
	k.file("info/last_cmd_status", "ok\n")
	return k
}

// fill populates a group's directory as the kernel does.
func (k *kernel) fill(dir string) {
	name, err := filepath.Rel(k.root, dir)
	if err != nil {
		k.t.Fatal(err)
	}
	k.file(filepath.Join(name, "tasks"), "")
	k.file(filepath.Join(name, "mon_data/mon_L3_00/llc_occupancy"), "4096\n")
	if filepath.Base(filepath.Dir(dir)) != "mon_groups" {
		k.file(filepath.Join(name, "schemata"), "    MB:0=100;1=100\n    L3:0=0ff;1=fff\n")
		k.file(filepath.Join(name, "mon_groups/.keep"), "")
	}
}

func (k *kernel) file(name, text string) {
	path := filepath.Join(k.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		k.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		k.t.Fatal(err)
	}
}

// read returns a file's text, or "-" if it does not exist.
func (k *kernel) read(name string) string {
	text, err := os.ReadFile(filepath.Join(k.root, name))
	if errors.Is(err, os.ErrNotExist) {
		return "-"
	}
	if err != nil {
		k.t.Fatal(err)
	}
	return string(text)
}

// create calls Plan and Create for a container with the ID "c".
func (k *kernel) create(rdt *specs.LinuxIntelRdt) (*Group, error) {
	k.t.Helper()
	g, err := k.Plan(rdt, "c")
	if err != nil {
		k.t.Fatal(err)
	}
	return g, k.Create(g, rdt)
}

// begins compares the beginning of a file. Unlike in resctrl, a write does not
// truncate files of the fake.
func (k *kernel) begins(name, want string) {
	k.t.Helper()
	if got := k.read(name); !strings.HasPrefix(got, want) {
		k.t.Errorf("%s: got %q, want %q", name, got, want)
	}
}

func TestOwnGroup(t *testing.T) {
	k := newKernel(t)
	rdt := &specs.LinuxIntelRdt{L3CacheSchema: "L3:0=f;1=f0", EnableMonitoring: true}
	g, err := k.create(rdt)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Group{Root: k.root, Name: "c", Own: true, Monitor: "c", made: true}); *g != want {
		t.Errorf("got %+v", g)
	}
	if err := k.Add(g, 42); err != nil {
		t.Fatal(err)
	}
	k.begins("c/schemata", "L3:0=f;1=f0\n")
	k.begins("c/tasks", "42\n")
	k.begins("c/mon_groups/c/tasks", "42\n")
	k.begins("tasks", "")
	if err := k.Remove(g); err != nil {
		t.Fatal(err)
	}
	k.begins("c/tasks", "-")
	if err := k.Remove(g); err != nil {
		t.Errorf("removed twice: %v", err)
	}
}

// TestNamedGroup makes a group for one container, which another one joins. The
// group outlives both.
func TestNamedGroup(t *testing.T) {
	k := newKernel(t)
	rdt := &specs.LinuxIntelRdt{ClosID: "gold", L3CacheSchema: "L3:0=ff;1=fff", EnableMonitoring: true}
	first, err := k.create(rdt)
	if err != nil || first.Own || !first.made {
		t.Fatalf("%+v, %v", first, err)
	}
	k.file("gold/schemata", "    MB:0=100;1=100\n    L3:0=0ff;1=fff\n") // as the kernel shows it
	rdt = &specs.LinuxIntelRdt{ClosID: "gold", L3CacheSchema: "L3:0=ff;1=fff"}
	second, err := k.create(rdt)
	if err != nil || second.Own || second.made {
		t.Fatalf("%+v, %v", second, err)
	}
	for _, g := range []*Group{first, second} {
		if err := k.Remove(g); err != nil {
			t.Error(err)
		}
	}
	k.begins("gold/tasks", "")
	k.begins("gold/mon_groups/c/tasks", "-")
	if _, err := k.create(&specs.LinuxIntelRdt{ClosID: "gold"}); err != nil {
		t.Errorf("an existing group: %v", err)
	}
	_, err = k.create(&specs.LinuxIntelRdt{ClosID: "silver"})
	if !errors.Is(err, unix.ENOENT) || !strings.Contains(err.Error(), `linux.intelRdt.closID: group "`) {
		t.Errorf("a missing group: %v", err)
	}
	k.begins("silver/tasks", "-")
}

func TestDefaultGroup(t *testing.T) {
	k := newKernel(t)
	g, err := k.create(&specs.LinuxIntelRdt{ClosID: "/", EnableMonitoring: true})
	if err != nil || g.Own || g.Dir() != k.root {
		t.Fatalf("%+v, %v", g, err)
	}
	if err := k.Add(g, 7); err != nil {
		t.Fatal(err)
	}
	k.begins("tasks", "7\n")
	k.begins("mon_groups/c/tasks", "7\n")
	if err := k.Remove(g); err != nil {
		t.Fatal(err)
	}
	k.begins("tasks", "7\n")
	k.begins("mon_groups/c/tasks", "-")
}

// TestGroupOfSameName uses a group that existed before create, and does not
// remove it.
func TestGroupOfSameName(t *testing.T) {
	k := newKernel(t)
	k.fill(filepath.Join(k.root, "c"))
	g, err := k.create(&specs.LinuxIntelRdt{})
	if err != nil || g.Own {
		t.Fatalf("%+v, %v", g, err)
	}
	if err := errors.Join(k.Undo(g), k.Remove(g)); err != nil {
		t.Fatal(err)
	}
	k.begins("c/tasks", "")

	plan, err := k.Plan(&specs.LinuxIntelRdt{}, "d")
	if err != nil {
		t.Fatal(err)
	}
	k.fill(filepath.Join(k.root, "d"))
	if err := k.Create(plan, &specs.LinuxIntelRdt{}); !errors.Is(err, unix.EEXIST) {
		t.Errorf("made by another process after Plan: %v", err)
	}
	if err := k.Undo(plan); err != nil {
		t.Fatal(err)
	}
	k.begins("d/tasks", "")
}

func TestUndo(t *testing.T) {
	k := newKernel(t)
	rdt := &specs.LinuxIntelRdt{ClosID: "gold", MemBwSchema: "MB:0=50", EnableMonitoring: true}
	g, err := k.create(rdt)
	if err != nil {
		t.Fatal(err)
	}
	k.file("gold/tasks", "99\n")
	if err := k.Undo(g); err != nil {
		t.Fatal(err)
	}
	k.begins("gold/tasks", "99\n") // another container has joined it
	k.begins("gold/mon_groups/c/tasks", "-")
	k.file("gold/tasks", "")
	if err := k.Undo(g); err != nil {
		t.Fatal(err)
	}
	k.begins("gold/tasks", "-")

	// Undo does not remove another's monitoring group.
	k.file("mon_groups/c/tasks", "5\n")
	g, err = k.create(&specs.LinuxIntelRdt{ClosID: "/", EnableMonitoring: true})
	if !errors.Is(err, unix.EEXIST) || !strings.Contains(err.Error(), "linux.intelRdt.enableMonitoring: ") {
		t.Errorf("an existing monitoring group: %v", err)
	}
	if err := k.Undo(g); err != nil {
		t.Fatal(err)
	}
	k.begins("mon_groups/c/tasks", "5\n")
	// Nor when create fails before it.
	g, err = k.create(&specs.LinuxIntelRdt{ClosID: "/", L3CacheSchema: "L3:0=1", EnableMonitoring: true})
	if err == nil {
		t.Error("the default group has other schemata")
	}
	if err := k.Undo(g); err != nil {
		t.Fatal(err)
	}
	k.begins("mon_groups/c/tasks", "5\n")
}

func TestFull(t *testing.T) {
	k := newKernel(t)
	k.full = true
	k.file("info/last_cmd_status", "Out of CLOSIDs\n")
	g, err := k.create(&specs.LinuxIntelRdt{})
	want := `linux.intelRdt: make group "` + k.root + `/c": no space left on device: Out of CLOSIDs (the CPU has no more classes of service: see info/*/num_closids; share a group by closID)`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if g.Own {
		t.Error("Own is set for a group that was not made")
	}
}

// TestOrder checks the order of the lines: l3CacheSchema first, schemata last.
func TestOrder(t *testing.T) {
	lines := Lines(&specs.LinuxIntelRdt{
		Schemata: []string{"L2:0=f", "L3:0=1"}, MemBwSchema: "MB:0=20", L3CacheSchema: "L3CODE:0=f\nL3DATA:0=f0\n",
	})
	want := []Line{
		{"linux.intelRdt.l3CacheSchema", "L3CODE:0=f"},
		{"linux.intelRdt.l3CacheSchema", "L3DATA:0=f0"},
		{"linux.intelRdt.memBwSchema", "MB:0=20"},
		{"linux.intelRdt.schemata[0]", "L2:0=f"},
		{"linux.intelRdt.schemata[1]", "L3:0=1"},
	}
	if !reflect.DeepEqual(lines, want) {
		t.Errorf("got %v", lines)
	}
	if lines := Lines(&specs.LinuxIntelRdt{}); len(lines) != 0 {
		t.Errorf("lines without a schema: %v", lines)
	}
}

func TestCompare(t *testing.T) {
	k := newKernel(t)
	k.file("gold/schemata", "    MB:0= 50;1=100\n    L3:0=00f;1=fff\n")
	for _, test := range []struct {
		rdt   specs.LinuxIntelRdt
		field string // the field that differs, or ""
	}{
		{specs.LinuxIntelRdt{L3CacheSchema: "L3:0=f;1=fff"}, ""},
		{specs.LinuxIntelRdt{L3CacheSchema: "L3:0=00F"}, ""},
		{specs.LinuxIntelRdt{L3CacheSchema: "L3:0=0xf"}, ""},
		{specs.LinuxIntelRdt{L3CacheSchema: "L3:0=ff"}, "l3CacheSchema"},
		{specs.LinuxIntelRdt{L3CacheSchema: "L3:2=f"}, "l3CacheSchema"},
		{specs.LinuxIntelRdt{L3CacheSchema: "L3DATA:0=f"}, "l3CacheSchema"},
		{specs.LinuxIntelRdt{MemBwSchema: "MB:0=50;1=100"}, ""},
		{specs.LinuxIntelRdt{MemBwSchema: "MB:0=41"}, ""}, // the hardware rounds it up to 50
		{specs.LinuxIntelRdt{MemBwSchema: "MB:0=40"}, "memBwSchema"},
		{specs.LinuxIntelRdt{MemBwSchema: "MB:0=x"}, "memBwSchema"},
		{specs.LinuxIntelRdt{Schemata: []string{"MB:1=100", "L3:0=f"}}, ""},
		{specs.LinuxIntelRdt{Schemata: []string{"MB:1=100", "L3:0=1"}}, "schemata[1]"},
		// The last line for a domain counts.
		{specs.LinuxIntelRdt{L3CacheSchema: "L3:0=1;1=fff", Schemata: []string{"L3:0=f"}}, ""},
		{specs.LinuxIntelRdt{L3CacheSchema: "L3:0=1;1=ff", Schemata: []string{"L3:0=f"}}, "l3CacheSchema"},
	} {
		test.rdt.ClosID = "gold"
		_, err := k.create(&test.rdt)
		switch {
		case test.field == "" && err != nil:
			t.Errorf("%+v: %v", test.rdt, err)
		case test.field != "" && (err == nil || !strings.HasPrefix(err.Error(), "linux.intelRdt."+test.field+": group ")):
			t.Errorf("%+v: %v", test.rdt, err)
		}
	}
	k.begins("gold/schemata", "    MB:0= 50;1=100\n    L3:0=00f;1=fff\n")
}

func TestWriteExplains(t *testing.T) {
	k := newKernel(t)
	k.file("info/last_cmd_status", "Mask f1 has non-consecutive 1-bits\n")
	err := k.write(filepath.Join(k.root, "none"), "L3:0=f1")
	if !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	// A write to the fake cannot fail with EINVAL.
	if err := k.explain(unix.EINVAL); err.Error() != "invalid argument: Mask f1 has non-consecutive 1-bits" || !errors.Is(err, unix.EINVAL) {
		t.Error(err)
	}
}

func TestCheckName(t *testing.T) {
	for _, name := range []string{"a", "pod-1.x_y", "...", strings.Repeat("x", 255)} {
		if err := CheckName(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", ".", "..", "a/b", "/", "a\nb", "a\x00", "info", "mon_groups", "mon_data", strings.Repeat("x", 256)} {
		if err := CheckName(name); err == nil {
			t.Errorf("%q was accepted", name)
		}
	}
	k := newKernel(t)
	if _, err := k.Plan(&specs.LinuxIntelRdt{}, "info"); err == nil || !strings.Contains(err.Error(), `set "closID"`) {
		t.Errorf("a container with the id info: %v", err)
	}
}

func TestUsage(t *testing.T) {
	k := newKernel(t)
	g, err := k.create(&specs.LinuxIntelRdt{EnableMonitoring: true})
	if err != nil {
		t.Fatal(err)
	}
	k.file("c/mon_groups/c/mon_data/mon_L3_00/mbm_total_bytes", "Unavailable\n")
	k.file("c/mon_groups/c/mon_data/mon_L3_00/mbm_local_bytes", "18446744073709551615\n")
	k.file("c/mon_groups/c/mon_data/mon_L3_01/llc_occupancy", "1\n")
	usage, err := k.Usage(g)
	if err != nil || len(usage) != 2 {
		t.Fatalf("%+v, %v", usage, err)
	}
	if u := usage[0]; u.Domain != "mon_L3_00" || *u.CacheOccupancy != 4096 || u.MemoryTotal != nil || *u.MemoryLocal != 1<<64-1 {
		t.Errorf("got %+v", u)
	}
	if lines, err := k.Schemata(g); err != nil || !reflect.DeepEqual(lines, []string{"MB:0=100;1=100", "L3:0=0ff;1=fff"}) {
		t.Errorf("%q, %v", lines, err)
	}
	if usage, err := k.Usage(&Group{Root: k.root, Name: "none"}); err != nil || len(usage) != 0 {
		t.Errorf("hardware that cannot monitor: %+v, %v", usage, err)
	}
}

func TestFindMount(t *testing.T) {
	const text = `24 1 0:22 / /sys rw,nosuid - sysfs resctrl rw
30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
31 24 0:27 / /mnt/a\040b rw,relatime shared:9 - resctrl resctrl rw,cdp
32 24 0:27 / /mnt/c rw - resctrl resctrl rw
`
	for text, want := range map[string]string{text: "/mnt/a b", text[:50]: "", "": ""} {
		if got := findMount(mountinfo.Parse(text)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
