package libcontainer

import (
	"fmt"
	"slices"
	"time"

	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// hungAgain is the time between two checks whether a process hangs: on a busy host an
// exiting process can sleep uninterruptibly for a moment.
const hungAgain = 300 * time.Millisecond

// hangs reports whether the killed init will not end soon. A process of
// the container stays in an uninterruptible sleep (proc_pid_stat(5), D), in a file
// system whose server does not answer, or frozen by a v1 cgroup above. Or
// init waits in exit until the zombies of its pid namespace are reaped
// (pid_namespaces(7)) by a parent outside that does not: PID 1 of a nested
// container may be sleep(1).
func (c *Container) hangs() bool {
	sleeping, reaping := c.uninterruptible(), c.awaitsReaping()
	if len(sleeping) == 0 && !reaping {
		return false
	}
	time.Sleep(hungAgain)
	for _, pid := range c.uninterruptible() {
		if slices.Contains(sleeping, pid) {
			return true
		}
	}
	return reaping && c.awaitsReaping()
}

// awaitsReaping reports whether init is exiting and no other process of the cgroup is
// alive. Without a cgroup others are not visible: an exiting init has killed them.
func (c *Container) awaitsReaping() bool {
	init, err := state.ReadProcess(c.state.Pid)
	asleep := init.State == 'S' || init.State == 'I' // Linux 6.12 shows it as idle
	if err != nil || !init.Exiting || !asleep {
		return false
	}
	pids, err := c.cgroup().Processes()
	for _, pid := range pids {
		p, e := state.ReadProcess(pid)
		if pid != c.state.Pid && (e != nil || p.State != 'Z' && p.State != 'X') {
			return false
		}
	}
	return err == nil || noCgroup(err)
}

// uninterruptible returns those of init and the cgroup's processes that are in an
// uninterruptible sleep. It skips processes whose state it cannot read.
func (c *Container) uninterruptible() (list []int) {
	pids, err := c.cgroup().Processes()
	if err != nil {
		pids = nil
	}
	for _, pid := range append(pids, c.state.Pid) {
		if p, err := state.ReadProcess(pid); err == nil && p.State == 'D' && !slices.Contains(list, pid) {
			list = append(list, pid)
		}
	}
	return list
}

// warnHung logs the processes and the cgroup that a forced delete leaves.
func (c *Container) warnHung() {
	c.warn(fmt.Errorf("container %q is deleted, but processes %v, which were killed, are in a call that the kernel does not end "+
		"(a file system that does not answer?): they never run again; when they end, remove the cgroup %v", c.ID(), c.uninterruptible(), c.cgroup().Paths()))
}
