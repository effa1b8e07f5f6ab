package systemd

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/internal/cgroups/devices"
	"github.com/berth-oci/berth/internal/sys"
)

// allow is an entry of DeviceAllow.
type allow struct{ Device, Access string }

// fromDevices returns the properties for device rules. systemd attaches its own
// program to the cgroup, and both programs must allow an access. If systemd's
// list cannot express the rules, the properties allow all devices.
func fromDevices(rules []specs.LinuxDeviceCgroup) ([]property, error) {
	if len(rules) == 0 {
		return nil, nil
	}
	allowed, whole, ok, err := devices.AllowList(rules)
	if err != nil {
		return nil, err
	}
	policy, list := "auto", []allow{} // which denies nothing while the list is empty
	if ok && !whole {
		names, err := driverNames()
		if err != nil {
			return nil, err
		}
		if entries, ok := deviceList(allowed, names); ok {
			policy, list = "strict", entries
		}
	}
	together := func(name string, value any) property {
		p := optional(name, value)
		p.with = "devices"
		return p
	}
	return []property{
		together("DevicePolicy", policy),
		together("DeviceAllow", []allow{}), // empties it, when it is changed
		together("DeviceAllow", list),
	}, nil
}

// deviceList converts entries to the form of systemd.resource-control(5), which
// has devices by path or by driver name.
func deviceList(allowed []devices.Allowed, names driverTable) ([]allow, bool) {
	var list []allow
	for _, a := range allowed {
		kind := "char"
		if a.Block {
			kind = "block"
		}
		var device string
		switch {
		case a.Major == -1 && a.Minor == -1:
			device = kind + "-*"
		case a.Major == -1:
			return nil, false
		case a.Minor == -1:
			name := names[kind][a.Major]
			if name == "" {
				name = strconv.FormatInt(a.Major, 10)
			}
			device = kind + "-" + name
		default:
			device = fmt.Sprintf("/dev/%s/%d:%d", kind, a.Major, a.Minor)
		}
		list = append(list, allow{device, a.Access})
	}
	return list, true
}

// driverTable has the names of drivers by kind and major number.
type driverTable map[string]map[int64]string

// driverNames returns the names in /proc/devices. It returns none if the procfs hides the
// file: deviceList then uses the major numbers.
func driverNames() (driverTable, error) {
	text, err := sys.ReadFile("/proc/devices")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseDrivers(string(text)), nil
}

func parseDrivers(text string) driverTable {
	names := driverTable{"char": {}, "block": {}}
	kind := ""
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "Character devices:"):
			kind = "char"
		case strings.HasPrefix(line, "Block devices:"):
			kind = "block"
		case len(f) == 2 && kind != "":
			if major, err := strconv.ParseInt(f[0], 10, 64); err == nil {
				names[kind][major] = f[1]
			}
		}
	}
	return names
}
