package specconv

import (
	"strings"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// checkResources checks the part of linux.resources that does not depend on the
// cgroup version; the cgroup driver checks the rest.
func checkResources(r *specs.LinuxResources) error {
	if r == nil {
		return nil
	}
	for i := range r.Devices {
		if err := checkDeviceRule(index("linux.resources.devices", i), &r.Devices[i]); err != nil {
			return err
		}
	}
	return nil
}

// checkDeviceRule checks one rule of the device cgroup (config-linux.md,
// Allowed Device list). No type means all devices, like "a"; an absent number
// or -1 means any.
func checkDeviceRule(field string, rule *specs.LinuxDeviceCgroup) error {
	switch rule.Type {
	case "", "a", "b", "c":
	default:
		return fieldErr(field+".type", `unknown type %s: want "a", "b" or "c"`, config.Quote(rule.Type))
	}
	if bad := strings.Trim(rule.Access, "rwm"); bad != "" {
		return fieldErr(field+".access", `%s: want letters of "rwm"`, config.Quote(rule.Access))
	}
	if rule.Major != nil && (*rule.Major < -1 || *rule.Major > maxMajor) {
		return fieldErr(field+".major", "%d: want 0 to %d, or -1 for any", *rule.Major, maxMajor)
	}
	if rule.Minor != nil && (*rule.Minor < -1 || *rule.Minor > maxMinor) {
		return fieldErr(field+".minor", "%d: want 0 to %d, or -1 for any", *rule.Minor, maxMinor)
	}
	return nil
}
