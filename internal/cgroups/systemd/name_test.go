package systemd

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPlaceOf(t *testing.T) {
	for _, test := range []struct {
		path string
		user bool
		want place
	}{
		{"", false, place{"berth-id.scope", "system.slice", "/system.slice/berth-id.scope"}},
		{"", true, place{"berth-id.scope", "user.slice", "/user.slice/berth-id.scope"}},
		{"system.slice:docker:3f2a", false, place{"docker-3f2a.scope", "system.slice", "/system.slice/docker-3f2a.scope"}},
		{"machine.slice:libpod:3f2a", true, place{"libpod-3f2a.scope", "machine.slice", "/machine.slice/libpod-3f2a.scope"}},
		{"kubepods-besteffort.slice:crio:3f", false, place{"crio-3f.scope", "kubepods-besteffort.slice", "/kubepods.slice/kubepods-besteffort.slice/crio-3f.scope"}},
		{"-.slice:a:b", false, place{"a-b.scope", "-.slice", "/a-b.scope"}},
		{":: b+c", false, place{`-\x20b\x2bc.scope`, "system.slice", `/system.slice/-\x20b\x2bc.scope`}},
		{"a.slice:x:a-b.slice", false, place{"a-b.slice", "a.slice", "/a.slice/a-b.slice"}},
	} {
		got, err := placeOf(test.path, "id", test.user)
		if err != nil || got != test.want {
			t.Errorf("%q: %+v, %v", test.path, got, err)
		}
	}
	for path, text := range map[string]string{
		"/a/b":                                  `expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "/a/b" instead`,
		"a:b":                                   `got "a:b" instead`,
		"a.slice:b:c:d":                         "expected cgroupsPath",
		"a:b:c":                                 "invalid slice name: a",
		"a--b.slice:b:c":                        "invalid slice name: a--b.slice",
		"-a.slice:b:c":                          "invalid slice name: -a.slice",
		"a-.slice:b:c":                          "invalid slice name: a-.slice",
		"a/b.slice:b:c":                         "invalid slice name: a/b.slice",
		"../b.slice:b:c":                        "invalid slice name",
		".slice:b:c":                            "invalid slice name: .slice",
		"a.slice:b:":                            "names no unit",
		"a.slice:b:-.slice":                     "",
		":a:" + strings.Repeat("b", 250):        "longer than 255",
		strings.Repeat("a", 250) + ".slice:a:b": "invalid slice name",
		":a:" + strings.Repeat("b", 250) + "../x.slice": "invalid slice name",
	} {
		_, err := placeOf(path, "id", false)
		if text == "" && err == nil {
			continue
		}
		if !errors.Is(err, unix.EINVAL) || !strings.Contains(err.Error(), "linux.cgroupsPath") || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func TestCheckUnit(t *testing.T) {
	for _, test := range []struct {
		name, dir string
		ok        bool
	}{
		{"berth-id.scope", "/sys/fs/cgroup/system.slice/berth-id.scope", true},
		{`-\x20b.scope`, "", true},
		{"a-b.slice", "/sys/fs/cgroup/a.slice/a-b.slice", true},
		{"sshd.service", "/sys/fs/cgroup/system.slice/sshd.service", false},
		{"sshd.service", "", false},
		{"init.scope", "", false},
		{"-.slice", "", false},
		{"a--b.slice", "", false},
		{"a-b c.scope", "", false},
		{"a-/b.scope", "", false},
		{"session-1.scope", "/sys/fs/cgroup/system.slice/berth-id.scope", false},
		{"system.slice", "/sys/fs/cgroup/system.slice/berth-id.scope", false},
	} {
		if err := checkUnit(test.name, test.dir); (err == nil) != test.ok {
			t.Errorf("%q, %q: %v", test.name, test.dir, err)
		}
	}
}
