package stub

import (
	"io"
	"testing"

	"golang.org/x/sys/unix"
)

// hostile is a stub with arbitrary answers: after it has joined a container,
// its memory is under the container's control.
type hostile struct {
	answer []byte
	gone   bool
}

func (h *hostile) exchange(p *Proc) error {
	for off := 0; len(h.answer) > 0 && off < len(p.mem); off += len(h.answer) {
		copy(p.mem[off:], h.answer)
	}
	if h.gone {
		return io.EOF
	}
	return nil
}

func (h *hostile) close() error { return nil }

func (h *hostile) cut() {}

// FuzzAnswers sends answers to the driver; none may make it panic, or read
// outside of its buffers.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte{0xff}, false)
	f.Add([]byte{0x00}, true)
	f.Add([]byte{0x00, 0x80, 0xf0, 0xff, 0xff, 0xff, 0xff, 0xff}, false)
	f.Fuzz(func(t *testing.T, answer []byte, gone bool) {
		p := newProc(&hostile{answer: answer, gone: gone}, make(region, MinRegion), nil)
		small := make([]byte, 16, 32)
		dir := p.Openat(Num(unix.AT_FDCWD), "/", 0, 0)
		st, v := p.Statx(dir, "x", 0)
		v.Checked()
		n := p.Readlinkat(dir, "x", small).MayFail(unix.ENOENT)
		p.Read(dir, small).MayFail(unix.ENOENT)
		if err := p.Do(); err != nil {
			_ = err.Error()
		}
		_, _, _ = st.Mode(), n.Int(), n.Err()
		for _, b := range small[:cap(small)][16:] {
			if b != 0 {
				t.Fatal("written past the end of a buffer")
			}
		}
		p.CloseFd(dir)
		p.Execve("/x", []string{"x"}, nil)
		if err := p.Do(); err != nil {
			_ = err.Error()
		}
	})
}
