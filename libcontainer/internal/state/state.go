package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
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
	configFile  = "config.json" // what was checked of the bundle's
	ControlFile = "control"     // socket of a stub that waits for start
	RegionFile  = "region"      // memory shared with it
	NotifyDir   = "notify"      // what the container sees of it
	FilterFile  = "filter"      // of its system calls, if there is one
)

// files are all files there can be, in the order in which they are
// removed.
var files = [...]string{ControlFile, RegionFile, FilterFile, NotifyDir, "." + configFile, configFile, "." + stateFile, stateFile}

// version is of the format of state.json. Readers accept it and the one
// before.
const version = 1

// State is what is remembered of a container. Its status is not: that is
// derived each time.
type State struct {
	Version int    `json:"version"`
	ID      string `json:"id"`
	Bundle  string `json:"bundle"`
	Rootfs  string `json:"rootfs"`
	// Created is when create began.
	Created time.Time `json:"created"`
	// Pid of the container's first process on the host; 0 until it is
	// started. With StartTime (clock ticks after boot, proc_pid_stat(5)) it
	// is unique.
	Pid       int    `json:"pid"`
	StartTime uint64 `json:"startTime"`
	// Cgroups are the container's cgroup directories by controller.
	Cgroups map[string]string `json:"cgroups"`
	// Resctrl are the container's groups in the resctrl file system, if any.
	Resctrl *intelrdt.Group `json:"resctrl,omitempty"`
	// SharedRoot is the container's root, if it has no mount namespace of its own.
	SharedRoot *SharedRoot `json:"sharedRoot,omitempty"`
	// Unit of systemd's that they are of, if it has made them.
	Unit *systemd.Unit `json:"unit,omitempty"`
	Launch
	// Complete says that create has come to its end.
	Complete bool `json:"complete"`
	// OwnPids says that all processes end with the first: it is the first of
	// a pid namespace that was made for it.
	OwnPids bool `json:"ownPids"`
	// Poststop says that there are hooks to run when the container is gone.
	Poststop    bool              `json:"poststop,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Launch is what has been found out of a program before it is executed.
type Launch struct {
	// Program is the path that process.args[0] was found at.
	Program string `json:"program,omitempty"`
	// Env is what stands in the program's environment beside process.env.
	Env []string `json:"env,omitempty"`
}

// New returns what is known of a container before it is made.
func New(id string, cfg *config.Config) *State {
	return &State{
		Version: version, ID: id, Created: time.Now().UTC(),
		Bundle: cfg.Bundle, Rootfs: cfg.Rootfs, Annotations: cfg.Annotations,
		OwnPids: cfg.Namespaces.New&unix.CLONE_NEWPID != 0, Poststop: cfg.Hooked(config.Poststop),
	}
}

// Write writes the state into a container's directory, at once: nobody reads half
// of it.
func (s *State) Write(dir string) error {
	if err := writeJSON(dir, stateFile, s); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}

// Read reads the state of a container from its directory. Without one the
// container does not exist: ErrNotExist.
func Read(dir string) (*State, error) {
	b, err := readFile(dir, stateFile)
	return parse(dir, b, err)
}

// Look reads the state as Read does, of any user's container. Owner is ErrNotOwner
// if it is another user's, who may have forged the state.
func Look(dir string) (s *State, owner, err error) {
	f, err := openDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, ErrNotExist
	}
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	owner = CheckOwner(f)
	b, err := readIn(f, stateFile)
	s, err = parse(dir, b, err)
	if err != nil && owner != nil && !errors.Is(err, ErrNotExist) {
		err = owner // more telling than what that user has written
	}
	return s, owner, err
}

// Cgroup loads the manager of the container's cgroup. Log may be nil.
func (s *State) Cgroup(log *slog.Logger) cgroups.Manager {
	files := manager.Load(s.Cgroups, manager.LoadOptions{})
	if s.Unit != nil {
		return systemd.Load(*s.Unit, files, log)
	}
	return files
}

func parse(dir string, b []byte, err error) (*State, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	s := new(State)
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("read state %q: %w (the state is lost: end the processes of the container, and remove the directory)", filepath.Join(dir, stateFile), err)
	}
	if s.ID != filepath.Base(dir) {
		return nil, fmt.Errorf("read state %q: it is of container %q", filepath.Join(dir, stateFile), s.ID)
	}
	if s.Version < version-1 || s.Version > version {
		return nil, fmt.Errorf("read state %q: its version is %d, this berth reads %d: use the berth that created the container", filepath.Join(dir, stateFile), s.Version, version)
	}
	return s, nil
}

// Remove removes a container's directory, its state file last, so that
// what is left by a delete that was killed can still be deleted. It reports
// whether there was a state, which only one of several deletes is told. The
// container may have put more into the directory that it sees of it.
func Remove(dir string) (removed bool, err error) {
	for _, name := range files {
		path := filepath.Join(dir, name)
		if name == stateFile {
			err = unix.Unlink(path)
			removed = err == nil
			if errors.Is(err, unix.ENOENT) {
				err = nil
			}
		} else {
			err = os.RemoveAll(path)
		}
		if err != nil {
			return false, fmt.Errorf("remove state %q: %w", path, err)
		}
	}
	if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
		return removed, fmt.Errorf("remove state %q: %w", dir, err)
	}
	return removed, nil
}

// SharedRoot is the mount that such a container has as root. All of its other
// mounts are on it. It is in the state before it is attached.
type SharedRoot struct {
	// ID of the mount, and of the one that it is on. Mount IDs are used again, so
	// all else must be right, too.
	ID     string `json:"id"`
	Parent string `json:"parent"`
	// Point is where it is mounted, and Device its file system; empty until it is.
	Point  string `json:"point,omitempty"`
	Device string `json:"device,omitempty"`
	// NamespaceDevice and NamespaceInode are the mount namespace's.
	NamespaceDevice uint64 `json:"namespaceDevice"`
	NamespaceInode  uint64 `json:"namespaceInode"`
	// Path of the namespace, if it was joined by path.
	Path string `json:"path,omitempty"`
}
