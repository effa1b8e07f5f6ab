package ociruntime

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/berth-oci/berth/libcontainer"
)

// ErrWaitDelay is in an OutputError if the program has ended, and a process that it left
// still had its output open after WaitDelay.
var ErrWaitDelay = errors.New("the output is still open after WaitDelay")

var errAbandoned = errors.New("the output was abandoned")

// gate is a writer of the importer, used only while the gate is open.
type gate struct {
	to      io.Writer
	mu      sync.Mutex
	changed *sync.Cond
	shut    bool
	ended   bool
}

func newGate(to io.Writer) *gate {
	g := &gate{to: to}
	g.changed = sync.NewCond(&g.mu)
	return g
}

// Write waits until the gate is open. After the end it fails.
func (g *gate) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.shut && !g.ended {
		g.changed.Wait()
	}
	if g.ended {
		return 0, errAbandoned
	}
	return g.to.Write(b)
}

// set opens, shuts or ends the gate, after a Write in progress.
func (g *gate) set(shut, ended bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut, g.ended = shut, g.ended || ended
	g.changed.Broadcast()
}

// waitFor waits for the end of a program, and for its output. After an error the writers
// are not used until the next call: their owner may read what they have got. If exit has
// succeeded, the error is an OutputError.
func (s *stdio) waitFor(ctx context.Context, exit func(context.Context) error) error {
	if s == nil || s.copied == nil {
		return exit(ctx)
	}
	s.enter()
	err := exit(ctx)
	if err == nil {
		err = s.awaitOutput(ctx)
	}
	s.leave(err)
	return err
}

func (s *stdio) enter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting++
	if !s.shut {
		return // a Write may be in progress
	}
	s.shut = false
	for _, g := range s.gates {
		g.set(false, false)
	}
}

func (s *stdio) leave(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting--
	s.shut = err != nil && s.waiting == 0
	if s.shut {
		for _, g := range s.gates {
			g.set(true, false)
		}
	}
}

// awaitOutput waits until the output of a program that has ended is copied.
func (s *stdio) awaitOutput(ctx context.Context) error {
	var late <-chan time.Time
	if s.delay > 0 {
		timer := time.NewTimer(time.Until(s.firstSeen().Add(s.delay)))
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-s.copied:
		return s.outputError()
	default:
	}
	select {
	case <-s.copied:
	case <-late:
		s.abandonOutput(ErrWaitDelay)
	case <-ctx.Done():
		return &OutputError{ctx.Err()}
	}
	return s.outputError()
}

// firstSeen returns the time at which a Wait has first seen that the program has ended.
func (s *stdio) firstSeen() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.exited.IsZero() {
		s.exited = time.Now()
	}
	return s.exited
}

func (s *stdio) outputError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		return nil
	}
	return &OutputError{s.err}
}

// abandonOutput ends the copying of output that is not yet copied: the writers are no longer
// used, and the pipes are closed.
func (s *stdio) abandonOutput(why error) {
	select {
	case <-s.copied:
		return
	default:
	}
	s.mu.Lock()
	if !s.ended {
		s.ended, s.err = true, errors.Join(s.err, why)
	}
	s.mu.Unlock()
	for _, p := range s.outputPipes {
		p.Close() // from now on a process that writes gets SIGPIPE
	}
	for _, g := range s.gates {
		g.set(true, true)
	}
}

// abandon ends the output of a program that was killed, after what is in the pipes.
func (s *stdio) abandon() {
	if s == nil || s.copied == nil {
		return
	}
	s.enter()
	limit := time.NewTimer(quiet * time.Millisecond)
	defer limit.Stop()
	select {
	case <-s.copied:
	case <-limit.C:
	}
	s.abandonOutput(errAbandoned)
	s.leave(nil)
}

// forsake ends the output of a deleted container if the last Wait has failed: the
// copying would wait for another one.
func (s *stdio) forsake() {
	if s == nil || s.copied == nil {
		return
	}
	s.mu.Lock()
	shut := s.shut
	s.mu.Unlock()

	if shut {
		s.abandonOutput(errAbandoned)
	}
}

// waitStatus waits for a program and its output, with a function that returns its status.
func (s *stdio) waitStatus(ctx context.Context, wait func(context.Context) (libcontainer.ExitStatus, error)) (status libcontainer.ExitStatus, err error) {
	err = s.waitFor(ctx, func(ctx context.Context) (err error) {
		status, err = wait(ctx)
		return err
	})
	return status, err
}
