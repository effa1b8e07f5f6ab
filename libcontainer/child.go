package libcontainer

import (
	"errors"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/internal/monitor"
	"github.com/berth-oci/berth/libcontainer/internal/setup"
	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// child is an init that this process created. All handles of the container share it: the
// kernel reports the exit status once.
type child struct {
	*stub.Child
	exit *monitor.Exit
	// witness watches the cgroup of a systemd unit until Wait or Delete.
	witness *monitor.Witness
	// attached means that this process still drives the stub.
	attached atomic.Bool
	guard    *guard // nil without DieWithParent
}

// childKey identifies a process: the kernel may use its ID again.
type childKey struct {
	pid       int
	startTime uint64
}

// children are the children that a handle still refers to.
var children = struct {
	sync.Mutex
	byKey map[childKey]weak.Pointer[child]
}{byKey: map[childKey]weak.Pointer[child]{}}

// remember makes the child of a new container, and lets other handles find it.
func remember(s *state.State, made *setup.Created, attached bool, log *slog.Logger) *child {
	ch := &child{Child: made.Child, witness: made.Witness}
	ch.exit = monitor.NewExit(made.Child.Pid, made.Child.Pidfd, ended{s, log, made.Witness})
	ch.attached.Store(attached)
	key := childKey{s.Pid, s.StartTime}
	children.Lock()
	defer children.Unlock()
	children.byKey[key] = weak.Make(ch)
	runtime.AddCleanup(ch, func(key childKey) {
		children.Lock()
		defer children.Unlock()
		delete(children.byKey, key)
	}, key)
	return ch
}

// child returns the container's init if this process created it; else nil.
func (c *Container) child() *child {
	if c.made != nil {
		return c.made
	}
	children.Lock()
	defer children.Unlock()
	return children.byKey[childKey{c.state.Pid, c.state.StartTime}].Value()
}

// ended reads the cgroup of a process that has ended. It loads the manager only then, if
// at all: most processes are not asked for their statistics, and end without SIGKILL.
type ended struct {
	state   *state.State
	log     *slog.Logger
	witness *monitor.Witness
}

// Stats returns the statistics; ErrNotRunning if the cgroup was removed.
func (e ended) Stats() (*cgroups.Stats, error) {
	cgroup := e.state.Cgroup(e.log)
	if removed(cgroup.Paths()) {
		return nil, ErrNotRunning
	}
	stats, err := cgroup.Stats()
	if removed(cgroup.Paths()) { // meanwhile
		return nil, ErrNotRunning
	}
	return stats, err
}

// removed reports whether a cgroup is incomplete. A container can have none at all.
func removed(dirs map[string]string) bool {
	for _, dir := range dirs {
		if gone, err := cgroupfs.Gone(dir); gone && err == nil {
			return true
		}
	}
	return len(dirs) == 0
}

// OOM returns the limit for which the kernel OOM-killed processes of the container; "" if
// it killed none.
func (e ended) OOM() string {
	cgroup := e.state.Cgroup(e.log)
	if e.witness == nil {
		// Stats reads 50 files, and most processes that got SIGKILL were not OOM-killed.
		if kills, err := cgroups.OOMKills(cgroup); err != nil || kills == 0 {
			return "" // without the cgroup the count is unknown
		}
	}
	mem, err := memory(cgroup, e.witness)
	if err != nil || mem.OOMKills == 0 {
		return ""
	}
	return monitor.Limit(mem)
}

// memory returns the memory statistics of a container's cgroup. For a systemd unit they
// come from the witness: systemd can remove the cgroup at any moment.
func memory(cgroup cgroups.Manager, witness *monitor.Witness) (cgroups.MemoryStats, error) {
	if witness != nil {
		return witness.Seen(), nil
	}
	stats, err := cgroup.Stats()
	if err != nil {
		return cgroups.MemoryStats{}, err
	}
	return stats.Memory, nil
}

// forget closes the connection to a stub that was never started, and reaps init, which
// has ended or was killed.
func (ch *child) forget() error {
	ch.witness.Close()
	var err error
	if ch.attached.Swap(false) {
		err = ch.Close()
	}
	if _, e := ch.exit.Reap(); !errors.Is(e, ErrNotChild) { // another process reaped it
		err = errors.Join(err, e)
	}
	ch.guard.wait()
	if e := ch.Release(); !errors.Is(e, os.ErrClosed) { // from an earlier, failed delete
		err = errors.Join(err, e)
	}
	return err
}
