package stub

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Proc is a stub process from the view of its driver. Its methods named after
// system calls queue an operation and return the Value that the call will have;
// Do sends the queue. Only one goroutine at a time may use a Proc.
type Proc struct {
	driver driver
	mem    region
	log    *slog.Logger

	gen  uint64 // of the batch that is being queued
	base int    // the number of calls in earlier batches
	*batch
	values []Value // for the next calls
	checks []check
	unseen []unseen
	arena  int
	step   string
	label  string
	hold   *hold
	atomic bool  // the batch may not be divided
	err    error // the first call that could not be queued, or has failed
	// closed means that the region is unmapped.
	closed bool
	// narrow means that longs and pointers of the process have 32 bits.
	narrow bool
	// meanwhile is called while a batch is performed; may be nil.
	meanwhile func()
	// process performs the batches; nil for a Recorder.
	process func() Process
}

// driver passes the batch in the region to the process that performs it.
type driver interface {
	// exchange returns when the batch is done; with io.EOF when the process has
	// ended or has executed a program, and with errCut after cut.
	exchange(p *Proc) error
	close() error
	// cut makes the current exchange and all others end with io.EOF. It may be
	// called at any time.
	cut()
}

// Meanwhile sets a function that is called for each batch when the stub has begun it,
// before the driver waits for the answer.
func (p *Proc) Meanwhile(do func()) { p.meanwhile = do }

// Step sets the row of the step table for the calls queued from here on, and
// clears the label.
func (p *Proc) Step(name string) { p.step, p.label = name, "" }

// Label sets the purpose of the calls queued from here on; it begins the
// message of an Error. An empty label clears it.
func (p *Proc) Label(format string, args ...any) {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	p.label = format
}

// Len returns the number of calls queued so far, in this batch and all before.
func (p *Proc) Len() int { return p.base + len(p.ops) }

// Failed reports whether Do will return an error: calls queued until then are
// not performed.
func (p *Proc) Failed() bool { return p.err != nil }

func (p *Proc) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// Do performs the queued calls, in order, until the end or the first call that
// fails and may not: that one is the *Error returned, and the calls after it
// are not performed. Then it runs the checks on the performed calls: a
// *CheckError precedes the *Error. A batch that ends with execve returns nil
// when that has succeeded.
//
// If the calls do not fit into one batch, the call that does not fit first
// sends the batch. If that fails, all calls queued until Do are dropped, and Do
// returns the error.
func (p *Proc) Do() error {
	if p.closed {
		p.reset()
		return fmt.Errorf("drive stub: %w", os.ErrClosed)
	}
	err := p.send()
	if e := p.firstUnseen(); err == nil {
		err = e
	}
	return err
}

// send has the batch performed and checked.
func (p *Proc) send() error {
	err, reached := p.err, p.base
	if err == nil {
		reached, err = p.exchange()
	}
	checks := p.checks
	p.reset()
	if e := p.runChecks(checks, reached); e != nil {
		return e
	}
	return err
}

// exchange has the batch performed. It returns the number of the call that has
// failed, with an error, or of the next call to be queued.
func (p *Proc) exchange() (reached int, err error) {
	if len(p.ops) == 0 {
		return p.base, nil
	}
	for i := range p.ops {
		p.encode(i)
	}
	p.mem.setCount(len(p.ops))
	p.mem.word(spinWord).Store(0)
	end := p.beginHold()
	answered := p.logSent()
	gone := p.driver.exchange(p)
	answered()
	held := end()
	err = p.collect(gone)
	var call *Error
	switch {
	case held != nil:
		return p.base, held
	case errors.As(err, &call):
		return call.Index, err
	}
	return p.Len(), err
}

// reset begins a new batch.
func (p *Proc) reset() {
	p.gen++
	p.base = p.Len()
	p.batch.reset()
	p.checks = nil
	p.arena = arenaStart
	p.hold, p.atomic, p.err = nil, false, nil
}

// encode writes operation i into the region.
func (p *Proc) encode(i int) {
	o, mem, ne := &p.ops[i], p.mem.op(i), binary.NativeEndian
	clear(mem)
	ne.PutUint32(mem[opNr:], uint32(o.nr))
	ne.PutUint32(mem[opFlags:], o.flags)
	ne.PutUint32(mem[opTolerated:], o.tolerated)
	for k, a := range o.args {
		n := a.n
		if a.kind == argVal {
			if a.v.queued() && a.v.p == p {
				ne.PutUint16(mem[opFrom+2*k:], retWord(a.v.index))
			}
			n = uint64(a.v.n)
		}
		ne.PutUint64(mem[opArgs+8*k:], n)
	}
	p.mem.setRet(i, retPending)
}

// collect reads the results of the batch. Everything in the region may be
// hostile: collect takes numbers and bytes from it only.
func (p *Proc) collect(gone error) error {
	outs := p.outs
	early := false // the stub answered before the end of the batch
	for i := range p.ops {
		o := &p.ops[i]
		early = early || o.flags&flagAnswer != 0
		if p.canceled(o) {
			o.value.n = -int64(unix.ECANCELED)
			continue
		}
		ret := p.mem.ret(i)
		o.value.n = ret
		p.logResult(o, ret)
		if ret == retPending && early && gone == nil {
			return nil
		}
		if ret == retPending {
			return p.unfinished(o, i, gone)
		}
		for len(outs) > 0 && outs[0].index <= i {
			if outs[0].index == i {
				copy(outs[0].dst, p.mem[outs[0].off:])
			}
			outs = outs[1:]
		}
		e := errnoOf(ret)
		if e != 0 && o.fails(e) {
			return p.failure(o, i, Error{Errno: e})
		}
		if e != 0 && o.tolerated == 0 {
			p.unseen = append(p.unseen, unseen{o.clone(), p.base + i})
		}
	}
	if gone != nil && !errors.Is(gone, io.EOF) {
		return gone
	}
	return nil
}

// unfinished returns the error for an operation without a result.
func (p *Proc) unfinished(o *op, i int, gone error) error {
	switch {
	case o.nr == unix.SYS_EXECVE && i == len(p.ops)-1 && errors.Is(gone, io.EOF) && p.process != nil:
		gone = p.process().executed(errors.Is(gone, errCut))
		if gone == nil {
			return nil
		}
	case gone == nil:
		gone = errors.New("answered without a result")
	case errors.Is(gone, io.EOF):
		gone = ErrGone
	}
	return p.failure(o, i, Error{Err: gone})
}

func (p *Proc) failure(o *op, i int, e Error) *Error {
	e.at(o, p.base+i)
	return &e
}

// EndWith ends the connection when ctx ends: Do then returns ErrGone, even if
// the stub does not answer because it is in a frozen cgroup, or in a file
// system with a server that hangs. The stub exits as soon as it can. A call of stop
// detaches the connection from ctx; if ctx has ended before, stop returns the cause,
// and the connection is of no use.
func (p *Proc) EndWith(ctx context.Context) (stop func() error) {
	detach := context.AfterFunc(ctx, p.driver.cut)
	return sync.OnceValue(func() error {
		if detach() {
			return nil
		}
		return context.Cause(ctx)
	})
}

// Close ends the connection, once. A stub that is not detached exits. Do
// returns os.ErrClosed after it.
func (p *Proc) Close() error {
	if p.closed {
		return nil
	}
	// The Child of a running program keeps its Proc.
	p.reset()
	p.batch.release()
	p.batch, p.values, p.unseen, p.meanwhile = new(batch), nil, nil, nil
	p.closed, p.mem = true, nil
	return p.driver.close()
}
