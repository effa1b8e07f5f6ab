package stub

import (
	"encoding/binary"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Seccomp queues seccomp(2) that installs a filter: an array of struct
// sock_filter. What follows it in the batch must be allowed by the filter, and
// so must the answer to the batch be, unless it ends with execve: see Atomic.
func (p *Proc) Seccomp(flags uint32, filter []byte) *Value {
	const instruction = 8 // bytes
	program := make([]byte, 16)
	binary.NativeEndian.PutUint16(program, uint16(len(filter)/instruction))
	code := data(filter)
	return p.queue("seccomp", unix.SYS_SECCOMP, num(unix.SECCOMP_SET_MODE_FILTER), hex(flags), pointing(program, map[int]*arg{8: &code}))
}

// SpinUntil queues no system call: the stub waits, without making one, until
// the word that Wake sets is set. It gives up after some seconds, with
// ETIMEDOUT, so that a driver that died leaves no busy process behind.
func (p *Proc) SpinUntil() *Value {
	return p.queue("spin", 0, num(spinWord)).flag(flagSpin)
}

// spinWord is the offset of the word that SpinUntil waits for.
const spinWord = 8

// Wake lets a stub go on that waits in SpinUntil. Unlike the other methods it
// may be called while Do is running.
func (p *Proc) Wake() { p.mem.word(spinWord).Store(1) }

// hold is what happens while the stub waits.
type hold struct {
	value *Value
	do    func(result int) error
}

// Hold queues no system call: the stub waits, without making one, until do has
// returned, which is called during Do, by a goroutine of its own, with the
// result of a call that stands before in the same Atomic group and has succeeded. When do
// fails the stub does not go on, and has to be killed; Do returns the error.
func (p *Proc) Hold(v *Value, do func(result int) error) {
	p.hold = &hold{v, do}
	p.SpinUntil()
}

// beginHold looks out for the result that somebody wants to have while the
// batch is performed. The function returned ends that, and gives its error.
func (p *Proc) beginHold() (end func() error) {
	h := p.hold
	if h == nil {
		return func() error { return nil }
	}
	over, result := make(chan struct{}), make(chan error, 1)
	go func() { result <- p.keepHold(h, over) }()
	return func() error {
		close(over)
		return <-result
	}
}

func (p *Proc) keepHold(h *hold, over <-chan struct{}) error {
	ret := p.mem.atomicRet(h.value.index)
	const busy = 100 // rounds; the result is a matter of microseconds
	for i := 0; ret.Load() == retPending; i++ {
		select {
		case <-over:
			return nil // the batch has ended before
		default:
		}
		if i < busy {
			runtime.Gosched()
		} else {
			time.Sleep(20 * time.Microsecond)
		}
	}
	n := ret.Load()
	if errnoOf(n) != 0 {
		return nil
	}
	if err := h.do(int(n)); err != nil {
		return err
	}
	p.Wake()
	return nil
}
