package devices

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Insn is an instruction of an eBPF program, as bpf(2) takes it.
type Insn struct {
	Op  uint8
	Reg uint8 // destination in the low half, source in the high one
	Off int16
	Imm int32
}

// classJump32 is BPF_JMP32 (Linux 5.1): numbers above 2^31 are compared as they
// are, where BPF_JMP would extend their sign.
const classJump32 = 0x06

// The few instructions that are used (Documentation/bpf/standardization).
const (
	opLoad    = unix.BPF_LDX | unix.BPF_MEM | unix.BPF_W
	opMoveReg = unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_X
	opMove    = unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_K
	opAnd     = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	opShift   = unix.BPF_ALU | unix.BPF_RSH | unix.BPF_K
	opNotEq   = classJump32 | unix.BPF_JNE | unix.BPF_K
	opAnyBits = classJump32 | unix.BPF_JSET | unix.BPF_K
	opExit    = unix.BPF_JMP | unix.BPF_EXIT
)

// Registers. The context is struct bpf_cgroup_dev_ctx.
const (
	regResult = 0
	regCtx    = 1
	regType   = 2 // BPF_DEVCG_DEV_*
	regWanted = 3 // BPF_DEVCG_ACC_*, less what a rule has allowed already
	regNumber = 4
)

// Where the context has its members.
const (
	ctxAccessType = 0
	ctxMajor      = 4
	ctxMinor      = 8
)

// V2Program returns the program of type BPF_PROG_TYPE_CGROUP_DEVICE that does
// what the rules say. Its result is 1 to allow, 0 to deny.
//
// It asks the rules from the last to the first. A rule that denies a kind of
// access that is still wanted ends it; one that allows takes its kinds off what
// is wanted, and ends it when nothing is left.
func V2Program(rules []specs.LinuxDeviceCgroup) ([]Insn, error) {
	parsed, err := parse(rules)
	if err != nil {
		return nil, err
	}
	prog := []Insn{
		{Op: opLoad, Reg: regType | regCtx<<4, Off: ctxAccessType},
		{Op: opMoveReg, Reg: regWanted | regType<<4},
		{Op: opAnd, Reg: regType, Imm: 0xffff},
		{Op: opShift, Reg: regWanted, Imm: 16},
	}
	parsed = effective(parsed)
	for i := len(parsed) - 1; i >= 0; i-- {
		prog = append(prog, parsed[i].insns()...)
		if parsed[i].everything() {
			return prog, nil // it decides; the verifier refuses code after it
		}
	}
	return append(prog, verdict(false)...), nil
}

// insns is what asks one rule. A jump out of it leads to the next rule.
func (r rule) insns() []Insn {
	body := verdict(r.allow)
	switch {
	case r.everything():
		return body
	case r.allow:
		// Some of what is wanted may be left to ask earlier rules for.
		body = append([]Insn{
			{Op: opAnd, Reg: regWanted, Imm: int32(all &^ r.access)},
			{Op: opNotEq, Reg: regWanted, Imm: 0, Off: int16(len(body))},
		}, body...)
	case r.access != all:
		// There is a jump for "some bits are set" but none for the opposite.
		body = append([]Insn{
			{Op: opAnyBits, Reg: regWanted, Imm: int32(r.access), Off: 1},
			{Op: unix.BPF_JMP | unix.BPF_JA, Off: int16(len(body))},
		}, body...)
	}
	if r.minor != anyNumber {
		body = ifNumber(ctxMinor, r.minor, body)
	}
	if r.major != anyNumber {
		body = ifNumber(ctxMajor, r.major, body)
	}
	if r.kind != anyKind {
		body = append([]Insn{{Op: opNotEq, Reg: regType, Imm: int32(r.kind), Off: int16(len(body))}}, body...)
	}
	return body
}

// ifNumber skips body unless a member of the context has the value. The member
// is loaded each time: the verifier would remember what a register can not be,
// for each rule, and give up at some hundreds.
func ifNumber(member int16, value int64, body []Insn) []Insn {
	return append([]Insn{
		{Op: opLoad, Reg: regNumber | regCtx<<4, Off: member},
		{Op: opNotEq, Reg: regNumber, Imm: int32(value), Off: int16(len(body))},
	}, body...)
}

func verdict(allow bool) []Insn {
	result := int32(0)
	if allow {
		result = 1
	}
	return []Insn{{Op: opMove, Reg: regResult, Imm: result}, {Op: opExit}}
}

// encode returns the instructions as the kernel reads them.
func encode(prog []Insn) []byte {
	b := make([]byte, 0, 8*len(prog))
	for _, i := range prog {
		reg := i.Reg
		if bigEndian() {
			reg = reg<<4 | reg>>4 // the fields are C bit fields
		}
		b = append(b, i.Op, reg)
		b = binary.NativeEndian.AppendUint16(b, uint16(i.Off))
		b = binary.NativeEndian.AppendUint32(b, uint32(i.Imm))
	}
	return b
}

func bigEndian() bool {
	return binary.NativeEndian.Uint16([]byte{0, 1}) == 1
}

// SetV2 makes the rules hold in the v2 cgroup dir. The program stays attached
// until the cgroup is removed; a program that an earlier call attached is
// replaced, without a moment in which neither holds. Programs of others, such
// as systemd's, stay: all must allow an access.
func SetV2(dir string, rules []specs.LinuxDeviceCgroup) error {
	prog, err := V2Program(rules)
	if err != nil {
		return err
	}
	if err := attach(dir, prog); err != nil {
		if errors.Is(err, unix.EPERM) {
			err = fmt.Errorf("%w (needs CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN, in the initial user namespace)", err)
		}
		return fmt.Errorf("devices: attach program to %q: %w", dir, err)
	}
	return nil
}
