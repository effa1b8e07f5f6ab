package libcontainer

import (
	"maps"
	"strconv"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups/manager"
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// goneCgroup returns a removed directory of the container's cgroup; "" if all exist. An
// init that may write to the host's cgroups can leave its cgroup and remove it.
func (c *Container) goneCgroup() (string, error) {
	for _, dir := range c.state.Cgroups {
		if gone, err := cgroupfs.Gone(dir); gone || err != nil {
			return dir, err
		}
	}
	return "", nil
}

// presentCgroups returns the directories of the container's cgroup. It replaces removed
// ones with the directories that init is in now.
func (c *Container) presentCgroups() (map[string]string, error) {
	first, err := c.goneCgroup()
	if first == "" || err != nil {
		return c.state.Cgroups, err
	}
	now, err := manager.Of("", strconv.Itoa(c.state.Pid))
	if err != nil {
		return nil, err
	}
	dirs := maps.Clone(c.state.Cgroups)
	for controller, dir := range dirs {
		gone, err := cgroupfs.Gone(dir)
		if err != nil {
			return nil, err
		}
		switch dir, ok := now[controller]; {
		case gone && ok:
			dirs[controller] = dir
		case gone:
			delete(dirs, controller)
		}
	}
	return dirs, nil
}

// cgroupError reports that the container has ended, with its cgroup, or that the cgroup was
// removed, or else adds the remedy for unprivileged users. Only exec uses init's present
// cgroup instead, which can be the host's.
func (c *Container) cgroupError(err error) error {
	if err == nil {
		return nil
	}
	if dir, e := c.goneCgroup(); dir != "" && e == nil {
		if ticks, alive, e := state.StartTimeOf(c.state.Pid); e == nil && (!alive || ticks != c.state.StartTime) {
			return ErrNotRunning
		}
		return cgroupfs.Missing("the container's cgroup %q was removed, its init is in another one: see /proc/%d/cgroup", dir, c.state.Pid)
	}
	return state.ExplainCgroup(err)
}
