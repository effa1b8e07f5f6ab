package seccomp

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// data is struct seccomp_data, the input of a filter.
type data struct {
	nr   uint32
	arch uint32
	ip   uint64
	args [6]uint64
}

// bytes returns it in the byte order of an architecture.
func (d *data) bytes(big bool) []byte {
	order := binary.AppendByteOrder(binary.LittleEndian)
	if big {
		order = binary.BigEndian
	}
	b := order.AppendUint32(nil, d.nr)
	b = order.AppendUint32(b, d.arch)
	b = order.AppendUint64(b, d.ip)
	for _, arg := range d.args {
		b = order.AppendUint64(b, arg)
	}
	return b
}

// verify returns the reason why the kernel would refuse a program: the rules of
// bpf_check_classic and seccomp_check_filter.
func verify(program []unix.SockFilter) error {
	const size = 64 // of struct seccomp_data
	if n := len(program); n == 0 || n > instructionsMost {
		return fmt.Errorf("%d instructions", n)
	}
	for pc, i := range program {
		left := len(program) - pc - 1
		switch i.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			if i.K >= size || i.K%4 != 0 {
				return fmt.Errorf("%d: load at %d", pc, i.K)
			}
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, unix.BPF_RET | unix.BPF_K:
		case unix.BPF_JMP | unix.BPF_JA:
			if int64(i.K) >= int64(left) {
				return fmt.Errorf("%d: jump over %d, %d left", pc, i.K, left)
			}
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K,
			unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K:
			if int(i.Jt) >= left || int(i.Jf) >= left {
				return fmt.Errorf("%d: jump over %d or %d, %d left", pc, i.Jt, i.Jf, left)
			}
		default:
			return fmt.Errorf("%d: instruction %#x", pc, i.Code)
		}
	}
	if last := program[len(program)-1]; last.Code != unix.BPF_RET|unix.BPF_K {
		return fmt.Errorf("ends with %#x", last.Code)
	}
	return nil
}

// execute runs a verified program, and returns its result and the number of
// executed instructions.
func execute(program []unix.SockFilter, d *data, big bool) (action uint32, steps int) {
	memory := d.bytes(big)
	order := binary.ByteOrder(binary.LittleEndian)
	if big {
		order = binary.BigEndian
	}
	var a uint32
	for pc := 0; ; pc++ {
		i := &program[pc]
		steps++
		holds := false
		switch i.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			a = order.Uint32(memory[i.K:])
			continue
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K:
			a &= i.K
			continue
		case unix.BPF_RET | unix.BPF_K:
			return i.K, steps
		case unix.BPF_JMP | unix.BPF_JA:
			pc += int(i.K)
			continue
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			holds = a == i.K
		case unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K:
			holds = a > i.K
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			holds = a >= i.K
		case unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K:
			holds = a&i.K != 0
		}
		if holds {
			pc += int(i.Jt)
		} else {
			pc += int(i.Jf)
		}
	}
}
