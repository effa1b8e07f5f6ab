// Package cgroups says what a container's control group is to the rest of
// berth: the Manager interface, the types that pass through it, and the few
// operations on files and directories of a cgroup file system that v1 and v2
// have in common.
//
// The managers themselves are in the packages fs (v1 and hybrid) and fs2 (v2);
// package manager chooses between them. All of them can be used alone: they
// need the runtime specification's types and golang.org/x/sys/unix, nothing
// else.
package cgroups

import (
	"context"
	"errors"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// Manager is the cgroup of one container, in every hierarchy of the host. It
// may be used by one goroutine at a time.
type Manager interface {
	// Create makes the cgroup in every hierarchy, parents included. It refuses
	// a cgroup that holds processes (ErrNotEmpty) or is frozen (ErrFrozen);
	// one that exists and is empty is taken over. When it fails, it has
	// removed what it made and the manager has no cgroup any more, so that
	// cleaning up after that cannot kill what is in another's.
	Create() error

	// Set writes resource limits. What is nil or absent is left as it is, so
	// a caller that updates passes only what changes. Devices are the whole
	// list of rules, in the order of config.json. When the kernel refuses a
	// value, those set before it are as they were.
	Set(*specs.LinuxResources) error

	// Entry tells how a new process gets into the cgroup.
	Entry() Entry

	// Paths returns the directory of each controller, absolute; the key of
	// the v2 hierarchy is "", that of a named one "name=systemd". It is what
	// to save: manager.Load makes an equal manager from it.
	Paths() map[string]string

	// Processes lists the processes in the cgroup and in all cgroups below,
	// ascending.
	Processes() ([]int, error)

	// Freeze stops (or with false: resumes) all processes and waits, some
	// seconds at most, until that is so. When it fails to freeze, it has
	// thawed.
	Freeze(frozen bool) error

	// Stats reads what the kernel has counted.
	Stats() (*Stats, error)

	// Destroy removes the cgroup and the cgroups below it in every hierarchy,
	// and waits for those still busy, no longer than ctx allows. A cgroup
	// that does not exist is no error.
	Destroy(ctx context.Context) error
}

// Entry tells how a new process gets into a cgroup. Both ways can be needed.
type Entry struct {
	// Dir is the v2 directory to open for CLONE_INTO_CGROUP; "" when there is
	// none. The child is then born in the cgroup, for which the kernel takes
	// no lock that waits for RCU (Linux 5.7).
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
	// ErrNotEmpty means that the cgroup a container is to be created in holds
	// processes already.
	ErrNotEmpty = cgroupfs.ErrNotEmpty
	// ErrFrozen means that the cgroup a container is to be created in is
	// frozen, so that its first process would never run.
	ErrFrozen = errors.New("cgroup frozen")
	// ErrNoCgroup means that the container has no cgroup: it was created
	// without the right to make one, and without needing one.
	ErrNoCgroup = cgroupfs.ErrNoCgroup
)

// Max is the value of a limit in Stats that is not set.
const Max = cgroupfs.Max
