package specconv

import (
	"math"
	"reflect"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// ids makes a mapping of triples.
func ids(n ...uint32) []specs.LinuxIDMapping {
	var m []specs.LinuxIDMapping
	for ; len(n) >= 3; n = n[3:] {
		m = append(m, specs.LinuxIDMapping{ContainerID: n[0], HostID: n[1], Size: n[2]})
	}
	return m
}

// withUser adds a new user namespace with these mappings.
func withUser(uids, gids []specs.LinuxIDMapping) func(*specs.Spec) {
	return func(s *specs.Spec) {
		s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
		s.Linux.UIDMappings, s.Linux.GIDMappings = uids, gids
	}
}

// joinUser makes the container join a user namespace.
func joinUser(change func(*specs.Spec)) func(*specs.Spec) {
	return func(s *specs.Spec) {
		change(s)
		s.Linux.Namespaces[len(s.Linux.Namespaces)-1].Path = "/proc/1/ns/user"
	}
}

func manyRanges(n uint32) []specs.LinuxIDMapping {
	var m []specs.LinuxIDMapping
	for i := range n {
		m = append(m, ids(2*i, 2*i, 1)...)
	}
	return m
}

func TestMappingErrors(t *testing.T) {
	plain := ids(0, 1000, 10)
	as := func(u specs.User) func(*specs.Spec) {
		return func(s *specs.Spec) {
			withUser(plain, plain)(s)
			s.Process.User = u
		}
	}
	cases := []struct {
		want   string
		change func(*specs.Spec)
	}{
		{`linux.uidMappings: missing: a new "user" namespace in linux.namespaces needs mappings of its ids to those of the host`, withUser(nil, plain)},
		{`linux.gidMappings: missing: a new "user" namespace in linux.namespaces needs mappings of its ids to those of the host`, withUser(plain, nil)},
		{`linux.uidMappings: needs a "user" namespace in linux.namespaces`, func(s *specs.Spec) { s.Linux.UIDMappings = plain }},
		{`linux.gidMappings: needs a "user" namespace in linux.namespaces`, func(s *specs.Spec) { s.Linux.GIDMappings = plain }},
		{`linux.uidMappings[1].size: 0: want at least one id`, withUser(ids(0, 1, 1, 5, 5, 0), plain)},
		{`linux.gidMappings[0].containerID: 4294967295: with size 1 beyond the last id, 4294967294`, withUser(plain, ids(math.MaxUint32, 0, 1))},
		{`linux.gidMappings[0].hostID: 4294967290: with size 10 beyond the last id, 4294967294`, withUser(plain, ids(0, 4294967290, 10))},
		{`linux.uidMappings[1].containerID: 5 overlaps 0-9 of linux.uidMappings[0]`, withUser(ids(0, 1000, 10, 5, 1, 1), plain)},
		{`linux.uidMappings[2].hostID: 1-2 overlaps 2 of linux.uidMappings[0]`, withUser(ids(100, 2, 1, 0, 1000, 10, 20, 1, 2), plain)},
		{`linux.uidMappings: container id 0 is not mapped: the container is set up by its root`, withUser(ids(1, 1000, 10), plain)},
		{`linux.uidMappings: container id 0 is not mapped: the container is set up by its root`, joinUser(withUser(ids(1, 1000, 10), plain))},
		{`linux.uidMappings: 341 ranges, but the kernel accepts at most 340`, withUser(manyRanges(341), plain)},
		{`process.user.uid: 10: not mapped by linux.uidMappings`, as(specs.User{UID: 10})},
		{`process.user.gid: 10: not mapped by linux.gidMappings`, as(specs.User{GID: 10})},
		{`process.user.additionalGids[1]: 10: not mapped by linux.gidMappings`, as(specs.User{AdditionalGids: []uint32{9, 10}})},
	}
	for _, c := range cases {
		if _, err := convertWith(c.change); err == nil || err.Error() != c.want {
			t.Errorf("%v\nwant %s", err, c.want)
		}
	}
}

func TestMappings(t *testing.T) {
	for name, change := range map[string]func(*specs.Spec){
		"one id":           withUser(ids(0, 1000, 1), ids(0, 1000, 1)),
		"all ids":          withUser(ids(0, 0, math.MaxUint32), ids(0, 0, math.MaxUint32)),
		"many ranges":      withUser(manyRanges(340), ids(7, 7, 1, 0, 1, 2)),
		"touching ranges":  withUser(ids(10, 10, 10, 0, 0, 10, 20, 20, 1), ids(0, 0, 1)),
		"joined":           joinUser(withUser(nil, nil)),
		"joined and known": joinUser(withUser(ids(0, 1, 1), ids(0, 1, 1))),
	} {
		spec := Default(DefaultOptions{})
		change(spec)
		c, err := Convert(spec, Options{Bundle: "/b"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !reflect.DeepEqual(c.UIDMappings, spec.Linux.UIDMappings) || !reflect.DeepEqual(c.GIDMappings, spec.Linux.GIDMappings) {
			t.Errorf("%s: %v, %v", name, c.UIDMappings, c.GIDMappings)
		}
	}
}
