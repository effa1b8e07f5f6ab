package specconv

import (
	"os"

	unix "github.com/berth-oci/berth/internal/abi"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// The kernel's device numbers have 12 bits for major and 20 for minor
// (include/linux/kdev_t.h).
const (
	maxMajor = 1<<12 - 1
	maxMinor = 1<<20 - 1
)

// defaultDevices are the devices of every container (config-linux.md, Default
// Devices), with the numbers of Documentation/admin-guide/devices.txt.
// /dev/console and /dev/ptmx are made from the container's devpts.
var defaultDevices = []config.Device{
	{Path: "/dev/null", Mode: unix.S_IFCHR | 0o666, Major: 1, Minor: 3},
	{Path: "/dev/zero", Mode: unix.S_IFCHR | 0o666, Major: 1, Minor: 5},
	{Path: "/dev/full", Mode: unix.S_IFCHR | 0o666, Major: 1, Minor: 7},
	{Path: "/dev/random", Mode: unix.S_IFCHR | 0o666, Major: 1, Minor: 8},
	{Path: "/dev/urandom", Mode: unix.S_IFCHR | 0o666, Major: 1, Minor: 9},
	{Path: "/dev/tty", Mode: unix.S_IFCHR | 0o666, Major: 5, Minor: 0},
}

// convertDevices checks linux.devices and appends them to the default devices.
// One with the path of a default device replaces it.
func convertDevices(list []specs.LinuxDevice) ([]config.Device, error) {
	out := make([]config.Device, len(defaultDevices), len(defaultDevices)+len(list))
	copy(out, defaultDevices)
	places := make(map[string]int, cap(out)) // by path
	for i := range out {
		places[out[i].Path] = i
	}
	for i := range list {
		device, err := convertDevice(index("linux.devices", i), &list[i])
		if err != nil {
			return nil, err
		}
		at, there := places[device.Path]
		switch {
		case !there:
			places[device.Path] = len(out)
			out = append(out, device)
		case out[at].Field != "" && !sameNode(out[at], device):
			return nil, fieldErr(device.Field+".path", "%s: is another device in %s", config.Quote(device.Path), out[at].Field)
		default:
			out[at] = device
		}
	}
	return out, nil
}

// sameNode reports whether two devices have the same type and numbers.
func sameNode(a, b config.Device) bool {
	return a.Mode&unix.S_IFMT == b.Mode&unix.S_IFMT && a.Major == b.Major && a.Minor == b.Minor
}

// convertDevice checks one device (config-linux.md, Devices).
func convertDevice(field string, d *specs.LinuxDevice) (config.Device, error) {
	path, err := absolute(field+".path", d.Path)
	if err != nil {
		return config.Device{}, err
	}
	kind, err := deviceKind(field+".type", d.Type)
	if err != nil {
		return config.Device{}, err
	}
	permissions, err := devicePermissions(field+".fileMode", d.FileMode)
	if err != nil {
		return config.Device{}, err
	}
	device := config.Device{Field: field, Path: path, Mode: kind | permissions, UID: id(d.UID), GID: id(d.GID)}
	if kind == unix.S_IFIFO { // has no numbers
		return device, nil
	}
	if d.Major < 0 || d.Major > maxMajor {
		return config.Device{}, fieldErr(field+".major", "%d: want 0 to %d", d.Major, maxMajor)
	}
	if d.Minor < 0 || d.Minor > maxMinor {
		return config.Device{}, fieldErr(field+".minor", "%d: want 0 to %d", d.Minor, maxMinor)
	}
	device.Major, device.Minor = uint32(d.Major), uint32(d.Minor)
	return device, nil
}

// deviceTypes are the types of deviceKind.
const deviceTypes = `"c", "b", "u" or "p"`

// deviceKind returns the S_IFMT bits of a device type.
func deviceKind(field, name string) (uint32, error) {
	switch name {
	case "c", "u": // u: unbuffered; mknod(1) makes the same
		return unix.S_IFCHR, nil
	case "b":
		return unix.S_IFBLK, nil
	case "p":
		return unix.S_IFIFO, nil
	case "":
		return 0, missing(field, deviceTypes)
	}
	return 0, fieldErr(field, "unknown type %s: want %s", config.Quote(name), deviceTypes)
}

// devicePermissions checks a file mode. Engines copy it from stat(2), with type
// bits, which the device's type has already.
func devicePermissions(field string, mode *os.FileMode) (uint32, error) {
	if mode == nil {
		return 0o666, nil
	}
	permissions := uint32(*mode) &^ unix.S_IFMT
	if permissions > 0o7777 {
		return 0, fieldErr(field, "%d: want permissions, 0 to %d (0o7777)", uint32(*mode), 0o7777)
	}
	return permissions, nil
}

// id returns 0 for nil.
func id(p *uint32) uint32 {
	if p == nil {
		return 0
	}
	return *p
}
