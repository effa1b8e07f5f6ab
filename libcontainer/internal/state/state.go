package state

import (
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/systemd"
	"github.com/berth-oci/berth/internal/intelrdt"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/cgroups/manager"
	"github.com/berth-oci/berth/libcontainer/config"
)

// Files in a container's directory below the state root.
const (
	stateFile   = "state.json"
	configFile  = "config.json" // the checked configuration
	ControlFile = "control"     // socket of a stub that waits for start
	RegionFile  = "region"      // memory shared with that stub
	NotifyDir   = "notify"      // directory that is mounted in the container
	FilterFile  = "filter"      // compiled seccomp filter, if any
)

// version is the version of the format of state.json. Readers accept it and the
// previous one.
const version = 1

// State is the content of state.json.
type State struct {
	Version int    `json:"version"`
	ID      string `json:"id"`
	Bundle  string `json:"bundle"`
	Rootfs  string `json:"rootfs"`
	// Created is when create began.
	Created time.Time `json:"created"`
	// Pid is init's process ID on the host; 0 before create starts it. With
	// StartTime (clock ticks after boot, proc_pid_stat(5)) it is unique.
	Pid       int    `json:"pid"`
	StartTime uint64 `json:"startTime"`
	// Cgroups are the container's cgroup directories by controller.
	Cgroups map[string]string `json:"cgroups"`
	// Resctrl are the container's groups in the resctrl file system, if any.
	Resctrl *intelrdt.Group `json:"resctrl,omitempty"`
	// SharedRoot is the container's root, if it has no mount namespace of its own.
	SharedRoot *SharedRoot `json:"sharedRoot,omitempty"`
	// Unit is the systemd unit of the cgroups, if systemd made them.
	Unit *systemd.Unit `json:"unit,omitempty"`
	Launch
	// Complete means that create has finished.
	Complete bool `json:"complete"`
	// OwnPids says that all processes end with the first: it is the first of
	// a pid namespace that was made for it.
	OwnPids bool `json:"ownPids"`
	// Poststop says that there are hooks to run when the container is gone.
	Poststop    bool              `json:"poststop,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Launch is the result of looking up the program, for its later execve.
type Launch struct {
	// Program is the path of process.args[0].
	Program string `json:"program,omitempty"`
	// Env has the entries of the program's environment that process.env lacks.
	Env []string `json:"env,omitempty"`
}

// New returns the state of a container that create has not yet made.
func New(id string, cfg *config.Config) *State {
	return &State{
		Version: version, ID: id, Created: time.Now().UTC(),
		Bundle: cfg.Bundle, Rootfs: cfg.Rootfs, Annotations: cfg.Annotations,
		OwnPids: cfg.Namespaces.New&unix.CLONE_NEWPID != 0, Poststop: cfg.Hooked(config.Poststop),
	}
}

// Write replaces the state file atomically: readers never see a part of it.
func (s *State) Write(dir string) error {
	if err := writeJSON(dir, stateFile, s, encodeState); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}

// Cgroup loads the manager of the container's cgroup. Log may be nil.
func (s *State) Cgroup(log *slog.Logger) cgroups.Manager {
	files := manager.Load(s.Cgroups, manager.LoadOptions{})
	if s.Unit != nil {
		return systemd.Load(*s.Unit, files, log)
	}
	return files
}
