package specconv

import (
	"reflect"
	"testing"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func withNetDevices(list map[string]specs.LinuxNetDevice) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Linux.NetDevices = list }
}

func TestNetDevices(t *testing.T) {
	c, err := convertWith(withNetDevices(map[string]specs.LinuxNetDevice{
		"wlan0": {}, "eth0": {Name: "uplink"}, "eth1.5": {Name: "vlan%d"}, "eth2": {Name: "vlan%d"}, "fifteen-letters": {Name: "wlan1"},
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := []config.NetDevice{
		{Field: "linux.netDevices.eth0", Host: "eth0", Name: "uplink"},
		{Field: `linux.netDevices["eth1.5"]`, Host: "eth1.5", Name: "vlan%d"},
		{Field: "linux.netDevices.eth2", Host: "eth2", Name: "vlan%d"},
		{Field: "linux.netDevices.fifteen-letters", Host: "fifteen-letters", Name: "wlan1"},
		{Field: "linux.netDevices.wlan0", Host: "wlan0"},
	}
	if !reflect.DeepEqual(c.NetDevices, want) {
		t.Errorf("got  %+v\nwant %+v", c.NetDevices, want)
	}
}

func TestNetDeviceErrors(t *testing.T) {
	one := func(host, name string) map[string]specs.LinuxNetDevice {
		return map[string]specs.LinuxNetDevice{host: {Name: name}}
	}
	const (
		notOne   = `: not the name of a network device (no "/", ":" or blanks)`
		loopback = `"lo" is the loopback device: every network namespace has its own`
		percent  = `: "%" is only allowed in one "%d", which becomes a number`
	)
	for _, test := range []struct {
		want string
		list map[string]specs.LinuxNetDevice
	}{
		{`linux.netDevices.lo: ` + loopback, one("lo", "e")},
		{`linux.netDevices.e.name: ` + loopback, one("e", "lo")},
		{`linux.netDevices[""]: ""` + notOne, one("", "e")},
		{`linux.netDevices["."]: "."` + notOne, one(".", "e")},
		{`linux.netDevices.e.name: ".."` + notOne, one("e", "..")},
		{`linux.netDevices["a/b"]: "a/b"` + notOne, one("a/b", "")},
		{`linux.netDevices.e.name: "a:b"` + notOne, one("e", "a:b")},
		{`linux.netDevices.e.name: "a b"` + notOne, one("e", "a b")},
		{`linux.netDevices.e.name: "a\x00"` + notOne, one("e", "a\x00")},
		{`linux.netDevices.sixteen-letters-: "sixteen-letters-": 16 bytes, and the kernel takes 15`, one("sixteen-letters-", "")},
		{`linux.netDevices.e.name: "e%"` + percent, one("e", "e%")},
		{`linux.netDevices.e.name: "e%s"` + percent, one("e", "e%s")},
		{`linux.netDevices.e.name: "e%d%d"` + percent, one("e", "e%d%d")},
		{`linux.netDevices.e.name: "e%%d"` + percent, one("e", "e%%d")},
		{`linux.netDevices.b: "x" is also the name of linux.netDevices.a`, map[string]specs.LinuxNetDevice{"a": {Name: "x"}, "b": {Name: "x"}}},
		{`linux.netDevices.b: "b" is also the name of linux.netDevices.a`, map[string]specs.LinuxNetDevice{"a": {Name: "b"}, "b": {}}},
	} {
		if _, err := convertWith(withNetDevices(test.list)); err == nil || err.Error() != test.want {
			t.Errorf("%v\nwant %s", err, test.want)
		}
	}
	_, err := convertWith(func(s *specs.Spec) {
		s.Linux.NetDevices = one("e", "")
		s.Linux.Namespaces = []specs.LinuxNamespace{{Type: specs.MountNamespace}}
		s.Hostname = ""
	})
	if err == nil || err.Error() != `linux.netDevices: needs a "network" namespace in linux.namespaces: without one the container has the runtime's devices` {
		t.Error(err)
	}
}
