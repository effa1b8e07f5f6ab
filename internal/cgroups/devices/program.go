package devices

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Insn is an instruction of an eBPF program, as for bpf(2).
type Insn struct {
	Op  uint8
	Reg uint8 // destination register in the low half, source in the high half
	Off int16
	Imm int32
}

// classJump32 is BPF_JMP32 (Linux 5.1): it compares numbers above 2^31
// unsigned, where BPF_JMP would extend their sign.
const classJump32 = 0x06

// The instructions of these programs (Documentation/bpf/standardization).
const (
	opLoad    = unix.BPF_LDX | unix.BPF_MEM | unix.BPF_W
	opMoveReg = unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_X
	opMove    = unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_K
	opAnd     = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	opOrReg   = unix.BPF_ALU | unix.BPF_OR | unix.BPF_X
	opRight   = unix.BPF_ALU | unix.BPF_RSH | unix.BPF_K
	opLeft    = unix.BPF_ALU | unix.BPF_LSH | unix.BPF_K
	opNotEq   = classJump32 | unix.BPF_JNE | unix.BPF_K
	opAnyBits = classJump32 | unix.BPF_JSET | unix.BPF_K
	opGo      = unix.BPF_JMP | unix.BPF_JA
	opExit    = unix.BPF_JMP | unix.BPF_EXIT
)

// Registers. The context is struct bpf_cgroup_dev_ctx.
const (
	regResult = 0
	regCtx    = 1
	regType   = 2 // BPF_DEVCG_DEV_*
	regWanted = 3 // BPF_DEVCG_ACC_*, without the access that a rule has allowed already
	regMajor  = 4
	regDevice = 5 // major and minor number, as in the kernel's dev_t
	regNumber = 6
)

// The offsets of the members in the context.
const (
	ctxAccessType = 0
	ctxMajor      = 4
	ctxMinor      = 8
)

// The kernel's dev_t has 12 bits for the major and 20 for the minor number.
const (
	minorBits = 20
	maxMajor  = 1<<12 - 1
	maxMinor  = 1<<minorBits - 1
)

// maxJump is the longest distance of a jump, less a margin.
const maxJump = 1<<15 - 100

// V2Program returns the program of type BPF_PROG_TYPE_CGROUP_DEVICE for the
// rules. Its result is 1 to allow, 0 to deny.
//
// It checks the rules from the last to the first. A rule that denies a kind of
// access that is still wanted ends it. A rule that allows removes its kinds
// from the wanted ones, and ends it when none is left.
//
// The kernel needs some µs per conditional jump to load a program, so the
// program has few: consecutive rules about the same type of device share the
// check of the type, and one check compares both numbers of a device.
func V2Program(rules []specs.LinuxDeviceCgroup) ([]Insn, error) {
	parsed, err := parse(rules)
	if err != nil {
		return nil, err
	}
	parsed = effective(parsed)
	slices.Reverse(parsed)
	var prog []Insn
	for len(parsed) > 0 {
		last := parsed[0]
		if last.everything() {
			prog = append(prog, verdict(last.allow)...)
			break // the verifier refuses unreachable code, here and below
		}
		var body []Insn
		decided := false
		for len(parsed) > 0 && parsed[0].kind == last.kind && !parsed[0].everything() && len(body) < maxJump {
			if !decided {
				body = append(body, parsed[0].insns()...)
				decided = parsed[0].wholeKind()
			}
			parsed = parsed[1:]
		}
		if last.kind != anyKind && len(body) > 0 {
			body = append([]Insn{{Op: opNotEq, Reg: regType, Imm: int32(last.kind), Off: int16(len(body))}}, body...)
		}
		prog = append(prog, body...)
		if len(parsed) == 0 {
			prog = append(prog, verdict(false)...)
		}
	}
	if len(prog) == 0 {
		prog = verdict(false)
	}
	return append(prologue(), prog...), nil
}

func prologue() []Insn {
	return []Insn{
		{Op: opLoad, Reg: regType | regCtx<<4, Off: ctxAccessType},
		{Op: opMoveReg, Reg: regWanted | regType<<4},
		{Op: opAnd, Reg: regType, Imm: 0xffff},
		{Op: opRight, Reg: regWanted, Imm: 16},
		{Op: opLoad, Reg: regMajor | regCtx<<4, Off: ctxMajor},
		{Op: opMoveReg, Reg: regDevice | regMajor<<4},
		{Op: opLeft, Reg: regDevice, Imm: minorBits},
		{Op: opLoad, Reg: regNumber | regCtx<<4, Off: ctxMinor},
		{Op: opOrReg, Reg: regDevice | regNumber<<4},
	}
}

// insns returns the instructions for one rule, without the check of the device
// type. A jump out of them leads to the next rule.
func (r rule) insns() []Insn {
	if r.major > maxMajor || r.minor > maxMinor {
		return nil // no device has such a number
	}
	if r.access == all && r.major != anyNumber {
		// After an unconditional match the program ends.
		ask := Insn{Op: opNotEq, Reg: regMajor, Imm: int32(r.major), Off: 2}
		if r.minor != anyNumber {
			ask.Reg, ask.Imm = regDevice, int32(uint32(r.major<<minorBits|r.minor))
		}
		return append([]Insn{ask}, verdict(r.allow)...)
	}
	body := verdict(r.allow)
	switch {
	case r.allow && r.access != all:
		// Earlier rules may decide about the rest of the wanted access.
		body = append([]Insn{
			{Op: opAnd, Reg: regWanted, Imm: int32(all &^ r.access)},
			{Op: opNotEq, Reg: regWanted, Imm: 0, Off: int16(len(body))},
		}, body...)
	case r.access != all:
		// eBPF has a jump for "some bits are set", but no opposite.
		body = append([]Insn{
			{Op: opAnyBits, Reg: regWanted, Imm: int32(r.access), Off: 1},
			{Op: opGo, Off: int16(len(body))},
		}, body...)
	}
	if r.minor != anyNumber {
		body = ifNumber(ctxMinor, r.minor, body)
	}
	if r.major != anyNumber {
		body = ifNumber(ctxMajor, r.major, body)
	}
	return body
}

// ifNumber skips body unless a member of the context has the value. It loads
// the member each time. After body the verifier would otherwise keep the
// register's value, another one for each rule, and refuse some hundreds of
// rules.
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

// SetV2 applies the rules to the v2 cgroup dir. The program stays attached
// until the cgroup is removed. A new call replaces the program of an earlier
// one atomically. Other programs, such as systemd's, stay: all must allow an
// access.
func SetV2(dir string, rules []specs.LinuxDeviceCgroup) error {
	prog, err := V2Program(rules)
	if err != nil {
		return err
	}
	if err := attach(dir, prog); err != nil {
		return attachError(dir, len(rules), err)
	}
	return nil
}

// attachError adds the remedy, if one is known.
func attachError(dir string, rules int, err error) error {
	switch {
	case tooComplex(err):
		return fmt.Errorf("devices: %d rules are more than the kernel's verifier accepts (use fewer, with access \"rwm\", or with any minor number): %w", rules, err)
	case errors.Is(err, unix.EPERM):
		err = fmt.Errorf("%w (needs CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN, in the initial user namespace)", err)
	}
	return fmt.Errorf("devices: attach program to %q: %w", dir, err)
}
