package libcontainer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/systemd"
	"github.com/berth-oci/berth/internal/intelrdt"
	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/config"
)

// Files in a container's directory below the state root.
const (
	stateFile   = "state.json"
	configFile  = "config.json" // what was checked of the bundle's
	controlFile = "control"     // socket of a stub that waits for start
	regionFile  = "region"      // memory shared with it
	notifyDir   = "notify"      // what the container sees of it
	filterFile  = "filter"      // of its system calls, if there is one
)

// stateFiles are all files there can be, in the order in which they are
// removed.
var stateFiles = [...]string{controlFile, regionFile, filterFile, notifyDir, "." + configFile, configFile, "." + stateFile, stateFile}

// stateVersion is of the format of state.json. Readers accept it and the one
// before.
const stateVersion = 1

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

// newState returns what is known of a container before it is made.
func newState(id string, cfg *config.Config) *State {
	return &State{
		Version: stateVersion, ID: id, Created: time.Now().UTC(),
		Bundle: cfg.Bundle, Rootfs: cfg.Rootfs, Annotations: cfg.Annotations,
		OwnPids: cfg.Namespaces.New&unix.CLONE_NEWPID != 0, Poststop: cfg.Hooked(config.Poststop),
	}
}

// stillThere returns ErrNotExist if a forced delete has removed the container
// without waiting for the lock.
func (l *lock) stillThere(dir string) error { return isAt(l.dir, dir) }

// write puts the state into dir, which is never seen with half of it.
func (s *State) write(dir string) error {
	if err := writeJSON(dir, stateFile, s); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}

func writeJSON(dir, name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	tmp := filepath.Join(dir, "."+name)
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, name))
}

// readConfig reads the configuration that a container was created with. It is
// a file of its own because reading it takes longer than all the rest of a
// command like state, which does not need it.
func readConfig(dir string) (*config.Config, error) {
	b, err := readStateFile(dir, configFile)
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	cfg := new(config.Config)
	if err := json.Unmarshal(b, cfg); err != nil {
		return nil, fmt.Errorf("read state %q: %w", filepath.Join(dir, configFile), err)
	}
	return cfg, nil
}

// readState reads what write wrote. A container without it does not exist.
func readState(dir string) (*State, error) {
	b, err := readStateFile(dir, stateFile)
	return parseState(dir, b, err)
}

func parseState(dir string, b []byte, err error) (*State, error) {
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
	if s.Version < stateVersion-1 || s.Version > stateVersion {
		return nil, fmt.Errorf("read state %q: its version is %d, this berth reads %d: use the berth that created the container", filepath.Join(dir, stateFile), s.Version, stateVersion)
	}
	return s, nil
}

// maxStateFile is the largest state file that is read. A config.json of this
// size is refused by the stub's region long before.
const maxStateFile = 64 << 20

// openStateDir opens a container's directory; fs.ErrNotExist if there is none.
func openStateDir(dir string) (*os.File, error) {
	return os.OpenFile(dir, unix.O_DIRECTORY|unix.O_NOFOLLOW, 0) // not a FIFO, which would block
}

func readStateFile(dir, name string) ([]byte, error) {
	f, err := openStateDir(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readFileIn(f, name)
}

// readFileIn reads a file of a container's directory. The directory may be
// another user's: the file can be a FIFO, which would block, a symlink, or
// endless.
func readFileIn(dir *os.File, name string) ([]byte, error) {
	path := filepath.Join(dir.Name(), name)
	fd, err := unix.Openat(int(dir.Fd()), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%q is not a regular file", path)
	case info.Size() > maxStateFile:
		return nil, fmt.Errorf("%q has %d bytes, more than %d", path, info.Size(), maxStateFile)
	}
	return io.ReadAll(io.LimitReader(f, maxStateFile))
}

// lock is held by whoever changes a container.
type lock struct {
	dir  *os.File
	once sync.Once
}

// errLocked means that someone else holds the lock.
var errLocked = errors.New("another command is working on the container: try again")

// checkOwner refuses a container's directory that is another user's: the state
// names cgroups to kill and hooks to run.
func checkOwner(f *os.File) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return &fs.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	if int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%w, %d: %q is not trusted (run berth as that user)", ErrNotOwner, st.Uid, f.Name())
	}
	return nil
}

// lockDir locks a container's directory. With wait 0 it does not wait.
func lockDir(dir string, wait time.Duration) (*lock, error) {
	f, err := openStateDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("lock state: %w", err)
	}
	if err = checkOwner(f); err == nil {
		err = flock(f, wait)
	}
	if err == nil {
		err = isAt(f, dir)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &lock{dir: f}, nil
}

// flock takes the lock on f.
func flock(f *os.File, wait time.Duration) error {
	err := sys.Flock(f, wait)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errLocked
	}
	if err != nil {
		return fmt.Errorf("lock state: %w", err)
	}
	return nil
}

// isAt returns ErrNotExist if the directory f is not at path any more: the
// container was deleted meanwhile.
func isAt(f *os.File, path string) error {
	own, err := f.Stat()
	if err != nil {
		return fmt.Errorf("lock state: %w", err)
	}
	there, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ErrNotExist
	case err != nil:
		return fmt.Errorf("lock state: %w", err)
	case !os.SameFile(own, there):
		return ErrNotExist
	}
	return nil
}

// unlock gives the lock back; it may be called again. To close the file is not
// enough: a process that another goroutine is just starting has a copy of it,
// until it executes.
func (l *lock) unlock() {
	if l == nil { // see lockToDelete
		return
	}
	l.once.Do(func() {
		unix.Flock(int(l.dir.Fd()), unix.LOCK_UN) //nolint:errcheck // closing does it, a moment later
		l.dir.Close()
	})
}
