package libcontainer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/cgroups/manager"
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

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

// Info describes a container at one moment.
type Info struct {
	ID     string
	Bundle string
	Rootfs string
	Status Status
	// Pid of init on the host; 0 if the container has stopped.
	Pid         int
	Created     time.Time // when create began
	Annotations map[string]string
}

// Info returns the container's status and properties at this moment.
func (c *Container) Info() (Info, error) {
	now, status, err := c.look()
	if err != nil {
		return Info{}, opError("state", c.ID(), err)
	}
	s := now.state
	info := Info{ID: s.ID, Bundle: s.Bundle, Rootfs: s.Rootfs, Status: status, Created: s.Created, Annotations: s.Annotations}
	if status != Stopped {
		info.Pid = s.Pid
	}
	return info, nil
}

// look returns the container with its present state, and its status.
func (c *Container) look() (*Container, Status, error) {
	if c.state.Complete {
		status, err := c.status()
		return c, status, err
	}
	// The creating process holds the lock until create ends.
	l, err := state.LockDir(c.dir, 0)
	if errors.Is(err, state.ErrLocked) {
		return c, Creating, nil
	}
	if err != nil {
		return c, "", err
	}
	defer l.Unlock()
	now, err := c.current()
	switch {
	case err != nil:
		return c, "", err
	case !now.state.Complete:
		return now, Stopped, nil
	}
	status, err := now.status()
	return now, status, err
}

// Status returns the container's status at this moment.
func (c *Container) Status() (Status, error) {
	_, status, err := c.look()
	return status, opError("state", c.ID(), err)
}

// status derives the status from init, its cgroup and the control socket.
func (c *Container) status() (Status, error) {
	ticks, alive, err := state.StartTimeOf(c.state.Pid)
	if err != nil {
		return "", opError("state", c.ID(), err)
	}
	if !alive || ticks != c.state.StartTime {
		return Stopped, nil
	}
	if frozen, err := c.frozen(); err != nil || frozen {
		return Paused, opError("state", c.ID(), err)
	}
	waits, err := c.hasControl()
	switch {
	case err != nil:
		return "", opError("state", c.ID(), err)
	case waits:
		return Created, nil
	}
	return Running, nil
}

// frozen reports whether the cgroup is frozen. Another user's state may name any
// directory as the cgroup: frozen reads it only on a cgroup file system.
func (c *Container) frozen() (bool, error) {
	if c.owner != nil {
		for _, dir := range c.state.Cgroups {
			if !onCgroupfs(dir) {
				return false, nil
			}
		}
	}
	cg := c.cgroup()
	// A manager that could not look at the directories has none to look for the state in.
	frozen, err := false, manager.Refusal(cg)
	switch {
	case errors.Is(err, unix.EXDEV): // the directories are not cgroups any more
		err = nil
	case err == nil:
		frozen, err = cgroups.Frozen(cg)
	}
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		return false, nil // an unprivileged user may read the state of root's container, but not its cgroup
	}
	return frozen, err
}

func onCgroupfs(dir string) bool {
	var st unix.Statfs_t
	err := unix.Statfs(dir, &st)
	return err == nil && (st.Type == unix.CGROUP2_SUPER_MAGIC || st.Type == unix.CGROUP_SUPER_MAGIC)
}

// hasControl reports whether the control socket exists, or this process drives the stub.
// If init runs, it then is a stub that waits for start.
func (c *Container) hasControl() (bool, error) {
	if ch := c.child(); ch != nil && ch.attached.Load() {
		return true, nil
	}
	_, err := os.Lstat(filepath.Join(c.dir, state.ControlFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// statusLocked is Status for the holder of the lock: the create of an incomplete
// container has died, but its stub may still run.
func (c *Container) statusLocked() (Status, error) {
	if c.state.Complete {
		return c.status()
	}
	if _, alive, err := state.StartTimeOf(c.state.Pid); err != nil || c.state.Pid == 0 || !alive {
		return Stopped, err
	}
	return Created, nil
}
