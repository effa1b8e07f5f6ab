package libcontainer

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/scheduling"
)

// spreadOverCPUs gives the stub all CPUs of its cpuset, unless config.json has
// something else in mind for what is executed in a running container.
func spreadOverCPUs(r *run) error {
	affinity := r.execAffinity()
	switch {
	case affinity == nil:
		scheduling.AllCPUs(r.p)
	case len(affinity.Final) > 0:
		r.p.Label("process.execCPUAffinity.final")
		r.p.SchedSetaffinity(affinity.Final)
	}
	return nil
}

// execAffinity gives process.execCPUAffinity where it applies (config.md, Linux
// Process): not to the container's own process.
func (r *run) execAffinity() *config.ExecAffinity {
	if r.verb != inExec {
		return nil
	}
	return r.cfg.Process.ExecAffinity
}

func wantsRealTime(c *config.Config) bool {
	return c.Process.Scheduler != nil && scheduling.RealTime(c.Process.Scheduler)
}

func setScheduler(r *run) error {
	return scheduling.SetPolicy(r.child.Pid, r.cfg.Process.Scheduler)
}

// setSchedulerLate leaves out what was "schedule in real time". In a container
// that exists there is no need to hurry.
func setSchedulerLate(r *run) error {
	if r.verb == inCreate && wantsRealTime(r.cfg) {
		return nil
	}
	return setScheduler(r)
}

func setIOPriority(r *run) error {
	set := r.p.IoprioSet(*r.cfg.Process.IOPriority).Checked() // the remedy is added
	r.p.Check(func() error {
		err := set.Err()
		if errors.Is(err, unix.EPERM) {
			err = fmt.Errorf("%w (the real-time class needs CAP_SYS_ADMIN or CAP_SYS_NICE)", err)
		}
		if err != nil {
			return config.FieldErrorf("process.ioPriority", "ioprio_set: %w", err)
		}
		return nil
	})
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
