//go:build libseccomp

package seccomp

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
	seccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// assemble returns the program for a profile: a part that returns ENOSYS for
// calls newer than the profile, which libseccomp does not do, followed by
// libseccomp's.
func assemble(p *profile) ([]unix.SockFilter, error) {
	rest, err := viaLibseccomp(p)
	if err != nil {
		return nil, err
	}
	return append(newerCalls(p), rest...), nil
}

// newerCalls returns a program that decides about the calls newer than the
// profile, and continues after its end for all others.
func newerCalls(p *profile) []unix.SockFilter {
	const after = "after" // a label that is not the length of any chain
	silent := *p
	silent.rules = slices.Clone(p.rules)
	for i := range silent.rules {
		silent.rules[i].action = p.def
	}
	c := newCompiler(&silent, leafSizes[0])
	c.blocks[after] = c.emit(unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JA})
	c.unlisted, c.foreign = verdict{chain: after}, verdict{chain: after}
	c.write()
	return c.program()
}

// viaLibseccomp returns the program that libseccomp makes.
func viaLibseccomp(p *profile) ([]unix.SockFilter, error) {
	filter, err := seccomp.NewFilter(libseccompAction(p.def))
	if err != nil {
		return nil, fmt.Errorf("libseccomp: %w", err)
	}
	defer filter.Release()
	if !slices.Contains(p.arches, native()) {
		// No filter in use has this; libseccomp does not mix byte orders.
		if err := filter.RemoveArch(seccomp.ArchNative); err != nil {
			return nil, fmt.Errorf("libseccomp: %w", err)
		}
	}
	for _, a := range p.arches {
		if err := addArch(filter, a); err != nil {
			return nil, config.FieldErrorf("architectures", "libseccomp: %s: %w", config.Quote(string(a.name)), err)
		}
	}
	for i := range p.rules {
		if p.rules[i].action == p.def {
			continue
		}
		if err := addRule(filter, &p.rules[i]); err != nil {
			return nil, config.FieldErrorf(fmt.Sprintf("syscalls[%d]", i), "libseccomp: %w", err)
		}
	}
	return export(filter)
}

func addArch(filter *seccomp.ScmpFilter, a *arch) error {
	known, err := seccomp.GetArchFromString(archName(a))
	if err != nil {
		return err
	}
	return filter.AddArch(known)
}

// archName returns libseccomp's name of an architecture.
func archName(a *arch) string {
	return strings.ToLower(strings.TrimPrefix(string(a.name), "SCMP_ARCH_"))
}

// libseccompAction returns libseccomp's number for the return value of a
// filter.
func libseccompAction(action uint32) seccomp.ScmpAction {
	kind := map[uint32]seccomp.ScmpAction{
		unix.SECCOMP_RET_KILL_THREAD:  seccomp.ActKillThread,
		unix.SECCOMP_RET_KILL_PROCESS: seccomp.ActKillProcess,
		unix.SECCOMP_RET_TRAP:         seccomp.ActTrap,
		unix.SECCOMP_RET_ERRNO:        seccomp.ActErrno,
		unix.SECCOMP_RET_TRACE:        seccomp.ActTrace,
		unix.SECCOMP_RET_ALLOW:        seccomp.ActAllow,
		unix.SECCOMP_RET_LOG:          seccomp.ActLog,
		unix.SECCOMP_RET_USER_NOTIF:   seccomp.ActNotify,
	}[action&unix.SECCOMP_RET_ACTION_FULL]
	if kind == seccomp.ActErrno || kind == seccomp.ActTrace {
		return kind.SetReturnCode(int16(action & unix.SECCOMP_RET_DATA))
	}
	return kind
}

func addRule(filter *seccomp.ScmpFilter, r *rule) error {
	action := libseccompAction(r.action)
	for _, name := range r.names {
		number, err := seccomp.GetSyscallFromName(name)
		if err != nil {
			continue // no architecture has it
		}
		for _, conds := range r.alternatives {
			if len(conds) == 0 {
				err = filter.AddRule(number, action)
			} else if list, e := conditions(conds); e == nil {
				err = filter.AddRuleConditional(number, action, list)
			} else {
				err = e
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

func conditions(args []specs.LinuxSeccompArg) (list []seccomp.ScmpCondition, err error) {
	for _, arg := range args {
		op := map[specs.LinuxSeccompOperator]seccomp.ScmpCompareOp{
			specs.OpNotEqual:     seccomp.CompareNotEqual,
			specs.OpLessThan:     seccomp.CompareLess,
			specs.OpLessEqual:    seccomp.CompareLessOrEqual,
			specs.OpEqualTo:      seccomp.CompareEqual,
			specs.OpGreaterEqual: seccomp.CompareGreaterEqual,
			specs.OpGreaterThan:  seccomp.CompareGreater,
			specs.OpMaskedEqual:  seccomp.CompareMaskedEqual,
		}[arg.Op]
		values := []uint64{arg.Value}
		if op == seccomp.CompareMaskedEqual {
			values = append(values, arg.ValueTwo)
		}
		cond, err := seccomp.MakeCondition(arg.Index, op, values...)
		if err != nil {
			return nil, err
		}
		list = append(list, cond)
	}
	return list, nil
}

// export reads the program that libseccomp has made.
func export(filter *seccomp.ScmpFilter) ([]unix.SockFilter, error) {
	fd, err := unix.MemfdCreate("seccomp-filter", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	file := os.NewFile(uintptr(fd), "seccomp-filter")
	defer file.Close()
	if err := filter.ExportBPF(file); err != nil {
		return nil, fmt.Errorf("libseccomp: %w", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	return decode(text), nil
}
