package stub

import (
	"encoding/binary"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Seccomp queues seccomp(2) that installs a filter: an array of struct
// sock_filter. The filter must allow the calls after it in the batch, and the
// answer to the batch unless that ends with execve: see Atomic.
func (p *Proc) Seccomp(flags uint32, filter []byte) *Value {
	const instruction = 8 // bytes
	// struct sock_fprog: the number of instructions, and their address.
	program := make([]byte, 2*p.longSize())
	binary.NativeEndian.PutUint16(program, uint16(len(filter)/instruction))
	code := data(filter)
	return p.queue("seccomp", unix.SYS_SECCOMP, num(unix.SECCOMP_SET_MODE_FILTER), hex(flags), pointing(program, map[int]*arg{p.longSize(): &code}))
}

// SpinUntil queues no system call: the stub waits, without making one, until
// Wake sets the word. After some seconds it fails with ETIMEDOUT, so that a
// driver that died leaves no busy process.
func (p *Proc) SpinUntil() *Value {
	return p.queue("spin", 0, num(spinWord)).flag(flagSpin)
}

// spinWord is the offset of the word that SpinUntil waits for.
const spinWord = 8

// Wake ends the wait of a stub in SpinUntil. Unlike the other methods it may be
// called while Do is running.
func (p *Proc) Wake() { p.mem.word(spinWord).Store(1) }

// hold is a call to the driver while the stub waits.
type hold struct {
	value *Value
	do    func(result int) error
}

// Hold queues no system call: the stub waits, without making one, until do has
// returned. A goroutine calls do during Do, with the result of an earlier call
// of the same Atomic group, if that has succeeded. If do fails, the stub keeps
// waiting and must be killed; Do returns the error.
func (p *Proc) Hold(v *Value, do func(result int) error) {
	p.hold = &hold{v, do}
	p.SpinUntil()
}

// beginHold waits for the result that do needs, while the stub performs the
// batch. The returned function ends that wait, and returns its error.
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
	const busy = 100 // rounds; the result comes within microseconds
	for i := 0; pending(ret.Load()); i++ {
		select {
		case <-over:
			return nil // the batch has ended earlier
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
