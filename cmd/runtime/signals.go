package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer"
)

// moreSignals are forwarded too, if the program runs for longer than soon. Go's runtime
// needs its own handlers for them: os/signal does not forward faults of this process,
// and keeps a write to a closed pipe from ending it. SIGCHLD is for orphans.
var moreSignals = [...]os.Signal{
	unix.SIGILL, unix.SIGTRAP, unix.SIGABRT, unix.SIGBUS, unix.SIGFPE, unix.SIGSEGV, unix.SIGSYS, unix.SIGPIPE, unix.SIGCHLD,
}

const soon = 5 * time.Millisecond

// terminating signals end this process if the program cannot be started soon.
var terminating = [...]unix.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM}

// firstSignals returns the signals that are caught before the program exists: all but
// moreSignals, those that cannot be caught, and those that Go's runtime and the C
// library use.
func firstSignals() []unix.Signal {
	var set []unix.Signal
	for s := unix.Signal(1); s <= 64; s++ {
		switch s {
		case unix.SIGKILL, unix.SIGSTOP, unix.SIGURG, unix.SIGPROF, 32, 33:
			continue
		}
		if !slices.Contains(moreSignals[:], os.Signal(s)) {
			set = append(set, s)
		}
	}
	return set
}

// catch starts to catch firstSignals.
func (f *foreground) catch() error {
	pipe, err := sys.CatchSignals(firstSignals())
	if err != nil {
		return fmt.Errorf("catch signals: %w", err)
	}
	go f.receive(pipe)
	return nil
}

// catchMore starts to catch moreSignals.
func (f *foreground) catchMore() {
	signal.Notify(f.signals, moreSignals[:]...)
	f.signals <- unix.SIGCHLD // for children that ended earlier
}

// receive passes caught signals on. The pipe stays open.
func (f *foreground) receive(pipe *os.File) {
	var numbers [64]byte
	for {
		n, err := pipe.Read(numbers[:])
		if err != nil {
			f.app.log.Warn("signals are no longer forwarded: " + err.Error())
			return
		}
		for _, number := range numbers[:n] {
			s := unix.Signal(number)
			if slices.Contains(terminating[:], s) {
				f.start.terminate(s)
			}
			select {
			case f.signals <- s:
			default: // like os/signal
			}
		}
	}
}

// patience limits the time from a terminating signal to the start of the program that
// it is forwarded to.
const patience = time.Second

// starting ends the start of a program that takes longer than patience after a
// terminating signal: a container can block a process that enters it for ever.
type starting struct {
	mu    sync.Mutex
	abort context.CancelCauseFunc // nil unless a program is being started
	first unix.Signal             // the first terminating signal
}

// begin returns a context for the start of the program. The caller must call started
// when the program has started, or cannot.
func (t *starting) begin(ctx context.Context) (_ context.Context, started func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	ctx, t.abort = context.WithCancelCause(ctx)
	if t.first != 0 {
		time.AfterFunc(patience, t.tooLong)
	}
	return ctx, func() { t.end(nil) }
}

// terminate is called for a terminating signal.
func (t *starting) terminate(s unix.Signal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.first == 0 {
		t.first = s
		time.AfterFunc(patience, t.tooLong)
	}
}

func (t *starting) tooLong() {
	t.end(fmt.Errorf("received %s before the program could be started", t.first))
}

// end ends the context of the start, if that is in progress.
func (t *starting) end(cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.abort != nil {
		t.abort(cause)
		t.abort = nil
	}
}

// forward forwards signals to the program. After the program has ended, a signal stops
// this process.
func (f *foreground) forward(ctx context.Context, p program, stop func()) {
	for s := range f.signals {
		sig, ok := s.(unix.Signal)
		if !ok {
			continue
		}
		err := f.pass(ctx, p, sig)
		switch {
		case errors.Is(err, libcontainer.ErrNotRunning):
			stop()
		case err != nil:
			f.app.log.Warn(oneLine(err))
		}
	}
}

// pass forwards one signal, unless it is meant for this process.
func (f *foreground) pass(ctx context.Context, p program, sig unix.Signal) error {
	switch {
	case sig == unix.SIGURG: // the Go scheduler's
		return nil
	case sig == unix.SIGPIPE: // caused by a write of this process
		return nil
	case sig == unix.SIGCHLD && f.orphans != nil:
		return f.orphans.reap()
	case sig == unix.SIGWINCH && f.terminal != nil:
		return f.terminal.Resize()
	case sig == unix.SIGCHLD, sig == unix.SIGWINCH:
		return nil
	}
	return p.Kill(ctx, sig)
}
