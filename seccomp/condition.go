package seccomp

import (
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	unix "github.com/berth-oci/berth/internal/abi"
)

// Offsets in struct seccomp_data.
const (
	offNumber = 0
	offArch   = 4
	offArgs   = 16
)

// operand is an argument of a system call as a filter reads it: in halves of 32
// bits. Architectures with arguments of 32 bits have one half.
type operand struct {
	low, high uint32 // offsets
	narrow    bool
}

func operandOf(a *arch, index uint) operand {
	at := offArgs + 8*uint32(index)
	if a.big {
		return operand{low: at + 4, high: at, narrow: a.narrow}
	}
	return operand{low: at, high: at + 4, narrow: a.narrow}
}

// significant drops conditions that always hold: those with a mask of no bits.
func (a *arch) significant(conds []specs.LinuxSeccompArg) []specs.LinuxSeccompArg {
	always := func(arg specs.LinuxSeccompArg) bool {
		return arg.Op == specs.OpMaskedEqual && (arg.Value == 0 || a.narrow && uint32(arg.Value) == 0)
	}
	if !slices.ContainsFunc(conds, always) {
		return conds
	}
	return slices.DeleteFunc(slices.Clone(conds), always)
}

// condition writes a comparison of an argument with a value.
func (a *assembler) condition(on *arch, arg *specs.LinuxSeccompArg, yes, no label) label {
	o := operandOf(on, arg.Index)
	switch arg.Op {
	case specs.OpNotEqual:
		return a.equal(o, arg.Value, no, yes)
	case specs.OpLessThan:
		return a.order(o, unix.BPF_JGE, arg.Value, no, yes)
	case specs.OpLessEqual:
		return a.order(o, unix.BPF_JGT, arg.Value, no, yes)
	case specs.OpGreaterEqual:
		return a.order(o, unix.BPF_JGE, arg.Value, yes, no)
	case specs.OpGreaterThan:
		return a.order(o, unix.BPF_JGT, arg.Value, yes, no)
	case specs.OpMaskedEqual:
		return a.masked(o, arg.Value, arg.ValueTwo&arg.Value, yes, no)
	}
	return a.equal(o, arg.Value, yes, no)
}

func (a *assembler) equal(o operand, value uint64, yes, no label) label {
	at := a.load(o.low, a.branch(unix.BPF_JEQ, uint32(value), yes, no))
	if o.narrow {
		return at
	}
	return a.load(o.high, a.branch(unix.BPF_JEQ, uint32(value>>32), at, no))
}

// order compares by BPF_JGT or BPF_JGE: if the high halves are equal, the low
// ones decide.
func (a *assembler) order(o operand, op uint16, value uint64, yes, no label) label {
	at := a.load(o.low, a.branch(op, uint32(value), yes, no))
	if o.narrow {
		return at
	}
	high := uint32(value >> 32)
	return a.load(o.high, a.branch(unix.BPF_JGT, high, yes, a.branch(unix.BPF_JEQ, high, at, no)))
}

func (a *assembler) masked(o operand, mask, value uint64, yes, no label) label {
	at := a.maskedHalf(o.low, uint32(mask), uint32(value), yes, no)
	if o.narrow {
		return at
	}
	return a.maskedHalf(o.high, uint32(mask>>32), uint32(value>>32), at, no)
}

// maskedHalf writes nothing if the mask has no bit.
func (a *assembler) maskedHalf(offset, mask, value uint32, yes, no label) label {
	if mask == 0 {
		return yes
	}
	return a.load(offset, a.mask(mask, a.branch(unix.BPF_JEQ, value, yes, no)))
}
