package monitor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/internal/cgroups/fs2"
	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// Witness remembers that memory has run out in a cgroup that cannot be asked
// afterwards: systemd removes that of a scope with its last process, and the
// kernel tells of changes no more than once in 10 ms. So it is the slice above
// that is watched, which has counted the same and stays.
type Witness struct {
	cgroup cgroups.Manager
	slice  *cgroups.OOMWatch
	stop   context.CancelFunc
	ended  sync.WaitGroup
	once   sync.Once

	mu     sync.Mutex
	memory cgroups.MemoryStats // of the cgroup, as seen last
}

// NewWitness begins to watch for the v2 cgroup of m; nil where there is no
// counting above it.
func NewWitness(m cgroups.Manager) (*Witness, error) {
	slice, err := cgroups.WatchOOM(fs2.New(filepath.Dir(m.Paths()[""]), fs2.Options{}))
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	done, release, err := sys.DoneFile(ctx)
	if err != nil {
		stop()
		return nil, errors.Join(err, slice.Close())
	}
	w := &Witness{cgroup: m, slice: slice, stop: stop}
	if stats, err := m.Stats(); err == nil { // or it has gone already
		w.memory = stats.Memory
	}
	w.ended.Go(func() {
		defer release()
		for w.wait(done) {
			w.look()
		}
	})
	return w, nil
}

// wait waits until something may have happened; false when done can be read.
func (w *Witness) wait(done *os.File) bool {
	fds := []unix.PollFd{w.slice.PollFd(), sys.PollFd(done, unix.POLLIN)}
	_, err := unix.Poll(fds, -1)
	return (err == nil || errors.Is(err, unix.EINTR)) && fds[1].Revents == 0
}

// look sees what has happened. A process that was killed since the last look is
// the container's if its cgroup says so, or has gone since.
func (w *Witness) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if killed, err := w.slice.Happened(); !killed || err != nil {
		return // as when the slice has gone, or the watch has ended
	}
	stats, err := w.cgroup.Stats()
	switch there, e := cgroupfs.Exists(w.cgroup.Paths()[""], "memory.events"); {
	case there && err == nil:
		w.memory = stats.Memory
	case !there && e == nil:
		w.memory.OOMKills++
	}
}

// Seen returns what was counted up to now.
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
		w.mu.Lock() // somebody may be asking
		defer w.mu.Unlock()
		w.slice.Close() //nolint:errcheck // it was only read
	})
}
