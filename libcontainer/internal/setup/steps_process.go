package setup

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/scheduling"
	"github.com/berth-oci/berth/libcontainer/config"
)

// resetAffinity allows the stub all CPUs of its cpuset.
func resetAffinity(r *run) error {
	scheduling.AllCPUs(r.stub)
	return nil
}

func setFinalAffinity(r *run) error {
	r.stub.Label("process.execCPUAffinity.final")
	r.stub.SchedSetaffinity(r.affinity().Final)
	return nil
}

func setScheduler(r *run) error {
	return scheduling.SetPolicy(r.child.Pid, r.cfg.Process.Scheduler)
}

func setIOPriority(r *run) error {
	set := r.stub.IoprioSet(*r.cfg.Process.IOPriority).Checked() // the check adds the remedy
	r.stub.Check(func() error {
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
	r.stub.Label("linux.personality")
	r.stub.Personality(*r.cfg.Personality)
	return nil
}

func setMemoryPolicy(r *run) error {
	r.stub.Label("linux.memoryPolicy")
	r.stub.SetMempolicy(r.cfg.MemoryPolicy.Mode, r.cfg.MemoryPolicy.Nodes)
	return nil
}
