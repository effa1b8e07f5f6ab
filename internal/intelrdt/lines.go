package intelrdt

import (
	"fmt"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer/config"
)

// Line is a line of a schemata file: the allocation of one resource, such as
// "L3:0=7f0;1=1f".
type Line struct {
	// Field is its field in config.json.
	Field string
	Text  string
}

// Lines returns the lines of a configuration in the order in which they must be
// written (config-linux.md, IntelRdt).
func Lines(rdt *specs.LinuxIntelRdt) []Line {
	var all []Line
	for line := range strings.Lines(rdt.L3CacheSchema) {
		all = append(all, Line{"linux.intelRdt.l3CacheSchema", strings.TrimSpace(line)})
	}
	if rdt.MemBwSchema != "" {
		all = append(all, Line{"linux.intelRdt.memBwSchema", rdt.MemBwSchema})
	}
	for i, text := range rdt.Schemata {
		all = append(all, Line{fmt.Sprintf("linux.intelRdt.schemata[%d]", i), text})
	}
	return all
}

// parseLine parses a line of schemata.
func parseLine(line string) (name string, domains map[string]string, err error) {
	name, list, ok := strings.Cut(strings.TrimSpace(line), ":")
	domains = map[string]string{}
	for part := range strings.SplitSeq(list, ";") {
		domain, value, is := strings.Cut(part, "=")
		ok = ok && is
		domains[strings.TrimSpace(domain)] = strings.TrimSpace(value)
	}
	if !ok {
		return "", nil, fmt.Errorf("%s: want RESOURCE:DOMAIN=VALUE;DOMAIN=VALUE... as in \"L3:0=f;1=f0\"", config.Quote(line))
	}
	return strings.TrimSpace(name), domains, nil
}

// CheckLine refuses text that is not a valid line of a schemata file.
func CheckLine(line string) error {
	_, _, err := parseLine(line)
	return err
}
