package libcontainer

import (
	"fmt"
	"slices"
	"time"
)

// stuckAgain is the time between two looks at processes that may be stuck: a
// process that ends on a busy host can sleep uninterruptibly for a moment.
const stuckAgain = 300 * time.Millisecond

// isStuck reports whether a process of the container stays in an
// uninterruptible sleep (proc_pid_stat(5), D): in a file system whose server does
// not answer, or frozen by a v1 cgroup above. One of them can keep init from
// ending, which waits for all processes of its pid namespace.
func (c *Container) isStuck() bool {
	first := c.uninterruptible()
	if len(first) == 0 {
		return false
	}
	time.Sleep(stuckAgain)
	for _, pid := range c.uninterruptible() {
		if slices.Contains(first, pid) {
			return true
		}
	}
	return false
}

// uninterruptible lists init and the processes of the cgroup that are in an
// uninterruptible sleep. Those that cannot be looked at are not known to be.
func (c *Container) uninterruptible() (list []int) {
	pids, err := c.cgroup().Processes()
	if err != nil {
		pids = nil
	}
	for _, pid := range append(pids, c.state.Pid) {
		if p, err := readProcess(pid); err == nil && p.state == 'D' && !slices.Contains(list, pid) {
			list = append(list, pid)
		}
	}
	return list
}

// warnStuck says what a forced delete leaves.
func (c *Container) warnStuck() {
	c.warn(fmt.Errorf("container %q is deleted, but processes %v, which were killed, are in a call that the kernel does not end "+
		"(a file system that does not answer?): they never run again; when they end, remove the cgroup %v", c.ID(), c.uninterruptible(), c.cgroup().Paths()))
}
