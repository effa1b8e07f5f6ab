package libcontainer

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"sync"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/monitor"
	"github.com/berth-oci/berth/libcontainer/internal/setup"
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// Container is a container that exists.
type Container struct {
	dir   string
	state *state.State
	log   *slog.Logger
	// owner is ErrNotOwner if the container belongs to another user.
	owner error
	// config is nil in a loaded container until it is needed. mu guards it, as
	// several goroutines may execute processes.
	config *config.Config
	mu     sync.Mutex

	// filter is the compiled seccomp filter, if this process created the container.
	filter []byte

	// made is set in the handle that Create has returned; see child.
	made *child
	// exit waits for init in a process that did not create the container; nil until
	// Wait. mu guards it.
	exit *monitor.Exit
	// resctrl is a directory that is accepted as a resctrl file system; or "".
	resctrl string
}

// Load returns the container id below a state root. Log may be nil. The error is
// ErrNotExist or ErrInvalidID. Load also returns containers of other users; see CheckOwner.
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

// CheckOwner returns ErrNotOwner if the container belongs to another user, who may have
// forged the state. The caller may then only read its status and state.
func (c *Container) CheckOwner() error { return opError("load", c.ID(), c.owner) }

// ID returns the container's ID.
func (c *Container) ID() string { return c.state.ID }

// Pid returns init's process ID on the host. Init may have ended.
func (c *Container) Pid() int { return c.state.Pid }

// Pidfd opens a pidfd of init, which the caller closes; ErrNotRunning if init has
// ended.
func (c *Container) Pidfd() (*os.File, error) {
	pidfd, err := c.state.OpenProcess()
	return pidfd, opError("open pidfd of", c.ID(), err)
}

// Config returns the configuration that the container was created with. The caller must
// not change it.
func (c *Container) Config() (*config.Config, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.config == nil {
		cfg, err := state.ReadConfig(c.dir)
		if errors.Is(err, fs.ErrNotExist) {
			err = c.withoutConfig(err)
		}
		if err != nil {
			return nil, opError("load", c.ID(), err)
		}
		c.config = cfg
	}
	return c.config, nil
}

// withoutConfig replaces the error of a missing configuration: create writes it after the
// first state, and delete removes it before the state.
func (c *Container) withoutConfig(err error) error {
	switch s, e := state.Read(c.dir); {
	case errors.Is(e, ErrNotExist):
		return ErrNotExist
	case e == nil && !s.Complete:
		return stateError("cannot read the configuration of a creating container")
	}
	return fmt.Errorf("%w: a delete removes it, or was interrupted: %w (delete it again)", ErrNotRunning, err)
}

// Cgroups returns the directories of the container's cgroup by controller; "" stands
// for v2. It is empty for a container without a cgroup.
func (c *Container) Cgroups() (map[string]string, error) {
	now, _, err := c.look()
	return maps.Clone(now.state.Cgroups), opError("state", c.ID(), err)
}

func (c *Container) cgroup() cgroups.Manager { return c.state.Cgroup(c.log) }

// asSetup returns the container with a configuration for package setup.
func (c *Container) asSetup(cfg *config.Config) setup.Container {
	return setup.Container{ID: c.ID(), Dir: c.dir, Config: cfg, State: c.state, Filter: c.filter, Log: c.log, Resctrl: c.resctrl}
}

func (c *Container) warn(err error) {
	if c.log != nil {
		c.log.Warn(err.Error())
	}
}
