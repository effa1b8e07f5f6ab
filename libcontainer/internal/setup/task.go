package setup

// task is work of one step that makes a result for a later step.
type task[T any] struct {
	work  func() (T, error) // nil when it was begun
	done  chan struct{}     // closed at its end; nil for work of this goroutine
	value T
	err   error
}

// begin starts work of the current step in a goroutine. It is for work that takes long:
// a goroutine costs thread switches.
func begin[T any](r *run, work func() (T, error)) *task[T] {
	t := newTask(r, work)
	t.done = make(chan struct{})
	go func() {
		defer close(t.done)
		t.perform()
	}()
	return t
}

// meanwhile puts short work of the current step off until the stub performs a batch, or
// until the result is needed.
func meanwhile[T any](r *run, work func() (T, error)) *task[T] {
	t := newTask(r, work)
	r.todo = append(r.todo, t.perform)
	return t
}

// newTask makes a task. If a later step fails, run waits for it before it undoes any
// step.
func newTask[T any](r *run, work func() (T, error)) *task[T] {
	step := r.step // r.step is a later step when work fails
	t := &task[T]{work: func() (T, error) {
		value, err := work()
		if err != nil {
			err = r.stepError(step, err)
		}
		return value, err
	}}
	r.pending = append(r.pending, func() error {
		_, err := t.wait()
		return err
	})
	return t
}

// perform does the work, once.
func (t *task[T]) perform() {
	if work := t.work; work != nil {
		t.work = nil
		t.value, t.err = work()
	}
}

// wait waits for the work, or does it, and returns its result. It may be called again.
func (t *task[T]) wait() (T, error) {
	if t.done != nil {
		<-t.done
	} else {
		t.perform()
	}
	return t.value, t.err
}
