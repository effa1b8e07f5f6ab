package fs2

import (
	"strconv"
	"strings"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func planCPU(dir string, r *specs.LinuxResources) ([]cgroupfs.Write, error) {
	c := r.CPU
	if c == nil {
		return nil, nil
	}
	var writes []cgroupfs.Write
	add := func(field, file, value, einval string) {
		writes = append(writes, cgroupfs.Write{
			Field: field, File: file, Value: value,
			Remedy: map[unix.Errno]string{unix.EINVAL: einval},
		})
	}
	if c.RealtimePeriod != nil && *c.RealtimePeriod != 0 {
		return nil, cgroupfs.Unsupported("cpu.realtimePeriod", "cgroup v2 has no realtime limits")
	}
	if c.RealtimeRuntime != nil && *c.RealtimeRuntime != 0 {
		return nil, cgroupfs.Unsupported("cpu.realtimeRuntime", "cgroup v2 has no realtime limits")
	}
	idle := func() { add("cpu.idle", "cpu.idle", strconv.FormatInt(*c.Idle, 10), "0 or 1") }
	// The kernel refuses a weight of an idle cgroup. A cgroup that stops being
	// idle gets the default.
	awake := c.Idle != nil && *c.Idle == 0
	if awake {
		idle()
	}
	if c.Shares != nil && *c.Shares != 0 {
		add("cpu.shares", "cpu.weight", strconv.FormatUint(cgroupfs.SharesToWeight(*c.Shares), 10), "the cgroup is idle: set cpu.idle to 0")
	}
	if c.Idle != nil && !awake {
		idle()
	}
	if field, value := bandwidth(dir, c); value != "" {
		add(field, "cpu.max", value, "out of range, or the quota is below the burst")
	}
	if c.Burst != nil {
		add("cpu.burst", "cpu.max.burst", strconv.FormatUint(*c.Burst, 10), "more than the quota")
	}
	return writes, nil
}

// bandwidth returns the text for cpu.max: "QUOTA PERIOD", "QUOTA", or "" for no
// write. With a quota alone, the kernel keeps the period; a period alone has no
// syntax.
func bandwidth(dir string, c *specs.LinuxCPU) (field, value string) {
	if c.Quota != nil && *c.Quota != 0 {
		field, value = "cpu.quota", "max"
		if *c.Quota > 0 {
			value = strconv.FormatInt(*c.Quota, 10)
		}
	}
	if c.Period == nil || *c.Period == 0 {
		return field, value
	}
	if value == "" {
		field, value = "cpu.period", "max"
		// The file does not exist until the controller is enabled.
		if now, err := cgroupfs.ReadFile(dir, "cpu.max"); err == nil {
			value, _, _ = strings.Cut(now, " ")
		}
	}
	return field, value + " " + strconv.FormatUint(*c.Period, 10)
}

// statCPU reads the counters of CPU time. Without the controller, the kernel
// only counts usage.
func statCPU(g *cgroupfs.Reader, s *cgroups.Stats) {
	stat := g.Keyed("cpu.stat")
	const usec = 1000
	s.CPU = cgroups.CPUStats{
		Usage: cgroups.CPUUsage{
			Total:  stat["usage_usec"] * usec,
			User:   stat["user_usec"] * usec,
			Kernel: stat["system_usec"] * usec,
		},
		Throttling: cgroups.Throttling{
			Periods:          stat["nr_periods"],
			ThrottledPeriods: stat["nr_throttled"],
			ThrottledTime:    stat["throttled_usec"] * usec,
		},
	}
}
