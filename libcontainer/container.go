package libcontainer

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/systemd"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/cgroups/manager"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Container is a container that exists.
type Container struct {
	dir   string
	state *State
	log   *slog.Logger
	// owner is why the container is not the caller's, nil if it is.
	owner error
	// config is nil in a container that was loaded, until it is needed; mu
	// is for the loading, as several goroutines may execute processes.
	config *config.Config
	mu     sync.Mutex

	// filter is the seccomp filter, nil until it is made or needed.
	filter []byte

	// child is the first process, and end its end, when this process created
	// the container.
	child *stub.Child
	end   *ending
	// witness watches the cgroup of a unit until the child was waited for.
	witness *witness
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
	f, err := openStateDir(dir)
	if err == nil {
		defer f.Close()
		c := &Container{dir: dir, log: log, owner: checkOwner(f)}
		b, e := readFileIn(f, stateFile)
		if c.state, err = parseState(dir, b, e); err == nil {
			return c, nil
		}
		if c.owner != nil && !errors.Is(err, ErrNotExist) {
			err = c.owner // says more than what that user has written
		}
	} else if errors.Is(err, fs.ErrNotExist) {
		err = ErrNotExist
	}
	return nil, opError("load", id, "", err)
}

// CheckOwner returns ErrNotOwner if the container is another user's than the
// caller: that user may have forged the state. It can be looked at, but nothing
// else be done with it.
func (c *Container) CheckOwner() error { return opError("load", c.ID(), "", c.owner) }

// ID gives the container's id.
func (c *Container) ID() string { return c.state.ID }

// Pid gives the process id of the first process, as the host sees it.
func (c *Container) Pid() int { return c.state.Pid }

// Pidfd opens a pidfd of the first process, which is the caller's to close;
// ErrNotRunning if that has ended.
func (c *Container) Pidfd() (*os.File, error) {
	pidfd, err := c.state.openProcess()
	return pidfd, opError("open pidfd of", c.ID(), "", err)
}

// Config gives the configuration that the container was created with, which
// must not be changed.
func (c *Container) Config() (*config.Config, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.config == nil {
		cfg, err := readConfig(c.dir)
		if errors.Is(err, fs.ErrNotExist) {
			if _, e := readState(c.dir); errors.Is(e, ErrNotExist) {
				err = ErrNotExist // it has been deleted meanwhile
			}
		}
		if err != nil {
			return nil, opError("load", c.ID(), "", err)
		}
		c.config = cfg
	}
	return c.config, nil
}

// Look gives what is remembered of the container, and its status, both of this
// moment.
func (c *Container) Look() (State, Status, error) {
	if c.state.Complete {
		status, err := c.status()
		return *c.state, status, err
	}
	// Whoever creates it holds the lock, unless it has died or come to the end.
	l, err := lockDir(c.dir, 0)
	if errors.Is(err, errLocked) {
		return *c.state, Creating, nil
	}
	if err != nil {
		return *c.state, "", opError("state", c.ID(), "", err)
	}
	defer l.unlock()
	now, err := c.current()
	switch {
	case err != nil:
		return *c.state, "", opError("state", c.ID(), "", err)
	case !now.state.Complete:
		return *now.state, Stopped, nil
	}
	status, err := now.status()
	return *now.state, status, err
}

// Status tells the container's status at this moment.
func (c *Container) Status() (Status, error) {
	_, status, err := c.Look()
	return status, err
}

// status derives the status from what is there: the process, its cgroup, and
// the socket by which it waits to be started.
func (c *Container) status() (Status, error) {
	ticks, alive, err := startTime(c.state.Pid)
	if err != nil {
		return "", opError("state", c.ID(), "", err)
	}
	if !alive || ticks != c.state.StartTime {
		return Stopped, nil
	}
	if frozen, err := c.frozen(); err != nil || frozen {
		return Paused, opError("state", c.ID(), "", err)
	}
	waits, err := c.hasControl()
	switch {
	case err != nil:
		return "", opError("state", c.ID(), "", err)
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
	_, err := os.Lstat(filepath.Join(c.dir, controlFile))
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
	s, err := readState(c.dir)
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
	if _, alive, err := startTime(c.state.Pid); err != nil || c.state.Pid == 0 || !alive {
		return Stopped, err
	}
	return Created, nil
}

func (c *Container) cgroup() cgroups.Manager { return c.state.cgroup(c.log) }

// cgroup loads the manager of the container's cgroup.
func (s *State) cgroup(log *slog.Logger) cgroups.Manager {
	files := manager.Load(s.Cgroups, manager.LoadOptions{})
	if s.Unit != nil {
		return systemd.Load(*s.Unit, files, log)
	}
	return files
}

// stateError says how a container's status forbids what was asked for; it is
// an ErrInvalidState.
type stateError string

func (e stateError) Error() string { return string(e) }

// Is makes it an ErrInvalidState.
func (e stateError) Is(target error) bool { return target == ErrInvalidState }
