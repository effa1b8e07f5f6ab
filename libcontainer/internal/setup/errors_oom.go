package setup

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/internal/monitor"
)

// oomPhrase is runc's, which tools match in errors of create and start.
const oomPhrase = "container init was OOM-killed (memory limit too low?)"

// oomError says that the kernel killed a process, and of what limit. The step that
// failed is left out: it is just where the process stood.
type oomError struct {
	text  string
	cause error
}

func (e *oomError) Error() string { return e.text }

// Unwrap gives what the step failed with.
func (e *oomError) Unwrap() error { return e.cause }

// blameMemory makes of the error of a step that the container was short of
// memory, if it was: that a process was OOM-killed, or, for a call that failed
// with ENOMEM, what the limit is.
func (r *run) blameMemory(err error) error {
	var known *StepError
	if r.hook != nil || !errors.As(err, &known) {
		return err // a hook's failure is part of a step's
	}
	mem, memErr := r.memory()
	if memErr != nil {
		return err // there is no cgroup (any more) to blame
	}
	cause, killed := monitor.Shortage(known.Err, mem, r.op == inExec)
	switch {
	case cause == "":
		return err
	case killed:
		if r.log != nil {
			r.log.Debug("OOM-killed", "step", known.Step, "error", known.Err)
		}
		known.Step, known.Err = "", &oomError{r.oomText() + ": " + cause, known.Err}
	default:
		known.Err = fmt.Errorf("%w (%s)", known.Err, cause)
	}
	known.Field = cmp.Or(known.Field, monitor.MemoryField)
	return err
}

// oomText names the process that was killed.
func (r *run) oomText() string {
	if r.op == inExec {
		return "process was OOM-killed (memory limit too low?)"
	}
	return oomPhrase
}

// memory returns what was counted of memory in the cgroup of the job.
func (r *run) memory() (cgroups.MemoryStats, error) {
	if w := r.witness(); w != nil {
		return w.Seen(), nil
	}
	cg := r.cgroup
	switch {
	case cg == nil && r.state == nil:
		return cgroups.MemoryStats{}, cgroups.ErrNoCgroup
	case cg == nil:
		cg = r.state.Cgroup(r.log)
	}
	stats, err := cg.Stats()
	if err != nil {
		return cgroups.MemoryStats{}, err
	}
	return stats.Memory, nil
}
