package seccomp

import (
	"runtime"
	"sort"

	"github.com/opencontainers/runtime-spec/specs-go"

	unix "github.com/berth-oci/berth/internal/abi"
)

// call is a system call: its name, and its number in each column.
type call struct {
	name    string
	numbers [columns]uint16
}

// none is for an architecture without the call. private marks the numbers that
// are ARM's own, from privateBase on.
const (
	none        = 0xffff
	private     = 0x8000
	privateBase = 0x0f0000
)

// x32Bit is set in the numbers of all calls of x32, which has the audit
// architecture of amd64.
const x32Bit = 0x40000000

// arch is an architecture, or an ABI of one.
type arch struct {
	name specs.Arch
	// audit is the AUDIT_ARCH_* value of the architecture.
	audit  uint32
	column int
	// narrow has arguments of 32 bits, big is big-endian.
	narrow, big bool
	// shared architectures have socketcall(2) and ipc(2).
	shared bool
	// bit is set in all numbers.
	bit uint32
	// port is Go's name of the architecture, for the native one.
	port string
}

// arches are those of the specification, in its order.
var arches = [...]arch{
	{name: specs.ArchX86, audit: unix.AUDIT_ARCH_I386, column: colX86, narrow: true, shared: true, port: "386"},
	{name: specs.ArchX86_64, audit: unix.AUDIT_ARCH_X86_64, column: colX86_64, port: "amd64"},
	{name: specs.ArchX32, audit: unix.AUDIT_ARCH_X86_64, column: colX32, narrow: true, bit: x32Bit},
	{name: specs.ArchARM, audit: unix.AUDIT_ARCH_ARM, column: colARM, narrow: true, port: "arm"},
	{name: specs.ArchAARCH64, audit: unix.AUDIT_ARCH_AARCH64, column: colAARCH64, port: "arm64"},
	{name: specs.ArchMIPS, audit: unix.AUDIT_ARCH_MIPS, column: colMIPS, narrow: true, big: true, shared: true, port: "mips"},
	{name: specs.ArchMIPS64, audit: unix.AUDIT_ARCH_MIPS64, column: colMIPS64, big: true, port: "mips64"},
	{name: specs.ArchMIPS64N32, audit: unix.AUDIT_ARCH_MIPS64N32, column: colMIPS64N32, narrow: true, big: true},
	{name: specs.ArchMIPSEL, audit: unix.AUDIT_ARCH_MIPSEL, column: colMIPS, narrow: true, shared: true, port: "mipsle"},
	{name: specs.ArchMIPSEL64, audit: unix.AUDIT_ARCH_MIPSEL64, column: colMIPS64, port: "mips64le"},
	{name: specs.ArchMIPSEL64N32, audit: unix.AUDIT_ARCH_MIPSEL64N32, column: colMIPS64N32, narrow: true},
	{name: specs.ArchPPC, audit: unix.AUDIT_ARCH_PPC, column: colPPC, narrow: true, big: true, shared: true},
	{name: specs.ArchPPC64, audit: unix.AUDIT_ARCH_PPC64, column: colPPC64, big: true, shared: true, port: "ppc64"},
	{name: specs.ArchPPC64LE, audit: unix.AUDIT_ARCH_PPC64LE, column: colPPC64, shared: true, port: "ppc64le"},
	{name: specs.ArchS390, audit: unix.AUDIT_ARCH_S390, column: colS390, narrow: true, big: true, shared: true},
	{name: specs.ArchS390X, audit: unix.AUDIT_ARCH_S390X, column: colS390X, big: true, shared: true, port: "s390x"},
	{name: specs.ArchPARISC, audit: unix.AUDIT_ARCH_PARISC, column: colPARISC, narrow: true, big: true},
	{name: specs.ArchPARISC64, audit: unix.AUDIT_ARCH_PARISC64, column: colPARISC64, big: true},
	{name: specs.ArchRISCV64, audit: unix.AUDIT_ARCH_RISCV64, column: colRISCV64, port: "riscv64"},
	{name: specs.ArchLOONGARCH64, audit: unix.AUDIT_ARCH_LOONGARCH64, column: colLOONGARCH64, port: "loong64"},
	{name: specs.ArchM68K, audit: unix.AUDIT_ARCH_M68K, column: colM68K, narrow: true, big: true, shared: true},
	{name: specs.ArchSH, audit: unix.AUDIT_ARCH_SHEL, column: colSH, narrow: true, shared: true},
	{name: specs.ArchSHEB, audit: unix.AUDIT_ARCH_SH, column: colSH, narrow: true, big: true, shared: true},
}

// native returns the architecture for which the program was built, nil if the
// specification does not have it.
func native() *arch {
	for i := range arches {
		if arches[i].port == runtime.GOARCH {
			return &arches[i]
		}
	}
	return nil
}

// lookUpCall returns the system call with a name, nil if none has it.
func lookUpCall(name string) *call {
	i := sort.Search(len(calls), func(i int) bool { return calls[i].name >= name })
	if i == len(calls) || calls[i].name != name {
		return nil
	}
	return &calls[i]
}

// number returns the number of a call on the architecture, without its bit.
func (c *call) number(a *arch) (uint32, bool) {
	n := uint32(c.numbers[a.column])
	switch {
	case n == none:
		return 0, false
	case n&private != 0:
		return privateBase + n&^private, true
	}
	return n, true
}

// throughShared returns the number of socketcall(2) or ipc(2), and the first
// argument that selects the call; false if the architecture lacks them or the
// call cannot be made through them.
func (a *arch) throughShared(name string) (number uint32, code uint64, ok bool) {
	if !a.shared {
		return 0, 0, false
	}
	for i, part := range socketCalls {
		if part == name {
			number, ok = lookUpCall("socketcall").number(a)
			return number, uint64(i + 1), ok
		}
	}
	for _, part := range ipcCalls {
		if part.name == name {
			number, ok = lookUpCall("ipc").number(a)
			return number, part.code, ok
		}
	}
	return 0, 0, false
}

// socketCalls are in the order of SYS_SOCKET, … (include/uapi/linux/net.h).
var socketCalls = [...]string{
	"socket", "bind", "connect", "listen", "accept", "getsockname", "getpeername", "socketpair", "send", "recv",
	"sendto", "recvfrom", "shutdown", "setsockopt", "getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg",
}

// ipcCalls are SEMOP, … (include/uapi/linux/ipc.h).
var ipcCalls = [...]struct {
	name string
	code uint64
}{
	{"semop", 1},
	{"semget", 2},
	{"semctl", 3},
	{"semtimedop", 4},
	{"msgsnd", 11},
	{"msgrcv", 12},
	{"msgget", 13},
	{"msgctl", 14},
	{"shmat", 21},
	{"shmdt", 22},
	{"shmget", 23},
	{"shmctl", 24},
}
