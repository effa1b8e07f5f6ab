package intelrdt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
)

// Group says where the processes of a container are. It can be saved, and
// keeps its meaning for FS methods later on.
type Group struct {
	// Root is where the file system is mounted.
	Root string `json:"root"`
	// Name is that of the group for allocation, a directory in Root; empty for
	// the default one, which is Root itself.
	Name string `json:"name"`
	// Own says that the group is the container's alone: it goes with it.
	Own bool `json:"own"`
	// Monitor is the name of the group for monitoring, in that group; empty
	// for none. It goes with the container.
	Monitor string `json:"monitor,omitempty"`

	made bool // the group was made, whosever it is
}

// Dir is the directory of the group for allocation.
func (g *Group) Dir() string { return filepath.Join(g.Root, g.Name) }

// MonitorDir is that of the group for monitoring, "" if there is none.
func (g *Group) MonitorDir() string {
	if g.Monitor == "" {
		return ""
	}
	return filepath.Join(g.Dir(), "mon_groups", g.Monitor)
}

// reserved are the names that the root directory has for other things.
var reserved = []string{"info", "mon_data", "mon_groups"}

// CheckName refuses what cannot be the name of a group, or would lead out of
// the file system.
func CheckName(name string) error {
	switch {
	case name == "" || name == "." || name == ".." || len(name) > unix.NAME_MAX || strings.ContainsAny(name, "/\n\x00"):
		return fmt.Errorf(`%s: not the name of a directory in the resctrl file system ("/" alone is the default group)`, config.Quote(name))
	case slices.Contains(reserved, name):
		return fmt.Errorf("%q: the resctrl file system has something else of this name", name)
	}
	return nil
}

// Plan says which groups a container with this id gets, without making any,
// so that they can be remembered before.
func (fs *FS) Plan(rdt *specs.LinuxIntelRdt, id string) (*Group, error) {
	g := &Group{Root: fs.root, Name: rdt.ClosID}
	switch rdt.ClosID {
	case "":
		g.Name = id
		if err := CheckName(id); err != nil {
			return nil, fmt.Errorf(`the container's id is to name its group: %w (set "closID")`, err)
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

// Create makes the groups of a plan, as far as they are to be made, and writes
// or compares the schemata (config-linux.md, IntelRdt). What a failure leaves,
// Undo removes. Errors name the field.
func (fs *FS) Create(g *Group, rdt *specs.LinuxIntelRdt) error {
	lock, err := fs.lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	name := g.Monitor
	g.Monitor = "" // there may be one that is not ours
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

// enter finds or makes the group for allocation.
func (fs *FS) enter(g *Group, rdt *specs.LinuxIntelRdt) error {
	there, err := exists(g.Dir())
	if err != nil {
		return err
	}
	lines := Lines(rdt)
	switch {
	case there && g.Own:
		g.Own = false
		return config.FieldErrorf("linux.intelRdt", "group %q has come into being meanwhile: %w", g.Name, unix.EEXIST)
	case there:
		return fs.compare(g, lines)
	case rdt.ClosID != "" && len(lines) == 0:
		return config.FieldErrorf("linux.intelRdt.closID", `there is no group %q: %w (make it before, or give a schema, with which it is made)`, g.Dir(), unix.ENOENT)
	}
	if err := fs.mkdir(g.Dir(), 0o755); err != nil {
		g.Own = false
		return config.FieldErrorf("linux.intelRdt", "make group %q: %w%s", g.Dir(), fs.explain(err), remedyGroup(err))
	}
	g.made = true
	return fs.Write(g, lines)
}

// remedyGroup says what it means that the kernel makes no group.
func remedyGroup(err error) string {
	if errors.Is(err, unix.ENOSPC) {
		return " (the CPU has no more classes of service: see info/*/num_closids; share a group by closID)"
	}
	return ""
}

func remedyMonitor(err error) string {
	switch {
	case errors.Is(err, unix.ENOSPC):
		return " (the CPU has no more numbers for groups: see info/L3_MON/num_rmids)"
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EPERM):
		return " (the CPU, or the kernel, cannot monitor: there is no info/L3_MON)"
	case errors.Is(err, unix.EEXIST):
		return " (left by a container of this id? remove it with rmdir)"
	}
	return ""
}

// Add moves a process, which has one thread, into the groups; its children
// will be there too.
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

// Remove removes the groups that are the container's alone; those that are
// gone already are no error.
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

// Undo removes what Create has made: beside what Remove does, a group that is
// to outlive the container, unless others are in it by now. To be called when
// the container's process has ended.
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
