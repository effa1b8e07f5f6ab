package intelrdt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
)

// Group names the groups of a container's processes. The state stores it for
// later FS calls.
type Group struct {
	// Root is the mount point of the file system.
	Root string `json:"root"`
	// Name is the CLOS group, a directory in Root; "" is the default group,
	// Root itself.
	Name string `json:"name"`
	// Own reports that the group belongs to the container alone: delete removes
	// it.
	Own bool `json:"own"`
	// Monitor is the monitoring group in the CLOS group, or "". Delete
	// removes it with the container.
	Monitor string `json:"monitor,omitempty"`

	made bool // Create made the CLOS group, whether Own is set or not
}

// Dir returns the directory of the CLOS group.
func (g *Group) Dir() string { return filepath.Join(g.Root, g.Name) }

// MonitorDir returns the directory of the monitoring group, or "".
func (g *Group) MonitorDir() string {
	if g.Monitor == "" {
		return ""
	}
	return filepath.Join(g.Dir(), "mon_groups", g.Monitor)
}

// Plan returns the groups for a container with this ID. It makes none, so that
// the state can store them before Create.
func (fs *FS) Plan(rdt *specs.LinuxIntelRdt, id string) (*Group, error) {
	g := &Group{Root: fs.root, Name: rdt.ClosID}
	switch rdt.ClosID {
	case "":
		g.Name = id
		if err := CheckName(id); err != nil {
			return nil, fmt.Errorf(`the container's ID, which names its group: %w (set "closID")`, err)
		}
		there, err := exists(g.Dir())
		if err != nil {
			return nil, err
		}
		g.Own = !there
	case "/":
		g.Name = ""
	}
	if rdt.EnableMonitoring {
		g.Monitor = id
	}
	return g, nil
}

func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Create makes the groups of a plan that must be made, and writes or compares
// the schemata (config-linux.md, IntelRdt). After an error, Undo removes the
// groups that were made. Errors name the field.
func (fs *FS) Create(g *Group, rdt *specs.LinuxIntelRdt) error {
	lock, err := fs.lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	name := g.Monitor
	g.Monitor = "" // an existing group of this name is not the container's: Undo must not remove it
	if err := fs.enter(g, rdt); err != nil || name == "" {
		return err
	}
	g.Monitor = name
	if err := fs.mkdir(g.MonitorDir(), 0o755); err != nil {
		g.Monitor = ""
		return config.FieldErrorf("linux.intelRdt.enableMonitoring", "make monitoring group %q: %w%s", name, fs.explain(err), remedyMonitor(err))
	}
	return nil
}

// enter makes the CLOS group, or checks an existing one.
func (fs *FS) enter(g *Group, rdt *specs.LinuxIntelRdt) error {
	there, err := exists(g.Dir())
	if err != nil {
		return err
	}
	lines := Lines(rdt)
	switch {
	case there && g.Own:
		g.Own = false
		return config.FieldErrorf("linux.intelRdt", "another process made group %q during create: %w", g.Name, unix.EEXIST)
	case there:
		return fs.compare(g, lines)
	case rdt.ClosID != "" && len(lines) == 0:
		return config.FieldErrorf("linux.intelRdt.closID", `group %q: %w (make it first, or set a schema: then it is made)`, g.Dir(), unix.ENOENT)
	}
	if err := fs.mkdir(g.Dir(), 0o755); err != nil {
		g.Own = false
		return config.FieldErrorf("linux.intelRdt", "make group %q: %w%s", g.Dir(), fs.explain(err), remedyGroup(err))
	}
	g.made = true
	return fs.Write(g, lines)
}

// remedyGroup returns the likely cause of a failed mkdir, in parentheses.
func remedyGroup(err error) string {
	if errors.Is(err, unix.ENOSPC) {
		return " (the CPU has no more classes of service: see info/*/num_closids; share a group by closID)"
	}
	return ""
}

func remedyMonitor(err error) string {
	switch {
	case errors.Is(err, unix.ENOSPC):
		return " (the CPU has no more monitoring IDs: see info/L3_MON/num_rmids)"
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EPERM):
		return " (the CPU or the kernel does not support monitoring: info/L3_MON does not exist)"
	case errors.Is(err, unix.EEXIST):
		return " (left over from a container with this ID? remove it with rmdir)"
	}
	return ""
}

// Add moves a single-threaded process into the groups. Its children start
// there.
func (fs *FS) Add(g *Group, pid int) error {
	for _, dir := range []string{g.Dir(), g.MonitorDir()} {
		if dir == "" {
			continue
		}
		if err := fs.write(filepath.Join(dir, "tasks"), strconv.Itoa(pid)); err != nil {
			return err
		}
	}
	return nil
}

// Remove removes the groups that the container owns. Missing groups are not an
// error.
func (fs *FS) Remove(g *Group) error {
	var err error
	if g.Monitor != "" {
		err = fs.remove(g.MonitorDir())
	}
	if g.Own {
		err = errors.Join(err, fs.remove(g.Dir()))
	}
	return err
}

func (fs *FS) remove(dir string) error {
	err := fs.rmdir(dir)
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove group %q: %w", dir, err)
	}
	return nil
}

// Undo removes everything that Create has made: the groups of Remove, and a
// CLOS group meant to outlive the container, unless it has tasks by now. The
// container's processes must have ended.
func (fs *FS) Undo(g *Group) error {
	if err := fs.Remove(g); err != nil || g.Own || !g.made {
		return err
	}
	lock, err := fs.lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	tasks, err := os.ReadFile(filepath.Join(g.Dir(), "tasks"))
	if err != nil || len(tasks) > 0 {
		return err
	}
	return fs.remove(g.Dir())
}
