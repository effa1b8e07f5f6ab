package libcontainer

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/monitor"
	"github.com/berth-oci/berth/libcontainer/internal/setup"
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

func (c *Container) cgroup() cgroups.Manager { return c.state.Cgroup(c.log) }

// asSetup returns the container as package setup takes it, with a configuration.
func (c *Container) asSetup(cfg *config.Config) setup.Container {
	return setup.Container{ID: c.ID(), Dir: c.dir, Config: cfg, State: c.state, Filter: c.filter, Log: c.log}
}

func (c *Container) warn(err error) {
	if c.log != nil {
		c.log.Warn(err.Error())
	}
}
