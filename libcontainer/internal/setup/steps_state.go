package setup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// reserveState makes the container's directory, which claims the ID atomically,
// and locks it.
func reserveState(r *run) error {
	err := os.Mkdir(r.dir, 0o711)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w (delete it first, or choose another ID)", state.ErrExist)
	}
	if err != nil {
		return err
	}
	r.lock, err = state.LockDir(r.dir, 0)
	if err != nil && !errors.Is(err, state.ErrLocked) && !errors.Is(err, state.ErrNotExist) {
		return errors.Join(err, os.Remove(r.dir)) // without the lock undo leaves the directory
	}
	if err != nil {
		return err
	}
	r.atEnd(r.lock.Unlock)
	r.state = state.New(r.id, r.cfg)
	r.noted = *r.state
	return nil
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
	if err := r.lock.StillThere(r.dir); err != nil {
		return err
	}
	if _, err := r.saved.wait(); err != nil {
		return err
	}
	if _, err := r.noting.wait(); err != nil {
		return err
	}
	r.state.Launch, r.state.Complete = r.launch, true
	return r.state.Write(r.dir)
}
