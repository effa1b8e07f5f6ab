package fs

import (
	"strings"
	"time"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// tick is the unit of cpuacct.stat: 1/USER_HZ of a second, and USER_HZ is 100
// on every architecture that berth supports.
const tick = uint64(10 * time.Millisecond)

// statCpuacct reads the counters of the cpuacct controller.
func statCpuacct(g *cgroupfs.Reader, s *cgroups.Stats) {
	u := &s.CPU.Usage
	u.Total = g.Uint("cpuacct.usage")
	stat := g.Keyed("cpuacct.stat")
	u.User, u.Kernel = stat["user"]*tick, stat["system"]*tick
	for _, f := range strings.Fields(g.Text("cpuacct.usage_percpu")) {
		u.PerCPU = append(u.PerCPU, g.Parse(f))
	}
	// "cpu user system", then a line for each CPU.
	for line := range strings.Lines(g.Text("cpuacct.usage_all")) {
		f := strings.Fields(line)
		if len(f) != 3 || f[0] == "cpu" {
			continue
		}
		u.PerCPUUser = append(u.PerCPUUser, g.Parse(f[1]))
		u.PerCPUKernel = append(u.PerCPUKernel, g.Parse(f[2]))
	}
}
