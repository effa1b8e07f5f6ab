package setup

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// run is one walk down the step table. Steps see the job and the values; the
// rest belongs to the walk.
type run struct {
	*job
	values

	// table is the step table: a field, as a function that names it in a step
	// would be an initialization cycle.
	table []step
	// step is the one that is being taken.
	step string
	// pending wait for the tasks that steps have begun.
	pending []func() error
	// noted is the unfinished state that is on disk, and noting its last writing.
	noted  state.State
	noting *task[struct{}]
	// leftovers says that what was made is for delete to remove.
	leftovers bool
	// closers release what only the walk needs.
	closers []func()
	// sealed says that a seccomp filter is queued: what is sent next is the
	// last that the stub performs.
	sealed bool
}

// walk takes the steps of the job. When one fails, those taken before are
// undone, last first.
func (r *run) walk() error {
	i, err := r.descend()
	if err == nil {
		return nil
	}
	if cause := context.Cause(r.ctx); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return r.undo(i, r.blameMemory(r.stepError(r.table[i].name, err)))
}

// stepError says which step has failed. Those of a hook, on its way into the
// container, are part of the step that runs it.
func (r *run) stepError(step string, err error) error {
	if r.hook == nil {
		return stepError(step, err)
	}
	var known *hookStepError
	if errors.As(err, &known) {
		return err
	}
	return &hookStepError{stepOf(err, step), err}
}

// descend takes the steps of the job. When one fails, it returns which.
func (r *run) descend() (int, error) {
	for i := range r.table {
		s := &r.table[i]
		if !s.taken(r.job) {
			continue
		}
		if err := r.take(s); err != nil {
			return i, err
		}
	}
	return 0, nil
}

// take takes one step. The calls that steps of the stub queue are sent before
// the next step of the host.
func (r *run) take(s *step) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if s.side == host && !r.sealed {
		if err := r.flush(); err != nil {
			return err
		}
	}
	if r.log != nil {
		r.log.Debug("step", "name", s.name, "side", string(s.side))
	}
	r.step = s.name
	if r.stub != nil {
		r.stub.Step(s.name)
	}
	return s.do(r)
}

// flush sends what is queued.
func (r *run) flush() error {
	if r.stub == nil {
		return nil
	}
	return r.stub.Do()
}

// note begins to write a change of the unfinished state, for a delete that finds
// this create killed.
func (r *run) note(change func(*state.State)) {
	change(&r.noted)
	now, before := r.noted, r.noting
	r.noting = begin(r, func() (struct{}, error) {
		if before != nil {
			before.wait() //nolint:errcheck // its own waiter reports it
		}
		if err := r.lock.StillThere(r.dir); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, now.Write(r.dir)
	})
}

// settle waits for all tasks that steps have begun, and adds their errors to err.
func (r *run) settle(err error) error {
	for _, wait := range r.pending {
		if e := wait(); e != nil && !errors.Is(err, e) {
			err = AlsoFailed(err, e)
		}
	}
	return err
}

// undo reverses the steps up to i. What cannot be undone is added to err.
func (r *run) undo(i int, err error) error {
	err = r.settle(err)
	if r.lock != nil && errors.Is(r.lock.StillThere(r.dir), state.ErrNotExist) {
		r.leftovers = true // a forced delete has removed them, and somebody may have the id again
	}
	for ; i >= 0; i-- {
		s := &r.table[i]
		if s.undo == nil || !s.taken(r.job) {
			continue
		}
		if e := s.undo(r); e != nil {
			err = AlsoFailed(err, fmt.Errorf("undo %s: %w", s.name, e))
		}
	}
	return err
}

// atEnd has something released when the walk has ended.
func (r *run) atEnd(closer func()) { r.closers = append(r.closers, closer) }

// leave remembers that an undo has failed: the state stays then, so that delete
// finds what is left, and so does what can only be removed later.
func (r *run) leave(err error) error {
	if err == nil {
		return nil
	}
	r.leftovers = true
	return fmt.Errorf("%w (delete --force removes what is left)", err)
}

// release releases what only the walk needs, last first.
func (r *run) release() {
	for _, closer := range slices.Backward(r.closers) {
		closer()
	}
	r.closers = nil
}
