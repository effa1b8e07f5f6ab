package setup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// claimLock is how long create waits for a command that has locked the new directory
// first: "state" and "list" do so for microseconds, to see whether a create is running.
const claimLock = time.Second

// claims is how often create makes its directory: "delete --force" removes one that has
// no state and is not locked yet.
const claims = 10

// reserveState makes the container's directory, which claims the ID atomically,
// and locks it.
func reserveState(r *run) error {
	err := state.ErrNotExist
	for n := 0; n < claims && errors.Is(err, state.ErrNotExist); n++ {
		r.lock, err = claim(r.dir)
	}
	if err != nil {
		return err
	}
	r.atEnd(r.lock.Unlock)
	r.state = state.New(r.id, r.cfg)
	r.noted = *r.state
	return nil
}

// claim makes and locks a directory; ErrNotExist if it was removed in between.
func claim(dir string) (*state.Lock, error) {
	err := os.Mkdir(dir, 0o711)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w (delete it first, or choose another ID)", state.ErrExist)
	}
	if err != nil {
		return nil, err
	}
	l, err := state.LockDir(dir, claimLock)
	if err != nil && !errors.Is(err, state.ErrLocked) && !errors.Is(err, state.ErrNotExist) {
		return nil, errors.Join(err, os.Remove(dir)) // without the lock undo leaves the directory
	}
	return l, err
}

// undoState removes the directory if this create made it.
func undoState(r *run) error {
	if r.lock == nil {
		return nil
	}
	if r.leftovers {
		return nil // delete reads from the state what remains
	}
	removed, err := state.Remove(r.dir)
	if err != nil {
		return err
	}
	if r.child != nil && removed { // poststop hooks run only if init existed
		RunPoststop(context.WithoutCancel(r.ctx), r.hookState(specs.StateStopped, 0), r.cfg, r.log)
	}
	return nil
}

// notePid records the stub's process ID, so that "delete --force" can kill the stub of
// a create that hangs.
func (r *run) notePid(pid int) error {
	ticks, alive, err := state.StartTimeOf(pid)
	if err == nil && !alive {
		err = stub.ErrGone
	}
	if err == nil {
		r.note(func(s *state.State) { s.Pid, s.StartTime = pid, ticks })
	}
	return err
}

// recordProcess records the process that becomes the program: the stub, or its child
// if it has forked.
func recordProcess(r *run) error {
	if r.noted.Pid != r.child.Pid {
		if err := r.notePid(r.child.Pid); err != nil {
			return err
		}
	}
	r.state.Pid, r.state.StartTime = r.noted.Pid, r.noted.StartTime
	return nil
}

func saveState(r *run) error {
	r.state.Launch = r.launch
	return saveRestored(r)
}

// saveRestored writes the complete state; the processes of a restored container are no
// stub's, so it has no Launch.
func saveRestored(r *run) error {
	if err := r.lock.StillThere(r.dir); err != nil {
		return err
	}
	if _, err := r.saved.wait(); err != nil {
		return err
	}
	if _, err := r.noting.wait(); err != nil {
		return err
	}
	r.state.Complete = true
	return r.state.Write(r.dir)
}
