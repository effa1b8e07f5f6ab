package specconv

import (
	"reflect"
	"slices"
	"testing"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// withSysctl sets a sysctl in a container with some namespaces.
func withSysctl(name string, namespaces ...specs.LinuxNamespaceType) func(*specs.Spec) {
	return func(s *specs.Spec) {
		s.Hostname = ""
		s.Linux.Sysctl = map[string]string{name: "1"}
		s.Linux.Namespaces = []specs.LinuxNamespace{{Type: specs.MountNamespace}}
		for _, ns := range namespaces {
			s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: ns})
			if ns == specs.UserNamespace {
				s.Linux.UIDMappings = []specs.LinuxIDMapping{{HostID: 1000, Size: 65536}}
				s.Linux.GIDMappings = s.Linux.UIDMappings
			}
		}
	}
}

func TestSysctlNeedsItsNamespace(t *testing.T) {
	all := []specs.LinuxNamespaceType{specs.IPCNamespace, specs.NetworkNamespace, specs.UTSNamespace, specs.UserNamespace}
	for name, needs := range map[string]specs.LinuxNamespaceType{
		"kernel.msgmax": specs.IPCNamespace, "kernel.sem": specs.IPCNamespace, "kernel.shm_rmid_forced": specs.IPCNamespace,
		"kernel/shmall": specs.IPCNamespace, "fs.mqueue.msg_max": specs.IPCNamespace,
		"net.core.somaxconn": specs.NetworkNamespace, "net/ipv4/conf/eth0.5/forwarding": specs.NetworkNamespace,
		"kernel.domainname": specs.UTSNamespace, "user.max_net_namespaces": specs.UserNamespace,
	} {
		if _, err := convertWith(withSysctl(name, all...)); err != nil {
			t.Error(err)
		}
		others := slices.DeleteFunc(slices.Clone(all), func(ns specs.LinuxNamespaceType) bool { return ns == needs })
		want := key("linux.sysctl", name) + `: needs a "` + string(needs) + `" namespace in linux.namespaces, or the host's would be changed`
		if _, err := convertWith(withSysctl(name, others...)); err == nil || err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}

func TestSysctlErrors(t *testing.T) {
	const notOne = `: not the name of a sysctl: want words as in "net.ipv4.ip_forward"`
	for _, test := range []struct {
		want string
		list map[string]string
	}{
		{`linux.sysctl["vm.swappiness"]: not namespaced: it would change the host's (set it there, with sysctl(8))`, map[string]string{"vm.swappiness": "1"}},
		{`linux.sysctl["kernel.core_pattern"]: not namespaced: it would change the host's (set it there, with sysctl(8))`, map[string]string{"kernel.core_pattern": "1"}},
		{`linux.sysctl["kernel.msgmaxx"]: not namespaced: it would change the host's (set it there, with sysctl(8))`, map[string]string{"kernel.msgmaxx": "1"}},
		{`linux.sysctl["kernel.sem.x"]: not namespaced: it would change the host's (set it there, with sysctl(8))`, map[string]string{"kernel.sem.x": "1"}},
		{`linux.sysctl["netx.y"]: not namespaced: it would change the host's (set it there, with sysctl(8))`, map[string]string{"netx.y": "1"}},
		{`linux.sysctl["kernel.hostname"]: use "hostname" instead`, map[string]string{"kernel.hostname": "1"}},
		{`linux.sysctl["kernel/hostname"]: use "hostname" instead`, map[string]string{"kernel/hostname": "1"}},
		{`linux.sysctl[""]` + notOne, map[string]string{"": "1"}},
		{`linux.sysctl.net` + notOne, map[string]string{"net": "1"}},
		{`linux.sysctl["net."]` + notOne, map[string]string{"net.": "1"}},
		{`linux.sysctl["net..x"]` + notOne, map[string]string{"net..x": "1"}},
		{`linux.sysctl["net/../kernel/core_pattern"]` + notOne, map[string]string{"net/../kernel/core_pattern": "1"}},
		{`linux.sysctl["net.//.kernel"]` + notOne, map[string]string{"net.//.kernel": "1"}},
		{`linux.sysctl["/net/x"]` + notOne, map[string]string{"/net/x": "1"}},
		{`linux.sysctl["net.a\x00"]` + notOne, map[string]string{"net.a\x00": "1"}},
		{`linux.sysctl["net/ipv4/x"]: linux.sysctl["net.ipv4.x"] is the same`, map[string]string{"net/ipv4/x": "1", "net.ipv4.x": "2"}},
		{`linux.sysctl["net.x"]: "\x00": contains a NUL byte`, map[string]string{"net.x": "\x00"}},
	} {
		_, err := convertWith(func(s *specs.Spec) { s.Linux.Sysctl = test.list })
		if err == nil || err.Error() != test.want {
			t.Errorf("%v\nwant %s", err, test.want)
		}
	}
}

func TestSysctls(t *testing.T) {
	c, err := convertWith(func(s *specs.Spec) {
		s.Linux.Sysctl = map[string]string{
			"net.ipv4.ip_forward": "1", "net.ipv4.conf.eth0/5.forwarding": "2", "net/ipv4/conf/eth0.6/forwarding": "3", "fs.mqueue.msg_max": "",
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []config.Sysctl{
		{Field: `linux.sysctl["net.ipv4.conf.eth0/5.forwarding"]`, Path: "net/ipv4/conf/eth0.5/forwarding", Value: "2"},
		{Field: `linux.sysctl["net.ipv4.ip_forward"]`, Path: "net/ipv4/ip_forward", Value: "1"},
		{Field: `linux.sysctl["net/ipv4/conf/eth0.6/forwarding"]`, Path: "net/ipv4/conf/eth0.6/forwarding", Value: "3"},
		{Field: `linux.sysctl["fs.mqueue.msg_max"]`, Path: "fs/mqueue/msg_max", Value: ""},
	}
	if !reflect.DeepEqual(c.Sysctls, want) {
		t.Errorf("%+v", c.Sysctls)
	}
}

// A change of forwarding resets other sysctls of the interface.
func TestForwardingIsWrittenFirst(t *testing.T) {
	c, err := convertWith(func(s *specs.Spec) {
		s.Linux.Sysctl = map[string]string{
			"net.ipv4.conf.all.accept_redirects": "0", "net.ipv4.conf.all.forwarding": "0", "net.ipv4.ip_forward": "0", "net.core.somaxconn": "1",
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, s := range c.Sysctls {
		paths = append(paths, s.Path)
	}
	want := []string{"net/ipv4/conf/all/forwarding", "net/ipv4/ip_forward", "net/core/somaxconn", "net/ipv4/conf/all/accept_redirects"}
	if !slices.Equal(paths, want) {
		t.Errorf("got %q, want %q", paths, want)
	}
}
