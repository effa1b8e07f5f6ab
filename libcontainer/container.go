package libcontainer

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/monitor"
	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Container is a container that exists.
type Container struct {
	dir   string
	state *state.State
	log   *slog.Logger
	// owner is why the container is not the caller's, nil if it is.
	owner error
	// config is nil in a container that was loaded, until it is needed; mu
	// is for the loading, as several goroutines may execute processes.
	config *config.Config
	mu     sync.Mutex

	// filter is the seccomp filter, nil until it is made or needed.
	filter []byte

	// child is the first process, and exit its end, when this process created
	// the container.
	child *stub.Child
	exit  *monitor.Exit
	// witness watches the cgroup of a unit until the child was waited for.
	witness *monitor.Witness
	// attached says that the connection to the stub is still this process's.
	attached atomic.Bool
}

// Status of a container.
type Status string

// The statuses of the specification (runtime.md, state), and paused.
const (
	Creating Status = "creating"
	Created  Status = "created"
	Running  Status = "running"
	Paused   Status = "paused"
	Stopped  Status = "stopped"
)

// Load gives the container id below a state root. Log may be nil.
func Load(root, id string, log *slog.Logger) (*Container, error) {
	if err := ValidateID(id); err != nil {
		return nil, err
	}
	dir := filepath.Join(root, id)
	s, owner, err := state.Look(dir)
	if err != nil {
		return nil, opError("load", id, err)
	}
	return &Container{dir: dir, state: s, owner: owner, log: log}, nil
}

// CheckOwner returns ErrNotOwner if the container is another user's than the
// caller: that user may have forged the state. It can be looked at, but nothing
// else be done with it.
func (c *Container) CheckOwner() error { return opError("load", c.ID(), c.owner) }

// ID gives the container's id.
func (c *Container) ID() string { return c.state.ID }

// Pid gives the process id of the first process, as the host sees it.
func (c *Container) Pid() int { return c.state.Pid }

// Pidfd opens a pidfd of the first process, which is the caller's to close;
// ErrNotRunning if that has ended.
func (c *Container) Pidfd() (*os.File, error) {
	pidfd, err := c.state.OpenProcess()
	return pidfd, opError("open pidfd of", c.ID(), err)
}

// Config gives the configuration that the container was created with, which
// must not be changed.
func (c *Container) Config() (*config.Config, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.config == nil {
		cfg, err := state.ReadConfig(c.dir)
		if errors.Is(err, fs.ErrNotExist) {
			if _, e := state.Read(c.dir); errors.Is(e, ErrNotExist) {
				err = ErrNotExist // it has been deleted meanwhile
			}
		}
		if err != nil {
			return nil, opError("load", c.ID(), err)
		}
		c.config = cfg
	}
	return c.config, nil
}

// Info is what is known of a container at one moment.
type Info struct {
	ID     string
	Bundle string
	Rootfs string
	Status Status
	// Pid of init on the host; 0 if the container has stopped.
	Pid         int
	Created     time.Time // when create began
	Annotations map[string]string
}

// Info returns what is known of the container now.
func (c *Container) Info() (Info, error) {
	now, status, err := c.look()
	if err != nil {
		return Info{}, opError("state", c.ID(), err)
	}
	s := now.state
	info := Info{ID: s.ID, Bundle: s.Bundle, Rootfs: s.Rootfs, Status: status, Created: s.Created, Annotations: s.Annotations}
	if status != Stopped {
		info.Pid = s.Pid
	}
	return info, nil
}

// look returns the container as it is now, and its status.
func (c *Container) look() (*Container, Status, error) {
	if c.state.Complete {
		status, err := c.status()
		return c, status, err
	}
	// The process that creates it holds the lock, unless it has died or is done.
	l, err := state.LockDir(c.dir, 0)
	if errors.Is(err, state.ErrLocked) {
		return c, Creating, nil
	}
	if err != nil {
		return c, "", err
	}
	defer l.Unlock()
	now, err := c.current()
	switch {
	case err != nil:
		return c, "", err
	case !now.state.Complete:
		return now, Stopped, nil
	}
	status, err := now.status()
	return now, status, err
}

// Status returns the container's status at this moment.
func (c *Container) Status() (Status, error) {
	_, status, err := c.look()
	return status, opError("state", c.ID(), err)
}

// status derives the status from what is there: the process, its cgroup, and
// the socket by which it waits to be started.
func (c *Container) status() (Status, error) {
	ticks, alive, err := state.StartTimeOf(c.state.Pid)
	if err != nil {
		return "", opError("state", c.ID(), err)
	}
	if !alive || ticks != c.state.StartTime {
		return Stopped, nil
	}
	if frozen, err := c.frozen(); err != nil || frozen {
		return Paused, opError("state", c.ID(), err)
	}
	waits, err := c.hasControl()
	switch {
	case err != nil:
		return "", opError("state", c.ID(), err)
	case waits:
		return Created, nil
	}
	return Running, nil
}

// frozen reports whether the cgroup is frozen. The cgroup of another user's
// state may be any directory: it is not looked into.
func (c *Container) frozen() (bool, error) {
	if c.owner != nil {
		for _, dir := range c.state.Cgroups {
			if !onCgroupfs(dir) {
				return false, nil
			}
		}
	}
	frozen, err := cgroups.Frozen(c.cgroup())
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		return false, nil // a user who looks at a container of root's may not be allowed to
	}
	return frozen, err
}

func onCgroupfs(dir string) bool {
	var st unix.Statfs_t
	err := unix.Statfs(dir, &st)
	return err == nil && (st.Type == unix.CGROUP2_SUPER_MAGIC || st.Type == unix.CGROUP_SUPER_MAGIC)
}

// awaitsStart reports whether there is a stub that waits for start, if there is
// any process. Where that cannot be known a signal is sent as it is.
func (c *Container) awaitsStart() bool {
	waits, err := c.hasControl()
	return err == nil && waits
}

// hasControl reports whether there is the socket by which a stub is started.
func (c *Container) hasControl() (bool, error) {
	if c.attached.Load() {
		return true, nil
	}
	_, err := os.Lstat(filepath.Join(c.dir, state.ControlFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// current gives the container for the holder of its lock: what was loaded while
// it was being created is not what came of it.
func (c *Container) current() (*Container, error) {
	if c.state.Complete {
		return c, nil
	}
	s, err := state.Read(c.dir)
	if err != nil {
		return nil, err
	}
	return &Container{dir: c.dir, state: s, log: c.log, owner: c.owner}, nil
}

// statusLocked is Status for the holder of the lock: what is unfinished is
// dead, except perhaps for its process.
func (c *Container) statusLocked() (Status, error) {
	if c.state.Complete {
		return c.status()
	}
	if _, alive, err := state.StartTimeOf(c.state.Pid); err != nil || c.state.Pid == 0 || !alive {
		return Stopped, err
	}
	return Created, nil
}

func (c *Container) cgroup() cgroups.Manager { return c.state.Cgroup(c.log) }

// memory returns what was counted of memory in the container's cgroup. A unit's,
// which can go at any moment, is not asked: its files would be missing one by one.
func (c *Container) memory() (cgroups.MemoryStats, error) {
	if c.witness != nil {
		return c.witness.Seen(), nil
	}
	stats, err := c.cgroup().Stats()
	if err != nil {
		return cgroups.MemoryStats{}, err
	}
	return stats.Memory, nil
}

// outOfMemory says because of which limit the kernel has OOM-killed processes of
// the container; empty if it has not.
func (c *Container) outOfMemory() string {
	mem, err := c.memory()
	if err != nil || mem.OOMKills == 0 {
		return "" // the cgroup is gone, and nothing else knows
	}
	return monitor.Limit(mem)
}

// stateError says how a container's status forbids what was asked for; it is
// an ErrInvalidState.
type stateError string

func (e stateError) Error() string { return string(e) }

// Is makes it an ErrInvalidState.
func (e stateError) Is(target error) bool { return target == ErrInvalidState }
