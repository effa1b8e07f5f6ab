package setup

// task is work that runs concurrently with later steps.
type task[T any] struct {
	done  chan struct{}
	value T
	err   error
}

// begin starts work of the current step in a goroutine. If a later step fails, run
// waits for the work before it undoes any step.
func begin[T any](r *run, work func() (T, error)) *task[T] {
	t := &task[T]{done: make(chan struct{})}
	step := r.step // r.step is a later step when work fails
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

// wait waits for the work and returns its result. It may be called again.
func (t *task[T]) wait() (T, error) {
	<-t.done
	return t.value, t.err
}
