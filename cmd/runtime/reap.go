package main

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// becomeSubreaper makes this process the parent of orphans. They come from containers
// without a pid namespace.
func becomeSubreaper() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become subreaper: prctl: %w (--no-subreaper does without)", err)
	}
	return nil
}

// reaper reaps orphans. Children of this process (the container's init, hooks) are
// reaped where they were started.
type reaper struct {
	init int

	mu      sync.Mutex
	stopped bool
}

// reap reaps all orphans that have ended, each by its own process ID.
func (r *reaper) reap() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.stopped {
		zombie, err := sys.Zombie()
		if err != nil {
			return fmt.Errorf("look for orphans: %w", err)
		}
		if zombie.Pid == 0 || zombie.Pid == r.init {
			return nil
		}
		pidfd, err := unix.PidfdOpen(zombie.Pid, 0)
		if err != nil {
			return fmt.Errorf("pidfd_open %d: %w", zombie.Pid, err)
		}
		_, err = sys.Reap(pidfd)
		unix.Close(pidfd)
		if err != nil {
			return fmt.Errorf("reap orphan %d: %w", zombie.Pid, err)
		}
	}
	return nil
}

// stop ends the reaping: poststop hooks follow, which are children of this process.
func (r *reaper) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
}
