package libcontainer

import (
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/scheduling"
)

func spreadOverCPUs(r *run) error {
	scheduling.AllCPUs(r.p)
	return nil
}

func wantsRealTime(c *config.Config) bool {
	return c.Process.Scheduler != nil && scheduling.RealTime(c.Process.Scheduler)
}

func wantsSchedule(c *config.Config) bool {
	return c.Process.Scheduler != nil && !scheduling.RealTime(c.Process.Scheduler)
}

func setScheduler(r *run) error {
	return scheduling.SetPolicy(r.child.Pid, r.cfg.Process.Scheduler)
}

func setIOPriority(r *run) error {
	r.p.Label("process.ioPriority")
	r.p.IoprioSet(*r.cfg.Process.IOPriority)
	return nil
}

func setPersonality(r *run) error {
	r.p.Label("linux.personality")
	r.p.Personality(*r.cfg.Personality)
	return nil
}

func setMemoryPolicy(r *run) error {
	r.p.Label("linux.memoryPolicy")
	r.p.SetMempolicy(r.cfg.MemoryPolicy.Mode, r.cfg.MemoryPolicy.Nodes)
	return nil
}
