package seccomp

import (
	"slices"

	unix "github.com/berth-oci/berth/internal/abi"
)

// label is the target of a jump: the index of an instruction, counted from the
// end.
type label int

// assembler writes a program from its end to its beginning: instructions of
// classic BPF only jump forward, so the targets exist already.
type assembler struct {
	code []unix.SockFilter // the last one first
	// nearest has, for an instruction out of reach, a copy of it or a jump to
	// it.
	nearest map[label]label
	returns map[uint32]label
}

func newAssembler() *assembler {
	return &assembler{code: make([]unix.SockFilter, 0, 256), nearest: map[label]label{}, returns: map[uint32]label{}}
}

// program returns the instructions, the first one first.
func (a *assembler) program() []unix.SockFilter {
	slices.Reverse(a.code)
	return a.code
}

func (a *assembler) emit(i unix.SockFilter) label {
	a.code = append(a.code, i)
	return label(len(a.code) - 1)
}

// distance is the number of instructions that a jump in the next one would
// skip.
func (a *assembler) distance(to label) int { return len(a.code) - 1 - int(to) }

// ret returns an instruction that ends the program.
func (a *assembler) ret(action uint32) label {
	if l, ok := a.returns[action]; ok {
		return l
	}
	l := a.emit(unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action})
	a.returns[action] = l
	return l
}

// then writes an instruction that does not jump, in front of another.
func (a *assembler) then(i unix.SockFilter, next label) label {
	if d := a.distance(next); d != 0 {
		a.emit(unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JA, K: uint32(d)})
	}
	return a.emit(i)
}

// load loads a word of struct seccomp_data.
func (a *assembler) load(offset uint32, next label) label {
	return a.then(unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}, next)
}

// mask clears the bits of the loaded word that are not in k.
func (a *assembler) mask(k uint32, next label) label {
	return a.then(unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: k}, next)
}

// branch compares the loaded word with k by op (BPF_JEQ, BPF_JGT, BPF_JGE).
func (a *assembler) branch(op uint16, k uint32, yes, no label) label {
	yes = a.reach(yes)
	no = a.reach(no)
	return a.emit(unix.SockFilter{
		Code: unix.BPF_JMP | op | unix.BPF_K, K: k,
		Jt: uint8(a.distance(yes)), Jf: uint8(a.distance(no)),
	})
}

// reach returns an instruction with the effect of the target that a branch can
// jump to: conditional jumps have 8 bits.
func (a *assembler) reach(l label) label {
	const most = 255 - 1 // the second call may write another instruction
	near := l
	if last, ok := a.nearest[l]; ok && a.distance(l) > most {
		near = last
	}
	d := a.distance(near)
	if d <= most {
		return near
	}
	i := a.code[near]
	if i.Code != unix.BPF_RET|unix.BPF_K {
		i = unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JA, K: uint32(d)}
	}
	a.nearest[l] = a.emit(i)
	return a.nearest[l]
}
