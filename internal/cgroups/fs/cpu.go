package fs

import (
	"strconv"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func planCPU(_ string, r *specs.LinuxResources) ([]cgroupfs.Write, error) {
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
	const bandwidth = "out of range, or the cgroups above or below have another ratio of quota to period"
	const realtime = "out of range, or more than the cgroup above has left in its cpu.rt_runtime_us"
	idle := func() { add("cpu.idle", "cpu.idle", strconv.FormatInt(*c.Idle, 10), "0 or 1") }
	// The kernel refuses shares of an idle cgroup. A cgroup that stops being
	// idle gets the default.
	awake := c.Idle != nil && *c.Idle == 0
	if awake {
		idle()
	}
	if c.Shares != nil && *c.Shares != 0 {
		if err := cgroupfs.CheckShares(*c.Shares); err != nil {
			return nil, err
		}
		add("cpu.shares", "cpu.shares", strconv.FormatUint(*c.Shares, 10), "the cgroup is idle: set cpu.idle to 0")
	}
	if c.Idle != nil && !awake {
		idle()
	}
	if c.Period != nil && *c.Period != 0 {
		add("cpu.period", "cpu.cfs_period_us", strconv.FormatUint(*c.Period, 10), bandwidth)
	}
	if c.Quota != nil && *c.Quota != 0 {
		add("cpu.quota", "cpu.cfs_quota_us", strconv.FormatInt(max(*c.Quota, -1), 10), bandwidth+", or the quota is below the burst")
	}
	if c.Burst != nil {
		add("cpu.burst", "cpu.cfs_burst_us", strconv.FormatUint(*c.Burst, 10), "more than the quota")
	}
	if c.RealtimePeriod != nil && *c.RealtimePeriod != 0 {
		add("cpu.realtimePeriod", "cpu.rt_period_us", strconv.FormatUint(*c.RealtimePeriod, 10), realtime)
	}
	if c.RealtimeRuntime != nil && *c.RealtimeRuntime != 0 {
		add("cpu.realtimeRuntime", "cpu.rt_runtime_us", strconv.FormatInt(*c.RealtimeRuntime, 10), realtime)
	}
	return writes, nil
}

// statCPU reads the counters of the cpu controller.
func statCPU(g *cgroupfs.Reader, s *cgroups.Stats) {
	stat := g.Keyed("cpu.stat")
	s.CPU.Throttling = cgroups.Throttling{
		Periods:          stat["nr_periods"],
		ThrottledPeriods: stat["nr_throttled"],
		ThrottledTime:    stat["throttled_time"],
	}
}
