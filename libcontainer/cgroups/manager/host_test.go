package manager

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/berth-oci/berth/internal/cgroups/fs"
	"github.com/berth-oci/berth/internal/cgroups/fs2"
	"golang.org/x/sys/unix"
)

// hostWith returns a host with these file systems: 1 is v1, 2 is v2, others are
// plain directories. A path has the file system of its parent.
func hostWith(own string, mounts map[string]int) *host {
	return &host{root: "/cg", own: parseOwn(own), kind: func(path string) (int64, error) {
		for dir := path; dir != "/"; dir = filepath.Dir(dir) {
			switch kind, ok := mounts[dir]; {
			case !ok:
				continue
			case kind == 1:
				return unix.CGROUP_SUPER_MAGIC, nil
			case kind == 2:
				return unix.CGROUP2_SUPER_MAGIC, nil
			default:
				return unix.TMPFS_MAGIC, nil
			}
		}
		return 0, nil
	}}
}

const ownV1 = `9:name=systemd:/sys
5:devices:/
4:memory:/own/m
3:net_cls,net_prio:/own
2:cpu,cpuacct:/own:with/colon
1:pids:/../outside
`

func TestPathsV1(t *testing.T) {
	mounts := map[string]int{
		"/cg": 0, "/cg/systemd": 1, "/cg/devices": 1, "/cg/memory": 1, "/cg/net_prio,net_cls": 1, "/cg/net_cls": 1, "/cg/cpu": 1,
		"/cg/pids": 0, // a plain directory, as podman makes
	}
	for _, c := range []struct {
		path, id string
		want     map[string]string // of memory, cpu, net_prio, name=systemd
	}{
		{"", "id", map[string]string{
			"memory": "/cg/memory/own/m/id", "cpu": "/cg/cpu/own:with/colon/id", "cpuacct": "/cg/cpu/own:with/colon/id",
			"net_cls": "/cg/net_cls/own/id", "net_prio": "/cg/net_cls/own/id", "name=systemd": "/cg/systemd/sys/id", "devices": "/cg/devices/id",
		}},
		{"/a/b", "id", map[string]string{
			"memory": "/cg/memory/a/b", "cpu": "/cg/cpu/a/b", "cpuacct": "/cg/cpu/a/b",
			"net_cls": "/cg/net_cls/a/b", "net_prio": "/cg/net_cls/a/b", "name=systemd": "/cg/systemd/a/b", "devices": "/cg/devices/a/b",
		}},
		{"../../x", "id", map[string]string{
			"memory": "/cg/memory/own/m/x", "cpu": "/cg/cpu/own:with/colon/x", "cpuacct": "/cg/cpu/own:with/colon/x",
			"net_cls": "/cg/net_cls/own/x", "net_prio": "/cg/net_cls/own/x", "name=systemd": "/cg/systemd/sys/x", "devices": "/cg/devices/x",
		}},
	} {
		m, err := hostWith(ownV1, mounts).manager(Options{CgroupsPath: c.path, ID: c.id})
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := m.(*fs.Manager); !ok || !reflect.DeepEqual(m.Paths(), c.want) {
			t.Errorf("%q: %T\ngot  %v\nwant %v", c.path, m, m.Paths(), c.want)
		}
	}
}

func TestPathsHybrid(t *testing.T) {
	m, err := hostWith("1:devices:/\n0::/own\n", map[string]int{"/cg": 0, "/cg/devices": 1, "/cg/unified": 2}).manager(Options{ID: "id"})
	want := map[string]string{"devices": "/cg/devices/id", "": "/cg/unified/own/id"}
	if err != nil || !reflect.DeepEqual(m.Paths(), want) {
		t.Errorf("got %v, %v, want %v", m.Paths(), err, want)
	}
}

func TestPathsV2(t *testing.T) {
	for _, c := range []struct{ own, path, want string }{
		{"0::/a/b", "", "/cg/a/id"},
		{"0::/a/b", "x/y", "/cg/a/x/y"},
		{"0::/a/b", "/x/y", "/cg/x/y"},
		{"0::/a/b", "../../../x", "/cg/a/x"},
		{"0::/a/b", "/../x", "/cg/x"},
		{"0::/a", "", "/cg/id"},
		{"0::/", "", "/cg/id"},
		{"0::/../a/b", "", "/cg/id"}, // outside of the cgroup namespace
		{"1:name=systemd:/s\n0::/a/b", "", "/cg/a/id"},
	} {
		m, err := hostWith(c.own+"\n", map[string]int{"/cg": 2}).manager(Options{CgroupsPath: c.path, ID: "id"})
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := m.(*fs2.Manager); !ok || m.Paths()[""] != c.want || len(m.Paths()) != 1 {
			t.Errorf("own %q, path %q: %T %v, want %q", c.own, c.path, m, m.Paths(), c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	v2 := map[string]int{"/cg": 2}
	for _, c := range []struct {
		mounts map[string]int
		o      Options
		is     error
		want   string
	}{
		{v2, Options{CgroupsPath: "/", ID: "id"}, unix.EINVAL, "root of the hierarchy"},
		{v2, Options{CgroupsPath: "/a/..", ID: "id"}, unix.EINVAL, `linux.cgroupsPath "/a/.."`},
		{v2, Options{CgroupsPath: "..", ID: "id"}, unix.EINVAL, "root of the hierarchy"},
		{nil, Options{ID: "id"}, unix.ENOENT, `"/cg"`},
		{map[string]int{"/cg": 0, "/cg/memory": 1}, Options{ID: "id"}, unix.ENOENT, "devices controller"},
	} {
		_, err := hostWith(ownV1, c.mounts).manager(c.o)
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.o, err, c.want)
		}
	}
	// Without any right to a cgroup, there may be no mounted hierarchy either.
	m, err := hostWith(ownV1, map[string]int{"/cg": 0}).manager(Options{ID: "id", Rootless: true})
	if err != nil || len(m.Paths()) != 0 {
		t.Errorf("rootless without hierarchies: %v, %v", m, err)
	}
}

func TestMode(t *testing.T) {
	for _, c := range []struct {
		mounts map[string]int
		want   Mode
	}{
		{map[string]int{"/cg": 2}, V2},
		{map[string]int{"/cg": 2, "/cg/memory": 0}, V2},
		{map[string]int{"/cg": 0, "/cg/memory": 1}, V1},
		{map[string]int{"/cg": 0, "/cg/systemd": 1, "/cg/unified": 0}, V1},
		{map[string]int{"/cg": 0, "/cg/memory": 1, "/cg/unified": 2}, Hybrid},
		{map[string]int{"/cg": 0, "/cg/unified": 2}, ""},
		{map[string]int{"/cg": 0, "/cg/memory": 0}, ""},
		{nil, ""},
	} {
		mode, err := hostWith(ownV1+"0::/\n", c.mounts).mode()
		if mode != c.want || (mode == "") != errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v: %q, %v, want %q", c.mounts, mode, err, c.want)
		}
	}
}

func TestMountRoot(t *testing.T) {
	info := `31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw
35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
`
	for mount, want := range map[string]string{"/sys/fs/cgroup/memory": "/docker/abc", "/sys/fs/cgroup/cpu": "/"} {
		if got := mountRoot(info, mount); got != want {
			t.Errorf("mountRoot(%q) = %q, want %q", mount, got, want)
		}
	}
}

func TestLoadIsEqual(t *testing.T) {
	for _, paths := range []map[string]string{
		{"": "/sys/fs/cgroup/x"},
		{"": "/u/x", "cpu": "/c/x", "cpuacct": "/c/x"},
		{"cpu": "/c/x"},
		{},
	} {
		m := Load(paths, LoadOptions{})
		if !reflect.DeepEqual(m.Paths(), paths) {
			t.Errorf("paths %v of a manager for %v", m.Paths(), paths)
		}
		if _, v2 := m.(*fs2.Manager); v2 != (len(paths) == 1 && paths[""] != "") {
			t.Errorf("%T for %v", m, paths)
		}
	}
}

// Only ENOENT means that a hierarchy is not mounted: with any other error the
// container would run outside of it.
func TestUnreadableHierarchy(t *testing.T) {
	mounts := map[string]int{"/cg": 0, "/cg/unified": 2, "/cg/systemd": 1, "/cg/devices": 1, "/cg/memory": 1, "/cg/net_cls,net_prio": 1, "/cg/cpu,cpuacct": 1, "/cg/pids": 1}
	for bad, named := range map[string]string{
		"/cg":                  `find cgroups: `,
		"/cg/unified":          `find cgroup hierarchy "unified": `,
		"/cg/systemd":          `find cgroup hierarchy "name=systemd": `,
		"/cg/memory":           `find cgroup hierarchy "memory": `,
		"/cg/net_cls,net_prio": `find cgroup hierarchy "net_cls,net_prio": `,
		"/cg/memory/own/m":     `find own cgroup: `,
	} {
		for _, rootless := range []bool{false, true} {
			h := hostWith(ownV1+"0::/own\n", mounts)
			kind := h.kind
			h.kind = func(path string) (int64, error) {
				if path == bad {
					return 0, &os.PathError{Op: "statfs", Path: path, Err: unix.EIO}
				}
				return kind(path)
			}
			m, err := h.manager(Options{ID: "id", Rootless: rootless})
			if !errors.Is(err, unix.EIO) || !strings.HasPrefix(err.Error(), named) {
				t.Errorf("%s: manager %v, error %v", bad, m, err)
			}
		}
	}
}
