package stub

import (
	"log/slog"

	"golang.org/x/sys/unix"
)

// Recorder replaces a stub's process: it records the calls of a Proc and
// invents their results, so that code that drives a stub can be tested without
// root and without a stub.
type Recorder struct {
	// Lines are the calls so far, as strace(1) would print them.
	Lines []string
	// Batches has the number of lines before each batch.
	Batches []int
	// Answer, unless nil, may return the result of a call (or -errno). With ok
	// false, the recorder decides: calls that make a descriptor return numbers
	// from 10 upward, others 0.
	Answer func(call, args string) (ret int64, ok bool)
	// Output, unless nil, returns the bytes that a call writes to its buffer.
	Output func(call, args string) []byte

	nextFD int64
}

// Record returns a Proc that sends its calls to the Recorder.
func Record(log *slog.Logger) (*Proc, *Recorder) { return RecordSize(MinRegion, log) }

// RecordSize is Record with a region of the given size.
func RecordSize(size int, log *slog.Logger) (*Proc, *Recorder) {
	r := &Recorder{nextFD: 10}
	p := newProc(r, make(region, size), log)
	p.narrow = false // the records are the same everywhere
	return p, r
}

// opens lists the calls that return a new descriptor.
func opens(call string) bool {
	switch call {
	case "openat", "openat2", "open_tree", "fsopen", "fspick", "fsmount", "socket", "fcntl", "accept4":
		return true
	}
	return false
}

func (r *Recorder) exchange(p *Proc) error {
	r.Batches = append(r.Batches, len(r.Lines))
	for i := range p.ops {
		o := &p.ops[i]
		if p.canceled(o) {
			o.value.n = -int64(unix.ECANCELED)
			p.mem.setRet(i, o.value.n)
			continue
		}
		ret := r.answer(o.name, o.format())
		o.value.n = ret // for later calls that take it
		p.mem.setRet(i, ret)
		r.write(p, i)
		r.Lines = append(r.Lines, o.line(ret))
		if e := errnoOf(ret); e != 0 && o.fails(e) {
			return nil
		}
	}
	return nil
}

// write puts a call's output where the stub would.
func (r *Recorder) write(p *Proc, i int) {
	if r.Output == nil {
		return
	}
	for _, o := range p.outs {
		if o.index == i {
			copy(p.mem[o.off:o.off+len(o.dst)], r.Output(p.ops[i].name, p.ops[i].format()))
		}
	}
}

func (r *Recorder) answer(call, args string) int64 {
	if r.Answer != nil {
		if ret, ok := r.Answer(call, args); ok {
			return ret
		}
	}
	if !opens(call) {
		return 0
	}
	r.nextFD++
	return r.nextFD - 1
}

func (r *Recorder) close() error { return nil }

func (r *Recorder) cut() {}
