package counters

import (
	"strconv"
	"strings"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// PSI reads the pressure stall information of a v2 cgroup; it needs no controller.
func PSI(g *cgroupfs.Reader, s *cgroups.Stats) {
	s.CPU.PSI = parsePSI(g.Text("cpu.pressure"))
	s.Memory.PSI = parsePSI(g.Text("memory.pressure"))
	s.Blkio.PSI = parsePSI(g.Text("io.pressure"))
}

// parsePSI parses the content of a pressure file. It returns nil for an empty file.
func parsePSI(text string) *cgroups.PSI {
	if text == "" {
		return nil
	}
	var p cgroups.PSI
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		to := &p.Some
		if f[0] == "full" {
			to = &p.Full
		}
		for _, field := range f[1:] {
			key, value, _ := strings.Cut(field, "=")
			// A value that does not parse is 0: the format may grow.
			switch key {
			case "avg10":
				to.Avg10, _ = strconv.ParseFloat(value, 64)
			case "avg60":
				to.Avg60, _ = strconv.ParseFloat(value, 64)
			case "avg300":
				to.Avg300, _ = strconv.ParseFloat(value, 64)
			case "total":
				to.Total, _ = strconv.ParseUint(value, 10, 64)
			}
		}
	}
	return &p
}
