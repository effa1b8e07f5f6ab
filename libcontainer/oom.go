package libcontainer

import (
	"errors"
	"fmt"
	"math"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// memoryField is what limits the memory of a container.
const memoryField = "linux.resources.memory.limit"

// blameMemory adds to the error of a step that the container was short of
// memory, if it was. What has failed first stays the first that is said: the
// kernel kills a process of the container, and the step is just where it stood.
func (r *run) blameMemory(err error) error {
	var known *Error
	if r.hook != nil || !errors.As(err, &known) {
		return err // a hook's failure is part of a step's
	}
	cg := r.cgroup
	if cg == nil {
		cg = r.c.cgroup()
	}
	if r.unit != nil {
		r.beside.Wait() //nolint:errcheck // what has failed there, too, is added by undo
	}
	mem, memErr := r.c.memory(cg)
	if memErr != nil {
		return err // there is no cgroup (any more) to blame
	}
	if cause := shortage(known.Err, mem, r.verb == inExec); cause != "" {
		known.Err = fmt.Errorf("%w (%s)", known.Err, cause)
		if known.Field == "" {
			known.Field = memoryField
		}
	}
	return err
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

// shortage says how memory was short, if that can have caused the error.
func shortage(err error, mem cgroups.MemoryStats, inUse bool) string {
	gone := errors.Is(err, stub.ErrGone)
	switch {
	case mem.OOMKills > 0 && (!inUse || gone), mem.OOMs > 0 && gone:
		return "killed for want of memory: " + limitOf(mem)
	case errors.Is(err, unix.ENOMEM) && limited(mem):
		return limitOf(mem)
	}
	return ""
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
