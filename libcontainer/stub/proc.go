package stub

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"golang.org/x/sys/unix"
)

// Proc is a stub process as its driver sees it. Its methods named after system
// calls queue an operation and return the Value that the call will have; Do
// sends the queue. A Proc is for one goroutine at a time.
type Proc struct {
	driver driver
	mem    region
	log    *slog.Logger

	gen   uint64 // of the batch that is being queued
	ops   []op
	outs  []out
	arena int
	step  string
	label string
	hold  *hold
	err   error // the first that could not be queued
	// closed says that there is no region any more.
	closed bool
	// process performs the batches; nil if there is none, as for a Recorder.
	process func() Process
}

// driver passes a batch that stands in the region to whoever performs it.
type driver interface {
	// exchange returns when the batch is done; io.EOF when the process is
	// gone, or runs something else, and errCut after cut.
	exchange(p *Proc) error
	close() error
	// cut makes an exchange that is under way, and all others, end with io.EOF.
	// It may be called at any time.
	cut()
}

// op is an operation that is queued.
type op struct {
	name  string
	step  string
	label string
	nr    uintptr
	flags uint32
	args  []arg
	value *Value
}

// out is a buffer to fill from the region once operation index is done.
type out struct {
	index int
	off   int
	dst   []byte
}

// Value is the result of a system call. A call queued in the same batch may
// take it as an argument before it is known.
type Value struct {
	p     *Proc
	gen   uint64
	index int
	n     int64
}

// Num is a Value that is known: a descriptor number, or unix.AT_FDCWD.
func Num(n int) *Value { return &Value{n: int64(n)} }

// Int gives the result, which is there after Do. What it counts is not checked.
func (v *Value) Int() int { return int(v.n) }

// Of gives as much of buf as the result says that the call has filled: none if
// it failed, and never more than there is, whatever a hostile process answers.
func (v *Value) Of(buf []byte) []byte {
	return buf[:max(0, min(v.n, int64(len(buf))))]
}

// Err gives the error of a call that was allowed to fail, nil if it did not.
// A call that was not reached has the error ECANCELED.
func (v *Value) Err() error {
	if e := errnoOf(v.n); e != 0 {
		return e
	}
	return nil
}

// MayFail lets the batch go on whatever this call returns.
func (v *Value) MayFail() *Value { return v.flag(flagMayFail) }

func (v *Value) flag(f uint32) *Value {
	if v.queued() {
		v.p.ops[v.index].flags |= f
	}
	return v
}

// queued reports whether the call is in the batch not yet sent.
func (v *Value) queued() bool {
	return v.p != nil && v.gen == v.p.gen && v.index < len(v.p.ops)
}

// errnoOf gives the errno in a system call's result, 0 if it is none.
func errnoOf(ret int64) unix.Errno {
	switch {
	case ret < 0 && ret >= -4095:
		return unix.Errno(-ret)
	case ret == retPending:
		return unix.ECANCELED
	}
	return 0
}

// Step names the row of the step table that the calls queued from here on
// belong to, and ends the label of the one before.
func (p *Proc) Step(name string) { p.step, p.label = name, "" }

// Label names what the calls queued from here on are for; it begins the
// message of an Error. An empty label ends it.
func (p *Proc) Label(format string, args ...any) {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	p.label = format
}

// Len reports how many operations are queued.
func (p *Proc) Len() int { return len(p.ops) }

// Room reports how many more operations fit into the batch.
func (p *Proc) Room() int { return maxOps - len(p.ops) }

// Space reports how many more bytes of strings and structs fit into the batch.
func (p *Proc) Space() int { return len(p.mem) - p.arena }

// argument kinds
const (
	argNum = iota
	argHex
	argPtr
	argStr
	argVal
)

// arg is one argument of a queued operation.
type arg struct {
	kind int
	n    uint64 // the literal; for pointers an address in the stub
	s    string
	v    *Value
}

func num[T ~int | ~int32 | ~uint32 | ~int64 | ~uint64 | ~uintptr](n T) arg {
	return arg{kind: argNum, n: uint64(n)}
}

func hex[T ~int | ~uint32 | ~uint64 | ~uintptr](n T) arg {
	return arg{kind: argHex, n: uint64(n)}
}

func val(v *Value) arg { return arg{kind: argVal, v: v} }

// str puts a string into the arena.
func (p *Proc) str(s string) arg {
	for i := range len(s) {
		if s[i] == 0 {
			p.fail(fmt.Errorf("string with a NUL byte: %q: %w", s, unix.EINVAL))
			return arg{}
		}
	}
	off := p.alloc(len(s)+1, 1)
	if off != 0 {
		copy(p.mem[off:], s)
		p.mem[off+len(s)] = 0
	}
	return arg{kind: argStr, n: addr(off), s: s}
}

// data puts a struct into the arena.
func (p *Proc) data(b []byte) arg {
	off := p.alloc(len(b), 8)
	if off != 0 {
		copy(p.mem[off:], b)
	}
	return arg{kind: argPtr, n: addr(off)}
}

// output reserves room for what the next queued call writes, to be copied
// into dst when it has succeeded.
func (p *Proc) output(dst []byte) arg {
	off := p.alloc(len(dst), 8)
	if off != 0 {
		clear(p.mem[off : off+len(dst)])
		p.outs = append(p.outs, out{index: len(p.ops), off: off, dst: dst})
	}
	return arg{kind: argPtr, n: addr(off)}
}

// inout is data that the call also writes to.
func (p *Proc) inout(b []byte) arg {
	a := p.output(b)
	if p.err == nil {
		copy(p.mem[a.n-regionAddr:], b)
	}
	return a
}

// alloc gives an offset of n bytes in the arena, 0 when it is full.
func (p *Proc) alloc(n, align int) int {
	off := (p.arena + align - 1) &^ (align - 1)
	if n > len(p.mem)-off {
		p.fail(fmt.Errorf("stub region is full: %d bytes wanted, %d left: %w", n, len(p.mem)-off, unix.E2BIG))
		return 0
	}
	p.arena = off + n
	return off
}

func addr(off int) uint64 { return uint64(regionAddr + off) }

func (p *Proc) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// queue adds an operation.
func (p *Proc) queue(name string, nr uintptr, args ...arg) *Value {
	v := &Value{p: p, gen: p.gen, index: len(p.ops), n: retPending}
	if len(p.ops) == maxOps {
		p.fail(fmt.Errorf("%s: more than %d operations in a batch", name, maxOps))
		return v
	}
	p.ops = append(p.ops, op{name: name, step: p.step, label: p.label, nr: nr, args: args, value: v})
	return v
}

// Do performs what is queued, in order, until the end or the first call that
// fails and may not: that one is the *Error returned, and what stood behind it
// is not performed. A batch whose last call is execve returns nil when that
// has succeeded.
func (p *Proc) Do() error {
	defer p.reset()
	if p.closed {
		return fmt.Errorf("drive stub: %w", os.ErrClosed)
	}
	if p.err != nil {
		return p.err
	}
	if len(p.ops) == 0 {
		return nil
	}
	for i := range p.ops {
		p.encode(i)
	}
	p.mem.setCount(len(p.ops))
	p.mem.word(spinWord).Store(0)
	end := p.beginHold()
	gone := p.driver.exchange(p)
	held := end()
	err := p.collect(gone)
	if held != nil {
		return held
	}
	return err
}

// reset begins a new batch.
func (p *Proc) reset() {
	p.gen++
	p.ops, p.outs = p.ops[:0], p.outs[:0]
	p.arena = arenaStart
	p.hold, p.err = nil, nil
}

// encode writes operation i into the region.
func (p *Proc) encode(i int) {
	o, mem, ne := &p.ops[i], p.mem.op(i), binary.NativeEndian
	clear(mem)
	ne.PutUint32(mem[opNr:], uint32(o.nr))
	ne.PutUint32(mem[opFlags:], o.flags)
	for k, a := range o.args {
		n := a.n
		if a.kind == argVal {
			if a.v.queued() {
				ne.PutUint16(mem[opFrom+2*k:], retWord(a.v.index))
			}
			n = uint64(a.v.n)
		}
		ne.PutUint64(mem[opArgs+8*k:], n)
	}
	p.mem.setRet(i, retPending)
}

// collect reads the results of the batch. Everything in the region may have
// been written by someone hostile: only numbers and bytes are taken from it.
func (p *Proc) collect(gone error) error {
	outs := p.outs
	early := false // it answered before the end of the batch
	for i := range p.ops {
		o := &p.ops[i]
		early = early || o.flags&flagAnswer != 0
		ret := p.mem.ret(i)
		o.value.n = ret
		p.traceOp(o, ret)
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
		if e := errnoOf(ret); e != 0 && o.flags&flagMayFail == 0 {
			return p.failure(o, i, Error{Errno: e})
		}
	}
	if gone != nil && !errors.Is(gone, io.EOF) {
		return gone
	}
	return nil
}

// unfinished tells what it means that operation i has no result.
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
	e.Step, e.Label, e.Call, e.Args, e.Index = o.step, o.label, o.name, p.format(o), i
	return &e
}

// EndWith ends the connection when ctx ends: Do then returns ErrGone, also when
// the stub does not answer because the kernel does not let it, as in a frozen
// cgroup or in a file system whose server sleeps. The stub exits as soon as it
// can. Who calls stop is no longer concerned by ctx.
func (p *Proc) EndWith(ctx context.Context) (stop func()) {
	end := context.AfterFunc(ctx, p.driver.cut)
	return func() { end() }
}

// Close ends the connection, once. A stub that is not detached exits. To Do
// anything behind it is os.ErrClosed.
func (p *Proc) Close() error {
	if p.closed {
		return nil
	}
	p.closed, p.mem = true, nil
	return p.driver.close()
}
