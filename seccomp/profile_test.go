package seccomp

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func number(n uint) *uint { return &n }

func TestErrorsNameTheField(t *testing.T) {
	one := func(change func(*specs.LinuxSyscall)) specs.LinuxSeccomp {
		s := specs.LinuxSyscall{Names: []string{"read"}, Action: specs.ActErrno}
		change(&s)
		return specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"write"}, Action: specs.ActLog}, s}}
	}
	for want, p := range map[string]specs.LinuxSeccomp{
		`defaultAction: missing`: {},
		`defaultAction: unknown action "SCMP_ACT_KIL"; did you mean "SCMP_ACT_KILL"?`:               {DefaultAction: "SCMP_ACT_KIL"},
		`defaultErrnoRet: 5: the default action SCMP_ACT_ALLOW has none`:                            {DefaultAction: specs.ActAllow, DefaultErrnoRet: number(5)},
		`defaultErrnoRet: 4096: more than 4095, the most that SCMP_ACT_ERRNO can return`:            {DefaultAction: specs.ActErrno, DefaultErrnoRet: number(4096)},
		`architectures[1]: unknown architecture "SCMP_ARCH_AMD64"`:                                  {DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86, "SCMP_ARCH_AMD64"}},
		`flags[0]: unknown flag "SECCOMP_FILTER_FLAG_LGO"; did you mean "SECCOMP_FILTER_FLAG_LOG"?`: {DefaultAction: specs.ActAllow, Flags: []specs.LinuxSeccompFlag{"SECCOMP_FILTER_FLAG_LGO"}},
		`listenerPath: missing: SCMP_ACT_NOTIFY wants a socket to send the listener to`:             {DefaultAction: specs.ActNotify},
		`listenerMetadata: must not be set without listenerPath`:                                    {DefaultAction: specs.ActAllow, ListenerMetadata: "x"},
		`syscalls[1].names: missing: at least one system call`:                                      one(func(s *specs.LinuxSyscall) { s.Names = nil }),
		`syscalls[1].names[0]: "": not the name of a system call`:                                   one(func(s *specs.LinuxSyscall) { s.Names = []string{""} }),
		`syscalls[1].action: missing`:                                                               one(func(s *specs.LinuxSyscall) { s.Action = "" }),
		`syscalls[1].errnoRet: 1: the rule's action SCMP_ACT_KILL has none`:                         one(func(s *specs.LinuxSyscall) { s.Action, s.ErrnoRet = specs.ActKill, number(1) }),
		`syscalls[1].args[1].index: 6: a system call has arguments 0 to 5`: one(func(s *specs.LinuxSyscall) {
			s.Args = []specs.LinuxSeccompArg{{Op: specs.OpEqualTo}, {Index: 6, Op: specs.OpEqualTo}}
		}),
		`syscalls[1].args[0].op: missing`:                           one(func(s *specs.LinuxSyscall) { s.Args = make([]specs.LinuxSeccompArg, 1) }),
		`syscalls[1].args[0].op: unknown operator "SCMP_CMP_EQUAL"`: one(func(s *specs.LinuxSyscall) { s.Args = []specs.LinuxSeccompArg{{Op: "SCMP_CMP_EQUAL"}} }),
	} {
		_, err := Check(&p)
		var field *config.FieldError
		if !errors.As(err, &field) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestNoProfile(t *testing.T) {
	_, compiled := Compile(nil)
	_, checked := Check(nil)
	if compiled == nil || checked == nil {
		t.Errorf("Compile: %v, Check: %v", compiled, checked)
	}
}

func TestFlags(t *testing.T) {
	allow := specs.LinuxSyscall{Names: []string{"read"}, Action: specs.ActNotify}
	all := []specs.LinuxSeccompFlag{flagTSync, specs.LinuxSeccompFlagLog, specs.LinuxSeccompFlagSpecAllow, specs.LinuxSeccompFlagWaitKillableRecv}
	for _, test := range []struct {
		p    specs.LinuxSeccomp
		want uint32
	}{
		{specs.LinuxSeccomp{}, unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW},
		{specs.LinuxSeccomp{Flags: []specs.LinuxSeccompFlag{}}, 0},
		{specs.LinuxSeccomp{Flags: all}, unix.SECCOMP_FILTER_FLAG_TSYNC | unix.SECCOMP_FILTER_FLAG_LOG | unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW},
		{specs.LinuxSeccomp{Flags: all, ListenerPath: "/s", Syscalls: []specs.LinuxSyscall{allow}}, 0x3f},
	} {
		test.p.DefaultAction = specs.ActAllow
		f, err := Compile(&test.p)
		if err != nil || f.Flags != test.want {
			t.Errorf("%v: %#x, %v; want %#x", test.p, f.Flags, err, test.want)
		}
	}
}

// Jumps in a long program reach.
func TestLongPrograms(t *testing.T) {
	p := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow}
	add := func(name string, n int) {
		for i := range n {
			p.Syscalls = append(p.Syscalls, specs.LinuxSyscall{
				Names: []string{name}, Action: actions[i%8].name,
				Args: []specs.LinuxSeccompArg{{Index: uint(i % argsMost), Value: uint64(i) << 30, Op: specs.OpEqualTo}},
			})
		}
	}
	add("read", 150)
	add("write", 150)
	add("openat2", 150)
	agree(t, p)
}

func TestTableIsSorted(t *testing.T) {
	if !slices.IsSortedFunc(calls[:], func(a, b call) int { return strings.Compare(a.name, b.name) }) {
		t.Error("lookUpCall searches it")
	}
	for i := range arches {
		read := lookUpCall("read")
		if _, ok := read.number(&arches[i]); !ok {
			t.Errorf("%s has no read", arches[i].name)
		}
	}
}

func TestNativeNumbers(t *testing.T) {
	for name, want := range map[string]uint32{"read": unix.SYS_READ, "openat2": unix.SYS_OPENAT2, "futex_wake": unix.SYS_FUTEX_WAKE} {
		if n, ok := lookUpCall(name).number(native()); !ok || n != want {
			t.Error(fmt.Sprint(name, ": ", n, ", want ", want))
		}
	}
}
