package seccomp

import (
	"encoding/binary"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"

	unix "github.com/berth-oci/berth/internal/abi"
	"github.com/berth-oci/berth/libcontainer/config"
)

// Filter is a seccomp filter as the kernel takes it.
type Filter struct {
	// Program is the program of classic BPF.
	Program []unix.SockFilter
	Manner
}

// Manner is how a filter is installed.
type Manner struct {
	// Flags are SECCOMP_FILTER_FLAG_* for seccomp(2).
	Flags uint32
	// Notify means that seccomp(2) returns the descriptor of a listener, which
	// an agent must read and answer.
	Notify bool
}

// instructionsMost is the kernel's BPF_MAXINSNS.
const instructionsMost = 4096

// InstructionSize is the size of an instruction, struct sock_filter, in bytes.
const InstructionSize = 8

// Compile returns the filter of a profile for the architecture that the program
// was built for. An error about the profile is a *config.FieldError with a
// field relative to linux.seccomp.
func Compile(p *specs.LinuxSeccomp) (*Filter, error) {
	checked, err := parse(p)
	if err != nil {
		return nil, err
	}
	program, err := assemble(checked)
	if err != nil {
		return nil, err
	}
	if err := checkLength(program); err != nil {
		return nil, err
	}
	return &Filter{program, checked.manner()}, nil
}

func checkLength(program []unix.SockFilter) error {
	if len(program) > instructionsMost {
		return config.FieldErrorf("syscalls", "the filter has %d instructions, and the kernel takes %d: use fewer rules with arguments, or fewer architectures", len(program), instructionsMost)
	}
	return nil
}

// Bytes returns the program as the kernel reads it.
func (f *Filter) Bytes() []byte {
	b := make([]byte, 0, len(f.Program)*InstructionSize)
	for _, i := range f.Program {
		b = binary.NativeEndian.AppendUint16(b, i.Code)
		b = append(b, i.Jt, i.Jf)
		b = binary.NativeEndian.AppendUint32(b, i.K)
	}
	return b
}

// Parse returns the filter for the result of Bytes.
func Parse(b []byte) ([]unix.SockFilter, error) {
	if len(b) == 0 || len(b)%InstructionSize != 0 || len(b) > instructionsMost*InstructionSize {
		return nil, fmt.Errorf("seccomp filter of %d bytes", len(b))
	}
	return decode(b), nil
}

func decode(b []byte) []unix.SockFilter {
	program := make([]unix.SockFilter, 0, len(b)/InstructionSize)
	for ; len(b) > 0; b = b[InstructionSize:] {
		program = append(program, unix.SockFilter{
			Code: binary.NativeEndian.Uint16(b), Jt: b[2], Jf: b[3], K: binary.NativeEndian.Uint32(b[4:]),
		})
	}
	return program
}
