// Package cgroups has the Manager interface, the operations on a container's
// cgroup that are the same for all managers (Kill, Frozen, Delegate, WatchOOM),
// and the statistics of a cgroup.
//
// Package manager makes the Manager that a host needs.
package cgroups

import (
	"context"
	"errors"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// Reader is the part of Manager that changes nothing.
type Reader interface {
	// Paths returns the absolute directory of each controller; the key of the
	// v2 hierarchy is "", that of a named one "name=systemd". Save this map:
	// manager.Load makes an equal manager from it.
	Paths() map[string]string

	// Processes lists the processes in the cgroup and in all cgroups below,
	// ascending.
	Processes() ([]int, error)

	// Stats reads the counters of the kernel. A value that no controller counts
	// is 0.
	Stats() (*Stats, error)
}

// Manager is one cgroup, usually of a container, in every hierarchy of the host.
// Only one goroutine at a time may use it.
type Manager interface {
	Reader

	// Create makes the cgroup in every hierarchy, with its parents. It uses an
	// existing cgroup, with cgroups below it, if no process is in any of them;
	// it refuses one with processes (ErrNotEmpty) and one that is frozen
	// (ErrFrozen), unless the manager is for a shared cgroup. When it fails, it
	// removes the directories that it made, and the manager has no cgroup any
	// more: a cleanup after that cannot kill processes in a cgroup of another
	// container.
	Create() error

	// AddProcess moves a process, with all its threads, into the cgroup in every
	// hierarchy. Its children stay where they are. The error is ESRCH if the
	// process does not exist, EBUSY if it is v2 and controllers are enabled for
	// the cgroups below. After an error, the process may have been moved in some
	// hierarchies of v1. To start a process in the cgroup, Entry is faster.
	AddProcess(pid int) error

	// Set writes resource limits. Fields that are nil or absent are not
	// changed. Devices is the complete list of rules, in the order of
	// config.json. When the kernel refuses a value, Set restores those that it
	// wrote before.
	Set(*specs.LinuxResources) error

	// Entry returns how a new process enters the cgroup.
	Entry() Entry

	// Freeze stops (or with false: resumes) all processes, and waits some
	// seconds at most until the kernel reports it. When it cannot freeze the
	// cgroup, it thaws it.
	Freeze(frozen bool) error

	// Destroy removes the cgroup and the cgroups below it in every hierarchy.
	// It waits for busy ones until ctx ends. A cgroup that does not exist is
	// not an error.
	Destroy(ctx context.Context) error
}

// Entry is how a new process enters a cgroup. Both ways can be needed.
type Entry struct {
	// Dir is the v2 directory to open for CLONE_INTO_CGROUP; "" if the cgroup
	// is not in a v2 hierarchy. The kernel then makes the child in the cgroup,
	// and takes no lock that waits for RCU (Linux 5.7).
	Dir string

	// Files are the v1 "tasks" files, absolute. The process opens each and
	// writes "0" itself, while it has a single thread: since Linux 5.5 a
	// thread that moves itself does not take cgroup_threadgroup_rwsem. A pid
	// written to cgroup.procs by another process takes it, and waits for an
	// RCU grace period, milliseconds, if it has not been taken lately.
	Files []string
}

// Errors that callers branch on.
var (
	// ErrNotEmpty means that the cgroup for a new container holds processes.
	ErrNotEmpty = cgroupfs.ErrNotEmpty
	// ErrFrozen means that the cgroup for a new container is frozen, so that
	// its init would never run.
	ErrFrozen = errors.New("cgroup frozen")
	// ErrNoCgroup means that the container has no cgroup: the runtime had no
	// right to make one, and the container did not need one.
	ErrNoCgroup = cgroupfs.ErrNoCgroup
)

// Max is the value of a limit in Stats that is not set.
const Max = cgroupfs.Max
