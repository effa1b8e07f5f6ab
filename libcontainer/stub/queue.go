package stub

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// batch is the memory of the calls of a batch.
type batch struct {
	ops  []op
	args []arg // of all ops
	outs []out
}

// batches are those of closed Procs: each Proc needs the same memory for a short time.
var batches = sync.Pool{New: func() any { return new(batch) }}

func (b *batch) reset() { b.ops, b.args, b.outs = b.ops[:0], b.args[:0], b.outs[:0] }

// release returns the memory, without references to earlier calls.
func (b *batch) release() {
	clear(b.ops[:cap(b.ops)])
	clear(b.args[:cap(b.args)])
	clear(b.outs[:cap(b.outs)])
	batches.Put(b)
}

// op is a queued operation.
type op struct {
	name  string
	step  string
	label string
	nr    uintptr
	flags uint32
	// tolerated are the errnos that the call may fail with, a byte each; 0 with
	// flagMayFail: all, for a check to handle.
	tolerated uint32
	args      []arg // part of the batch's
	value     *Value
	remedy    func(unix.Errno) string
}

// clone returns a copy that is valid after the batch.
func (o *op) clone() op {
	c := *o
	c.args = slices.Clone(o.args)
	return c
}

// fails reports whether errno e of the call ends the batch.
func (o *op) fails(e unix.Errno) bool {
	if o.flags&flagMayFail == 0 {
		return true
	}
	if o.tolerated == 0 {
		return false
	}
	for t := o.tolerated; t != 0; t >>= 8 {
		if uint32(e) == t&0xff {
			return false
		}
	}
	return true
}

// canceled reports whether an argument is the result of a call of this batch
// that has failed. The stub does not perform such a call, and the driver
// ignores the result that a hostile stub writes for it.
func (p *Proc) canceled(o *op) bool {
	for i := range o.args {
		a := &o.args[i]
		if a.kind == argVal && a.v.p == p && a.v.gen == p.gen && a.v.errno() != 0 {
			return true
		}
	}
	return false
}

// lacks reports whether an argument is the result of a call that has failed, or
// was dropped.
func lacks(args []arg) bool {
	for i := range args {
		if args[i].kind == argVal && args[i].v.missing() {
			return true
		}
	}
	return false
}

// out is a buffer to fill from the region after operation index.
type out struct {
	index int
	off   int
	dst   []byte
}

// argument kinds
const (
	argNum = iota
	argHex
	argPtr
	argStr
	argList
	argVal
)

// arg is one argument of a queued operation.
type arg struct {
	kind int
	n    uint64 // the literal; for pointers an address in the stub
	s    string // the text of strace(1); for argStr the string itself
	v    *Value
	m    *memory
}

// memory is the target of a pointer argument.
type memory struct {
	data []byte   // the bytes that the call reads, if dst is nil
	dst  []byte   // the buffer that the call writes
	keep bool     // the call reads dst too
	list []string // for argList: a null-terminated array of strings
	// to are arguments; their addresses are put into data, at these offsets.
	to map[int]*arg
}

func num[T ~int | ~int32 | ~uint32 | ~int64 | ~uint64 | ~uintptr](n T) arg {
	return arg{kind: argNum, n: uint64(n)}
}

func hex[T ~int | ~uint32 | ~uint64 | ~uintptr](n T) arg {
	return arg{kind: argHex, n: uint64(n)}
}

func val(v *Value) arg { return arg{kind: argVal, v: v} }

func (p *Proc) str(s string) arg {
	if strings.IndexByte(s, 0) >= 0 {
		p.fail(fmt.Errorf("string with a NUL byte: %q: %w", s, unix.EINVAL))
	}
	return arg{kind: argStr, s: s}
}

// list is a null-terminated array of strings.
func (p *Proc) list(strs []string) arg {
	for _, s := range strs {
		p.str(s)
	}
	return arg{kind: argList, s: quoteList(strs), m: &memory{list: strs}}
}

// data is a struct that the call reads.
func data(b []byte) arg { return arg{kind: argPtr, m: &memory{data: b}} }

// pointing is a struct with the addresses of other arguments at some offsets.
func pointing(b []byte, to map[int]*arg) arg {
	return arg{kind: argPtr, m: &memory{data: b, to: to}}
}

// output is a buffer that the call writes, filled after it has succeeded.
func output(dst []byte) arg { return arg{kind: argPtr, m: &memory{dst: dst}} }

// inout is a struct that the call reads and writes.
func inout(b []byte) arg { return arg{kind: argPtr, m: &memory{dst: b, keep: true}} }

// size is the greatest number of bytes of the region that an argument takes.
func (a *arg) size() int {
	const align = 7
	switch {
	case a.kind == argStr:
		return len(a.s) + 1
	case a.m == nil:
		return 0
	case a.kind == argList:
		n := align + 8*(len(a.m.list)+1)
		for _, s := range a.m.list {
			n += len(s) + 1
		}
		return n
	}
	n := align + max(len(a.m.data), len(a.m.dst))
	for _, to := range a.m.to {
		n += to.size()
	}
	return n
}

// place puts an argument into the region, which has enough space.
func (p *Proc) place(a *arg) {
	switch {
	case a.kind == argStr:
		a.n = p.placeString(a.s)
	case a.m == nil:
	case a.kind == argList:
		p.placeList(a)
	case a.m.dst != nil:
		off := p.alloc(len(a.m.dst), 8)
		a.n = addr(off)
		if to := p.mem[off : off+len(a.m.dst)]; a.m.keep {
			copy(to, a.m.dst)
		} else {
			clear(to)
		}
		p.outs = append(p.outs, out{index: len(p.ops), off: off, dst: a.m.dst})
	default:
		for at, to := range a.m.to {
			p.place(to)
			p.putLong(a.m.data[at:], to.n)
		}
		off := p.alloc(len(a.m.data), 8)
		a.n = addr(off)
		copy(p.mem[off:], a.m.data)
	}
}

func (p *Proc) placeString(s string) uint64 {
	off := p.alloc(len(s)+1, 1)
	copy(p.mem[off:], s)
	p.mem[off+len(s)] = 0
	return addr(off)
}

func (p *Proc) placeList(a *arg) {
	size := p.longSize()
	array := p.alloc(size*(len(a.m.list)+1), size)
	a.n = addr(array)
	for i, s := range a.m.list {
		p.putLong(p.mem[array+size*i:], p.placeString(s))
	}
	p.putLong(p.mem[array+size*len(a.m.list):], 0)
}

// alloc takes n bytes of the region, at a multiple of align.
func (p *Proc) alloc(n, align int) int {
	off := (p.arena + align - 1) &^ (align - 1)
	p.arena = off + n
	return off
}

// longSize is the size of a long and of a pointer there, in bytes.
func (p *Proc) longSize() int {
	if p.narrow {
		return 4
	}
	return 8
}

// longs encodes a struct of longs and pointers.
func (p *Proc) longs(fields ...uint64) []byte {
	size := p.longSize()
	b := make([]byte, size*len(fields))
	for i, f := range fields {
		p.putLong(b[size*i:], f)
	}
	return b
}

// putLong encodes a long or a pointer. Where it is the low half of a field of 64 bits, the
// other half stays 0.
func (p *Proc) putLong(b []byte, n uint64) {
	if p.narrow {
		binary.NativeEndian.PutUint32(b, uint32(n))
	} else {
		binary.NativeEndian.PutUint64(b, n)
	}
}

func addr(off int) uint64 { return uint64(regionAddr + off) }

// queue adds an operation. If it does not fit into the batch, queue first sends
// the batch.
func (p *Proc) queue(name string, nr uintptr, args ...arg) *Value {
	size := 0
	for i := range args {
		size += args[i].size()
	}
	if p.err == nil && (len(p.ops) == maxOps || size > len(p.mem)-p.arena) {
		p.reserve(name, size)
	}
	if p.err != nil || p.closed || lacks(args) {
		return &Value{n: retPending}
	}
	for i := range args {
		p.place(&args[i])
	}
	v := p.newValue()
	*v = Value{p: p, gen: p.gen, index: len(p.ops), n: retPending}
	first := len(p.args)
	p.args = append(p.args, args...) // a copy, so that the caller's is on its stack
	p.ops = append(p.ops, op{name: name, step: p.step, label: p.label, nr: nr, args: p.args[first:], value: v})
	return v
}

// newValue returns a Value from a group of them: a create makes 400.
func (p *Proc) newValue() *Value {
	if len(p.values) == 0 {
		p.values = make([]Value, 32)
	}
	v := &p.values[0]
	p.values = p.values[1:]
	return v
}

// reserve sends the batch if it lacks the bytes for the arguments of a call.
func (p *Proc) reserve(name string, size int) {
	all := len(p.mem) - arenaStart
	switch {
	case p.closed: // Do returns the error
	case size > all || p.atomic:
		p.fail(&Error{
			Step: p.step, Label: p.label, Call: name, Index: p.Len(),
			Err: fmt.Errorf("%d bytes of arguments do not fit into a batch of %d: %w", size, all, unix.E2BIG),
		})
	default:
		if err := p.send(); err != nil {
			p.fail(err)
		}
	}
}

// Atomic makes a group of the calls queued up to the next Do: the stub performs
// them without waiting for its driver in between. The calls queued before are
// sent first, so that the group has a whole batch.
func (p *Proc) Atomic() {
	if p.err == nil && len(p.ops) > 0 {
		if err := p.send(); err != nil {
			p.fail(err)
		}
	}
	p.atomic = true
}
