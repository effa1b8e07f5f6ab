package libcontainer

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// memoryField is what limits the memory of a container.
const memoryField = "linux.resources.memory.limit"

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
	var known *Error
	if r.hook != nil || !errors.As(err, &known) {
		return err // a hook's failure is part of a step's
	}
	mem, memErr := r.memory()
	if memErr != nil {
		return err // there is no cgroup (any more) to blame
	}
	cause, killed := shortage(known.Err, mem, r.op == inExec)
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
	known.Field = cmp.Or(known.Field, memoryField)
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
		return w.seen(), nil
	}
	cg := r.cgroup
	switch {
	case cg == nil && r.state == nil:
		return cgroups.MemoryStats{}, cgroups.ErrNoCgroup
	case cg == nil:
		cg = r.state.cgroup(r.log)
	}
	stats, err := cg.Stats()
	if err != nil {
		return cgroups.MemoryStats{}, err
	}
	return stats.Memory, nil
}

// memory gives what was counted of memory in the container's cgroup. One that
// may go at any moment is not asked: its files would be missing one by one.
func (c *Container) memory(cg cgroups.Manager) (cgroups.MemoryStats, error) {
	if c.witness != nil {
		return c.witness.seen(), nil
	}
	stats, err := cg.Stats()
	if err != nil {
		return cgroups.MemoryStats{}, err
	}
	return stats.Memory, nil
}

// shortage says which limit can have caused the error, empty if none, and whether
// the kernel has killed a process for it.
func shortage(err error, mem cgroups.MemoryStats, inUse bool) (limit string, killed bool) {
	gone := errors.Is(err, stub.ErrGone)
	switch {
	case mem.OOMKills > 0 && (!inUse || gone), mem.OOMs > 0 && gone:
		return limitOf(mem), true
	case errors.Is(err, unix.ENOMEM) && limited(mem):
		return limitOf(mem), false
	}
	return "", false
}

func limited(mem cgroups.MemoryStats) bool {
	return mem.Usage.Limit > 0 && mem.Usage.Limit < math.MaxInt64/2
}

func limitOf(mem cgroups.MemoryStats) string {
	if limited(mem) {
		return fmt.Sprintf("%s is %d bytes", memoryField, mem.Usage.Limit)
	}
	return memoryField + " is not set, but a cgroup above has a limit, or the host has no more"
}

// outOfMemory tells of the limit because of which the kernel has killed
// processes of the container; it is empty if there were none.
func (c *Container) outOfMemory() string {
	mem, err := c.memory(c.cgroup())
	if err != nil || mem.OOMKills == 0 {
		return "" // a cgroup that is gone tells nothing
	}
	return limitOf(mem)
}
