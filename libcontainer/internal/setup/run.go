package setup

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// run performs one job: it takes the job's steps in the order of the table. Steps
// use the job and the values; the other fields belong to run itself.
type run struct {
	*job
	values

	// table is the step table: a field, as a function that names it in a step
	// would be an initialization cycle.
	table []step
	// step is the name of the current step.
	step string
	// pending has a function for each task, which waits for its end.
	pending []func() error
	// todo is the work that was put off until the stub performs a batch.
	todo []func()
	// noted is the unfinished state on disk, and noting the task that last wrote it.
	noted  state.State
	noting *task[struct{}]
	// leftovers means that undo failed or must not run: delete removes the rest.
	leftovers bool
	// closers release the resources of this run, such as open files.
	closers []func()
	// sealed means that the queue has a seccomp filter: the next batch is the last
	// one that the stub performs.
	sealed bool
}

// walk takes the steps of the job. When a step fails, walk undoes the steps taken,
// last first.
func (r *run) walk() error {
	i, err := r.descend()
	if err == nil {
		return nil
	}
	if cause := context.Cause(r.ctx); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return r.undo(i, r.explainOOM(r.stepError(r.table[i].name, err)))
}

// stepError adds the failed step to an error. A hook's own steps are part of the
// step that runs the hook.
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

// descend takes the steps of the job. When a step fails, it returns the step's index.
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

// take takes one step. Before a step of the host it sends the calls that the stub's
// steps have queued.
func (r *run) take(s *step) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if s.side == hostSide && !r.sealed {
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

// workOff does what was put off.
func (r *run) workOff() {
	for len(r.todo) > 0 {
		work := r.todo[0]
		r.todo = r.todo[1:]
		work()
	}
}

// flush sends the queued calls to the stub.
func (r *run) flush() error {
	if r.stub == nil {
		return nil
	}
	return r.stub.Do()
}

// note puts off writing a change of the unfinished state, with which delete can clean up
// after a killed create.
func (r *run) note(change func(*state.State)) {
	change(&r.noted)
	now, before := r.noted, r.noting
	r.noting = meanwhile(r, func() (struct{}, error) {
		if before != nil {
			if _, err := before.wait(); err != nil {
				return struct{}{}, err
			}
		}
		if err := r.lock.StillThere(r.dir); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, now.Write(r.dir)
	})
}

// waitForTasks waits for all tasks of the steps, and adds their errors to err. If the stub
// has ended, a task may miss its process, or the cgroup that systemd removes then: such an
// error adds nothing.
func (r *run) waitForTasks(err error) error {
	gone := errors.Is(err, stub.ErrGone)
	for _, wait := range r.pending {
		e := wait()
		misses := errors.Is(e, unix.ESRCH) || errors.Is(e, unix.ENOENT) || errors.Is(e, unix.ENODEV)
		if e == nil || errors.Is(err, e) || gone && misses {
			continue
		}
		err = AlsoFailed(err, e)
	}
	return err
}

// undo reverses the steps up to index i, last first, and adds its own errors to err.
func (r *run) undo(i int, err error) error {
	err = r.waitForTasks(err)
	if r.lock != nil && errors.Is(r.lock.StillThere(r.dir), state.ErrNotExist) {
		r.leftovers = true // a forced delete removed the container; another may have its ID now
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

// atEnd registers a function that release calls.
func (r *run) atEnd(closer func()) { r.closers = append(r.closers, closer) }

// followContext ends the connection to the stub when the context ends. A step calls
// outlive if the connection must last longer.
func (r *run) followContext() (outlive func() error) {
	stop := r.stub.EndWith(r.ctx)
	r.atEnd(func() { stop() }) //nolint:errcheck // no step uses the connection any more
	return stop
}

// keepForDelete records that an undo failed: the state stays, so that delete can find
// and remove the rest.
func (r *run) keepForDelete(err error) error {
	if err == nil {
		return nil
	}
	r.leftovers = true
	return fmt.Errorf("%w (delete --force removes the rest)", err)
}

// release releases the resources of this run, last first.
func (r *run) release() {
	for _, closer := range slices.Backward(r.closers) {
		closer()
	}
	r.closers = nil
}
