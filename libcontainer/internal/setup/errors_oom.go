package setup

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/internal/monitor"
)

// OOMPhrase is runc's text, which tools match in errors of create and start.
const OOMPhrase = "container init was OOM-killed (memory limit too low?)"

// oomError reports an OOM kill and the memory limit. It has no step: the kill may
// happen in any.
type oomError struct {
	text  string
	cause error
}

func (e *oomError) Error() string { return e.text }

// Unwrap returns the error of the step.
func (e *oomError) Unwrap() error { return e.cause }

// explainOOM turns the error of a step into an oomError if a process was OOM-killed,
// and adds the memory limit to ENOMEM.
func (r *run) explainOOM(err error) error {
	var known *StepError
	if r.hook != nil || !errors.As(err, &known) {
		return err // the step that runs the hook is explained instead
	}
	mem, memErr := r.memory()
	if memErr != nil {
		return err // without a cgroup nothing was counted
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

// oomText returns the message for the killed process.
func (r *run) oomText() string {
	if r.op == inExec {
		return "process was OOM-killed (memory limit too low?)"
	}
	return OOMPhrase
}

// memory returns the memory statistics of the job's cgroup.
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
