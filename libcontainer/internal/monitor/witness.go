package monitor

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/internal/cgroups/fs2"
	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// Witness counts OOM kills in the cgroup of a systemd scope. systemd removes that cgroup
// with its last process, and the kernel notifies of changes at most once in 10 ms. So
// Witness watches the slice above, which counts the same events and remains.
type Witness struct {
	cgroup cgroups.Manager
	slice  *cgroups.OOMWatch
	stop   context.CancelFunc
	ended  sync.WaitGroup
	once   sync.Once

	mu     sync.Mutex
	memory cgroups.MemoryStats // last statistics of the cgroup
}

// NewWitness starts to watch the v2 cgroup of m. It returns nil if the slice above has
// no memory controller.
func NewWitness(m cgroups.Manager) (*Witness, error) {
	slice, err := cgroups.WatchOOM(fs2.New(filepath.Dir(m.Paths()[""]), fs2.Options{}))
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	w := &Witness{cgroup: m, slice: slice, stop: stop}
	if stats, err := m.Stats(); err == nil { // fails if the cgroup was removed
		w.memory = stats.Memory
	}
	w.ended.Go(func() {
		for w.wait(ctx) {
			w.look()
		}
	})
	return w, nil
}

// wait waits until an OOM kill is possible; it returns false when ctx ends.
func (w *Witness) wait(ctx context.Context) bool {
	ready, err := sys.AwaitAny(ctx, time.Time{}, w.slice.PollFd())
	return ready && err == nil
}

// look updates the statistics. An OOM kill in the slice is the container's if its cgroup
// counts it, or was removed since.
func (w *Witness) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if killed, err := w.slice.Happened(); !killed || err != nil {
		return // also if the slice was removed or the watch closed
	}
	stats, err := w.cgroup.Stats()
	switch exists, e := cgroupfs.Exists(w.cgroup.Paths()[""], "memory.events"); {
	case exists && err == nil:
		w.memory = stats.Memory
	case !exists && e == nil:
		w.memory.OOMKills++
	}
}

// Seen returns the statistics up to now.
func (w *Witness) Seen() cgroups.MemoryStats {
	w.look()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.memory
}

// Close ends the watch. It may be called again, and on nil.
func (w *Witness) Close() {
	if w == nil {
		return
	}
	w.once.Do(func() {
		w.stop()
		w.ended.Wait()
		w.look()
		w.mu.Lock() // Seen may run concurrently
		defer w.mu.Unlock()
		w.slice.Close() //nolint:errcheck // it was only read
	})
}
