// Package children reaps the orphans of containers that share the host's pid namespace.
// The kernel makes them children of the shim, which is their subreaper.
//
// Package runtime and os/exec wait for the children that they make, and must find them
// unreaped. So an orphan is reaped only while no operation is in progress that may have
// children of its own; then every child that has no owner is an orphan.
package children

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Children knows which children of this process have an owner that waits for them.
type Children struct {
	// busy is read-locked by operations that may have children without an owner.
	busy sync.RWMutex
	// again is set when Reap has left orphans for later.
	again atomic.Bool

	mu    sync.Mutex
	owned map[int]struct{}
}

// New returns Children without any.
func New() *Children {
	return &Children{owned: make(map[int]struct{})}
}

// Begin begins an operation that may make children. Those that remain after it must be
// owned before end is called.
func (c *Children) Begin() (end func()) {
	c.busy.RLock()
	return func() {
		c.busy.RUnlock()
		c.resume()
	}
}

// Own declares that the caller waits for a child. Call it between Begin and end.
func (c *Children) Own(pid int) {
	c.mu.Lock()
	c.owned[pid] = struct{}{}
	c.mu.Unlock()
}

// Disown is called when the owner has reaped the child.
func (c *Children) Disown(pid int) {
	c.mu.Lock()
	delete(c.owned, pid)
	c.mu.Unlock()
	c.resume()
}

func (c *Children) resume() {
	if c.again.Load() {
		c.Reap()
	}
}

// Watch reaps orphans until ctx ends.
func (c *Children) Watch(ctx context.Context) {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)
	defer signal.Stop(ended)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ended:
			c.Reap()
		}
	}
}

// Reap reaps the orphans that have ended. It leaves them to the end of the operations in
// progress, and to the Disown of an ended child that is listed before them.
func (c *Children) Reap() {
	c.again.Store(true)
	if !c.busy.TryLock() {
		return
	}
	defer c.busy.Unlock()
	for {
		pid := endedChild()
		if pid > 0 && c.isOwned(pid) {
			return
		}
		if pid > 0 {
			// Only this function reaps orphans, one at a time: the pid is still the
			// same process.
			_, err := unix.Wait4(pid, nil, unix.WNOHANG, nil) //nolint:forbidigo // one pid; the shim adopts orphans by being their subreaper
			if err == nil {
				continue
			}
		}
		c.again.Store(false)
		return
	}
}

func (c *Children) isOwned(pid int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.owned[pid]
	return ok
}
