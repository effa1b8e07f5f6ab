package specconv

import (
	"fmt"
	"strings"

	"github.com/berth-oci/berth/libcontainer/capabilities"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// warningsMost is the number of unknown names that have a warning each: a file may have
// millions, and the warnings are saved with the configuration.
const warningsMost = 64

// convertCapabilities converts the five sets. It leaves out, with a warning, a
// capability that is unknown or that the kernel does not allow in a set: the
// specification wants the container to run without it (config.md, Linux
// Process).
func convertCapabilities(out *config.Process, p *specs.Process, field string) error {
	caps := p.Capabilities
	if caps == nil {
		return nil
	}
	field += ".capabilities."
	set, warned, more := &out.Capabilities, map[string]bool{}, 0
	for _, row := range []struct {
		name  string
		names []string
		mask  *uint64
	}{
		{"bounding", caps.Bounding, &set.Bounding},
		{"effective", caps.Effective, &set.Effective},
		{"inheritable", caps.Inheritable, &set.Inheritable},
		{"permitted", caps.Permitted, &set.Permitted},
		{"ambient", caps.Ambient, &set.Ambient},
	} {
		mask, unknown := capabilities.Mask(row.names)
		*row.mask = mask
		for _, u := range unknown {
			switch {
			case warned[u.Name]: // once, though most are in several sets
			case len(warned) == warningsMost:
				more++
			default:
				warned[u.Name] = true
				out.Warnings = append(out.Warnings, index(field+row.name, u.Index)+": "+u.Warning())
			}
		}
	}
	if more > 0 {
		out.Warnings = append(out.Warnings, fmt.Sprintf("%s: %d more unknown names are ignored", strings.TrimSuffix(field, "."), more))
	}
	// capset(2) and PR_CAP_AMBIENT_RAISE return EPERM for these.
	confine(out, field+"effective", &set.Effective, set.Permitted, "permitted")
	confine(out, field+"ambient", &set.Ambient, set.Permitted, "permitted")
	confine(out, field+"ambient", &set.Ambient, set.Inheritable, "inheritable")
	return nil
}

// confine removes from a set the capabilities that are not in another.
func confine(out *config.Process, field string, set *uint64, to uint64, name string) {
	for number := range capabilities.Count {
		if (*set&^to)>>number&1 != 0 {
			out.Warnings = append(out.Warnings, fmt.Sprintf("%s: %s is ignored: it is not in %s", field, config.Quote(capabilities.Name(number)), name))
		}
	}
	*set &= to
}
