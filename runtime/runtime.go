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

// Options apply to all operations of a Runtime.
type Options struct {
	// Root is the state root, which has one directory for each container. Create makes
	// it if necessary. The default is DefaultRoot.
	Root string
	// Rootless creates containers without a cgroup if cgroups cannot be made.
	Rootless bool
	// Resctrl is the mount point of the resctrl file system. If empty, Create looks for
	// it when linux.intelRdt is set.
	Resctrl string
	// SystemdCgroup makes systemd create the cgroups of new containers, each as a unit;
	// with Rootless the user's systemd. The state of existing containers records the
	// driver of their cgroup.
	SystemdCgroup bool
	// Log, if not nil, gets warnings and, at debug level, each step and system call.
	// Container.Warnings returns the warnings, too.
	Log *slog.Logger
}

// Runtime works on the containers of a state root. It has no state of its own: any
// number of Runtimes, in any number of processes, may share a root.
type Runtime struct {
	root string
	opts Options
}

// DefaultRoot returns the user's state root: /run/berth for root;
// $XDG_RUNTIME_DIR/berth for other users, and for root in a user namespace that a user
// has made.
func DefaultRoot() (string, error) {
	dir, root := os.Getenv("XDG_RUNTIME_DIR"), os.Geteuid() == 0
	if root && (dir == "" || !probe.InUserNamespace() || ownInit()) {
		return "/run/berth", nil
	}
	if dir == "" {
		return "", errors.New("no state root: XDG_RUNTIME_DIR is not set; name a directory with --root")
	}
	return filepath.Join(dir, "berth"), nil
}

// New returns a Runtime. It makes no change to the host.
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
		return nil, errors.New("Option --root argument should not be set to /") //nolint:staticcheck // the text of runc
	}
	return &Runtime{root: root, opts: o}, nil
}

// makeRoot makes the state root with mode 0700. It refuses an existing one in which
// another user could replace files.
func (r *Runtime) makeRoot() error {
	if err := os.MkdirAll(r.root, 0o700); err != nil { //nolint:forbidigo // a path of the caller, not of a container
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

// Load returns an existing container. The error is libcontainer.ErrNotExist if it does
// not exist, libcontainer.ErrNotOwner if it belongs to another user.
func (r *Runtime) Load(id string) (*Container, error) {
	c, err := r.look(id)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// look is like Load, but returns another user's container too, with ErrNotOwner.
func (r *Runtime) look(id string) (*Container, error) {
	warned := newWarnings(r.opts.Log)
	c, err := libcontainer.Load(r.root, id, slog.New(warned))
	if err != nil {
		return nil, err
	}
	c.UseResctrl(r.opts.Resctrl)
	return &Container{c: c, warned: warned.warningList}, c.CheckOwner()
}

// Entry is a container in a list, or the error of loading it.
type Entry struct {
	// ID is the name of the container's directory.
	ID string
	// UID is the owner of the directory, if known.
	UID uint32
	// Container is nil if it could not be loaded.
	Container *Container
	// Err is the error of loading the container. With libcontainer.ErrNotOwner,
	// Container is set, but only its State may be used.
	Err error
}

// List returns the containers of the root, sorted by ID. The error is fs.ErrNotExist if
// the root does not exist.
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
			continue // just being made or removed
		}
		info, err := d.Info()
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil: // the root can be read, but not searched
			e.Err = err
		default:
			e.UID = ownerOf(info)
		}
		list = append(list, e)
	}
	return list, nil
}
