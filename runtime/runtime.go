package ociruntime

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer"
)

// Options are what all verbs of a Runtime have in common.
type Options struct {
	// Root is the state root, the directory with one directory a container.
	// It is made when the first container is. Empty: DefaultRoot.
	Root string
	// Rootless tolerates that cgroups cannot be made.
	Rootless bool
	// Resctrl is where the resctrl file system is mounted. Empty: it is looked
	// for, when a configuration asks for one (linux.intelRdt).
	Resctrl string
	// SystemdCgroup has systemd make the cgroups of containers that are
	// created: each is a unit, of the user's own systemd if Rootless. Existing
	// containers remember what has made theirs.
	SystemdCgroup bool
	// Log gets warnings, and at debug level every step and system call. Nil
	// for none.
	Log *slog.Logger
}

// Runtime is a state root and how to work on it. It has no other state: any
// number of them, in any number of processes, may share a root.
type Runtime struct {
	root string
	opts Options
}

// DefaultRoot gives the state root of the user: /run/berth for root, else, and
// for root of a user namespace that a user has made, $XDG_RUNTIME_DIR/berth.
func DefaultRoot() (string, error) {
	dir, root := os.Getenv("XDG_RUNTIME_DIR"), os.Geteuid() == 0
	if root && (dir == "" || !probe.InUserNamespace() || firstIsNear()) {
		return "/run/berth", nil
	}
	if dir == "" {
		return "", errors.New("no state root: XDG_RUNTIME_DIR is not set; name a directory with --root")
	}
	return filepath.Join(dir, "berth"), nil
}

// New gives a Runtime. Nothing is touched yet.
func New(o Options) (*Runtime, error) {
	if o.Root == "" {
		root, err := DefaultRoot()
		if err != nil {
			return nil, err
		}
		o.Root = root
	}
	root, err := filepath.Abs(o.Root)
	if err != nil {
		return nil, fmt.Errorf("state root %q: %w", o.Root, err)
	}
	if root == "/" {
		return nil, errors.New("Option --root argument should not be set to /") //nolint:staticcheck // the text that users know from runc
	}
	return &Runtime{root: root, opts: o}, nil
}

// makeRoot makes the state root, for its owner alone. In one that is there
// nobody else may be able to exchange what is written to it.
func (r *Runtime) makeRoot() error {
	if err := os.MkdirAll(r.root, 0o700); err != nil { //nolint:forbidigo // the caller's own path, no container's
		return fmt.Errorf("make state root: %w", err)
	}
	info, err := os.Stat(r.root)
	if err != nil {
		return fmt.Errorf("make state root: %w", err)
	}
	owner := ownerOf(info)
	switch {
	case owner != 0 && int(owner) != os.Geteuid():
		return fmt.Errorf("state root %q belongs to user %d, and not to this one: name another one with --root", r.root, owner)
	case info.Mode()&(0o002|fs.ModeSticky) == 0o002:
		return fmt.Errorf("state root %q can be written to by everybody: chmod o-w, or name another one with --root", r.root)
	}
	return nil
}

// Load gives a container that exists; libcontainer.ErrNotExist if it does not,
// libcontainer.ErrNotOwner if it is another user's.
func (r *Runtime) Load(id string) (*Container, error) {
	c, err := r.look(id)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// look gives a container, with ErrNotOwner also another user's.
func (r *Runtime) look(id string) (*Container, error) {
	c, err := libcontainer.Load(r.root, id, r.opts.Log)
	if err != nil {
		return nil, err
	}
	return &Container{c: c}, c.CheckOwner()
}

// Entry is a container, or what could not be loaded of one.
type Entry struct {
	// ID is the name of the container's directory.
	ID string
	// UID owns it, if that could be found out.
	UID uint32
	// Container is nil if it could not be loaded.
	Container *Container
	// Err is why there is none or, with libcontainer.ErrNotOwner, why it must
	// not be used but for a look at its State.
	Err error
}

// List gives the containers of the root, by id. A root that does not exist is
// an error that is fs.ErrNotExist.
func (r *Runtime) List() ([]Entry, error) {
	dirs, err := os.ReadDir(r.root)
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	var list []Entry
	for _, d := range dirs {
		if !d.IsDir() {
			continue
		}
		e := Entry{ID: d.Name()}
		e.Container, e.Err = r.look(e.ID)
		if errors.Is(e.Err, libcontainer.ErrNotExist) {
			continue // being made, or removed, at this moment
		}
		info, err := d.Info()
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil: // a root that can be read but not searched
			e.Err = err
		default:
			e.UID = ownerOf(info)
		}
		list = append(list, e)
	}
	return list, nil
}
