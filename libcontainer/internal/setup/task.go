package setup

// task is work that continues while later steps are taken.
type task[T any] struct {
	done  chan struct{}
	value T
	err   error
}

// begin starts some work of the current step. If a later step fails before
// somebody waits for it, the walk does, before it undoes anything.
func begin[T any](r *run, work func() (T, error)) *task[T] {
	t := &task[T]{done: make(chan struct{})}
	step := r.step // others are taken by the time that it fails
	go func() {
		defer close(t.done)
		if t.value, t.err = work(); t.err != nil {
			t.err = r.stepError(step, t.err)
		}
	}()
	r.pending = append(r.pending, func() error {
		_, err := t.wait()
		return err
	})
	return t
}

// wait waits for the work, and returns what it has made. It may be called again.
func (t *task[T]) wait() (T, error) {
	<-t.done
	return t.value, t.err
}
