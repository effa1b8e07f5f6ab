package specconv

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/opencontainers/runtime-spec/specs-go"

	unix "github.com/berth-oci/berth/internal/abi"
	"github.com/berth-oci/berth/libcontainer/config"
)

// convertNetDevices checks linux.netDevices (config-linux.md, Network Devices).
func convertNetDevices(out *config.Config, list map[string]specs.LinuxNetDevice) error {
	if len(list) > 0 && !out.Namespaces.Has(unix.CLONE_NEWNET) {
		return fieldErr("linux.netDevices", `needs a "network" namespace in linux.namespaces: without one the container has the runtime's devices`)
	}
	taken := map[string]string{}
	for _, host := range slices.Sorted(maps.Keys(list)) {
		d := config.NetDevice{Field: key("linux.netDevices", host), Host: host, Name: list[host].Name}
		if err := checkDeviceName(d.Field, d.Host); err != nil {
			return err
		}
		inside := d.Host
		if d.Name != "" {
			if err := checkNewDeviceName(d.Field+".name", d.Name); err != nil {
				return err
			}
			inside = d.Name
		}
		if other, twice := taken[inside]; twice && !strings.Contains(inside, "%") {
			return fieldErr(d.Field, "%q is also the name of %s", inside, other)
		}
		taken[inside] = d.Field
		out.NetDevices = append(out.NetDevices, d)
	}
	return nil
}

// checkDeviceName refuses a name that no movable device can have
// (dev_valid_name in the kernel's net/core/dev.c).
func checkDeviceName(field, name string) error {
	bad := func(r rune) bool { return r == '/' || r == ':' || r == 0 || unicode.IsSpace(r) }
	switch {
	case name == "lo":
		return fieldErr(field, `"lo" is the loopback device: every network namespace has its own`)
	case len(name) >= unix.IFNAMSIZ:
		return fieldErr(field, "%s: %d bytes, and the kernel takes %d", config.Quote(name), len(name), unix.IFNAMSIZ-1)
	case name == "" || name == "." || name == ".." || strings.ContainsFunc(name, bad):
		return fieldErr(field, `%s: not the name of a network device (no "/", ":" or blanks)`, config.Quote(name))
	}
	return nil
}

// checkNewDeviceName refuses a name, or the template of one, that the kernel
// does not accept for a device.
func checkNewDeviceName(field, name string) error {
	if strings.Count(name, "%") != strings.Count(name, "%d") || strings.Count(name, "%") > 1 {
		return fieldErr(field, `%s: "%%" is only allowed in one "%%d", which becomes a number`, config.Quote(name))
	}
	return checkDeviceName(field, name)
}
