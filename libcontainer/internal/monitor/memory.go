package monitor

import (
	"errors"
	"fmt"
	"math"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// MemoryField is the field that limits the memory of a container.
const MemoryField = "linux.resources.memory.limit"

// Shortage returns the memory limit that can have caused err, or "", and whether the
// kernel OOM-killed a process. InUse means that other processes of the container
// may have been killed instead.
func Shortage(err error, mem cgroups.MemoryStats, inUse bool) (limit string, killed bool) {
	gone := errors.Is(err, stub.ErrGone)
	switch {
	case mem.OOMKills > 0 && (!inUse || gone), mem.OOMs > 0 && gone:
		return Limit(mem), true
	case errors.Is(err, unix.ENOMEM) && limited(mem):
		return Limit(mem), false
	}
	return "", false
}

func limited(mem cgroups.MemoryStats) bool {
	return mem.Usage.Limit > 0 && mem.Usage.Limit < math.MaxInt64/2
}

// Limit describes the memory limit of a container.
func Limit(mem cgroups.MemoryStats) string {
	switch {
	case limited(mem):
		return fmt.Sprintf("%s is %d bytes", MemoryField, mem.Usage.Limit)
	case mem.Usage.Limit == 0: // the kernel rounds down to pages
		return MemoryField + " is less than a page"
	}
	return MemoryField + " is not set, but a parent cgroup has a limit, or the host is out of memory"
}
