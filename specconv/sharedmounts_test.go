package specconv

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestSharedMounts(t *testing.T) {
	none := []specs.LinuxNamespace{{Type: specs.PIDNamespace}}
	joined := append(none[:1:1], specs.LinuxNamespace{Type: specs.MountNamespace, Path: "/x"})
	user := func(list []specs.LinuxNamespace, path string) []specs.LinuxNamespace {
		return append(list[:len(list):len(list)], specs.LinuxNamespace{Type: specs.UserNamespace, Path: path})
	}
	ids := []specs.LinuxIDMapping{{HostID: 1, Size: 1}}
	cases := []struct {
		linux specs.Linux
		want  string
	}{
		{specs.Linux{Namespaces: none}, ""},
		{specs.Linux{Namespaces: none, RootfsPropagation: "rprivate"}, ""},
		{specs.Linux{Namespaces: joined, MaskedPaths: []string{"/a"}, ReadonlyPaths: []string{"/b"}}, ""},
		{specs.Linux{Namespaces: user(joined, "/y")}, ""},
		{specs.Linux{Namespaces: none, MaskedPaths: []string{"/a"}}, `linux.maskedPaths: needs a "mount" namespace in linux.namespaces: in the host's, a process that leaves the root would see the paths`},
		{specs.Linux{Namespaces: none, ReadonlyPaths: []string{"/a"}}, `linux.readonlyPaths: needs a "mount" namespace in linux.namespaces: in the host's, a process that leaves the root would see the paths`},
		{specs.Linux{Namespaces: joined, RootfsPropagation: "slave"}, `linux.rootfsPropagation: "slave" needs a new "mount" namespace: without it the root is "private"`},
		{specs.Linux{Namespaces: user(none, ""), UIDMappings: ids, GIDMappings: ids}, `linux.namespaces: a "user" namespace needs a "mount" namespace: it has no rights over the host's mounts`},
		{specs.Linux{Namespaces: user(joined, ""), UIDMappings: ids, GIDMappings: ids}, `linux.namespaces[1]: "/x": a new user namespace has no rights over a mount namespace that exists: join the user namespace that owns it`},
	}
	for _, c := range cases {
		spec := Default(DefaultOptions{})
		spec.Hostname, spec.Mounts, spec.Linux = "", nil, &c.linux
		got := ""
		if _, err := Convert(spec, Options{Bundle: "/b"}); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v:\ngot  %s\nwant %s", c.linux.Namespaces, got, c.want)
		}
	}
}
