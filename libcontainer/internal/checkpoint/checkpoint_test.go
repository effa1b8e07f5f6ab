package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/criu"
	"github.com/berth-oci/berth/internal/rootfs"
	"github.com/berth-oci/berth/libcontainer/config"
)

func TestStdioKeys(t *testing.T) {
	s := Stdio{"/dev/null", "pipe:[7]", "pipe:[7]"}
	if got := s.External(); len(got) != 0 {
		t.Errorf("external: %q", got)
	}
	if got, want := s.Inherit(4), []criu.Inherited{{Key: "pipe:[7]", FD: 5}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	s = Stdio{"file[1:2]", "pipe:[7]", "file[1:2]"}
	if got := s.External(); !slices.Equal(got, []string{"file[1:2]"}) {
		t.Errorf("external: %q", got)
	}
	want := []criu.Inherited{{Key: "file[1:2]", FD: 4}, {Key: "pipe:[7]", FD: 5}}
	if got := s.Inherit(4); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNullDeviceOfTheHost(t *testing.T) {
	s := Stdio{"file[1:2]/dev/null", "file[1:2]/dev/null", "/dev/null"}
	if got := s.External(); !slices.Equal(got, []string{"file[1:2]"}) {
		t.Errorf("external: %q", got)
	}
	if got, want := s.Inherit(4), []criu.Inherited{{Key: "file[1:2]", FD: 4}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if !s.WasNull(0) || s.WasNull(2) || (Stdio{"file[1:2]"}).WasNull(0) {
		t.Errorf("null devices of %q: %v, %v", s, s.WasNull(0), s.WasNull(2))
	}
}

func TestDescriptorsFile(t *testing.T) {
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if got, err := ReadStdio(dir); err != nil || got != (Stdio{}) {
		t.Errorf("without a file: %q, %v", got, err)
	}
	want := Stdio{"/dev/null", "pipe:[7]", "file[1:2]"}
	if err := want.Write(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir.Name(), DescriptorsFile))
	if err != nil || string(text) != `["/dev/null","pipe:[7]","file[1:2]"]` { // the format of runc
		t.Errorf("%s, %v", text, err)
	}
	if got, err := ReadStdio(dir); err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
	for _, bad := range []string{"", "[", `["a"]`, `{}`, `[1,2,3]`} {
		if err := os.WriteFile(filepath.Join(dir.Name(), DescriptorsFile), []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadStdio(dir); err == nil {
			t.Errorf("%q: %q", bad, got)
		}
	}
}

func TestCgroupRoots(t *testing.T) {
	got := cgroupRoots("9:name=systemd:/c\n4:cpu,cpuacct:/x:y\n0::/v2\n")
	want := []criu.Pair{{Key: "name=systemd", Value: "/c"}, {Key: "cpu,cpuacct", Value: "/x:y"}, {Key: "", Value: "/v2"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHierarchies(t *testing.T) {
	const text = "9:name=systemd:/\n4:cpu,cpuacct:/c\n3:pids:/\n2:memory:/c\n0::/c\n"
	for _, test := range []struct {
		controllers, want []string
	}{
		{[]string{"memory", "cpuacct", "cpu"}, []string{"cpu,cpuacct", "memory"}},
		{[]string{""}, []string{""}},
		{[]string{"name=systemd"}, []string{"name=systemd"}},
		{[]string{"hugetlb"}, nil},
	} {
		cgroups := map[string]string{}
		for _, controller := range test.controllers {
			cgroups[controller] = "/sys/fs/cgroup/c"
		}
		if got := hierarchies(text, cgroups); !slices.Equal(got, test.want) {
			t.Errorf("%q: got %q, want %q", test.controllers, got, test.want)
		}
	}
}

func TestSources(t *testing.T) {
	dir := t.TempDir()
	cfg := &config.Config{
		Mounts: []config.Mount{
			{Destination: "/proc", Type: "proc"},
			{Destination: "/sys/fs/cgroup", Type: "cgroup"},
			{Destination: "/data", Source: dir, Bind: true},
			{Destination: "/all", Source: "/", Bind: true, Recursive: true},
			{Destination: "/data", Bind: true, Remount: true},
		},
		Devices: []config.Device{{Path: "/dev/zero"}},
	}
	pairs, err := Sources(cfg, rootfs.CgroupHost{Root: "/sys/fs/cgroup", Paths: map[string]string{"": "/sys/fs/cgroup/unified/c", "pids": "/sys/fs/cgroup/pids/c"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []criu.Pair{
		{Key: "/dev/null", Value: "/dev/null"},
		{Key: "/data", Value: dir},
		{Key: "/all", Value: "/"},
		{Key: "/all/proc", Value: "/proc"}, // a mount below
		{Key: "/dev/zero", Value: "/dev/zero"},
		{Key: "/sys/fs/cgroup/pids", Value: "/sys/fs/cgroup/pids/c"},
	} {
		if !slices.Contains(pairs, want) {
			t.Errorf("%q is missing in %q", want, pairs)
		}
	}
	if slices.ContainsFunc(pairs, func(p criu.Pair) bool { return p.Key == "/proc" }) {
		t.Error("a file system of the container has a source")
	}
}

func TestConfigFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "criu.conf")
	with := func(path string) map[string]string { return map[string]string{config.CriuConfigAnnotation: path} }
	if got, err := configFile(with("")); got != "" || err != nil {
		t.Errorf("empty annotation: %q, %v", got, err)
	}
	if _, err := configFile(with(file)); !errors.Is(err, unix.ENOENT) {
		t.Errorf("missing file: %v", err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := configFile(with(file)); got != file || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestOptionErrors(t *testing.T) {
	for _, test := range []struct {
		o    Options
		want string
	}{
		{Options{ManageCgroups: "x"}, `invalid manage-cgroups-mode value "x" (want soft, full, strict or ignore)`},
		{Options{EmptyNamespaces: []string{"network", "ipc"}}, `namespace "ipc" is not supported: only network can be empty`},
		{Options{ManageCgroups: "ignore", EmptyNamespaces: []string{"network"}}, ""},
	} {
		err := test.o.Check()
		if err == nil && test.want != "" || err != nil && err.Error() != test.want {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
}

func TestRefusedContainers(t *testing.T) {
	mount := config.Namespaces{New: unix.CLONE_NEWNS}
	for field, cfg := range map[string]*config.Config{
		"":                 {Namespaces: mount},
		"linux.namespaces": {},
		"mounts[0]":        {Namespaces: mount, Mounts: []config.Mount{{Field: "mounts[0]", IDMap: &config.IDMap{}}}},
		"linux.seccomp":    {Namespaces: mount, Seccomp: &config.Seccomp{Notify: true}},
	} {
		err := CheckConfig(cfg)
		var refused *config.FieldError
		if field == "" && err != nil || field != "" && (!errors.As(err, &refused) || !strings.HasPrefix(refused.Field, field)) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
