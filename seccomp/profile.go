package seccomp

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	unix "github.com/berth-oci/berth/internal/abi"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// actions are those of the specification, with the return value of a filter.
var actions = [...]struct {
	name  specs.LinuxSeccompAction
	value uint32
	// data is the maximum of errnoRet, 0 for an action without one.
	data uint
}{
	{specs.ActKill, unix.SECCOMP_RET_KILL_THREAD, 0},
	{specs.ActKillProcess, unix.SECCOMP_RET_KILL_PROCESS, 0},
	{specs.ActKillThread, unix.SECCOMP_RET_KILL_THREAD, 0},
	{specs.ActTrap, unix.SECCOMP_RET_TRAP, 0},
	{specs.ActErrno, unix.SECCOMP_RET_ERRNO, maxErrno},
	{specs.ActTrace, unix.SECCOMP_RET_TRACE, unix.SECCOMP_RET_DATA},
	{specs.ActAllow, unix.SECCOMP_RET_ALLOW, 0},
	{specs.ActLog, unix.SECCOMP_RET_LOG, 0},
	{specs.ActNotify, unix.SECCOMP_RET_USER_NOTIF, 0},
}

// maxErrno is the kernel's MAX_ERRNO: it lowers greater values.
const maxErrno = 4095

// decisionsMost limits the decisions of a profile: a call, on one architecture, under one list of
// conditions. A filter of 4096 instructions can express far fewer that differ, and the time
// to compile a profile grows with their number.
const decisionsMost = 1 << 18

// operators are those of the specification.
var operators = [...]specs.LinuxSeccompOperator{
	specs.OpNotEqual, specs.OpLessThan, specs.OpLessEqual, specs.OpEqualTo,
	specs.OpGreaterEqual, specs.OpGreaterThan, specs.OpMaskedEqual,
}

// flagTSync is the flag that package specs lacks.
const flagTSync specs.LinuxSeccompFlag = "SECCOMP_FILTER_FLAG_TSYNC"

// flags are those of the specification.
var flags = [...]struct {
	name  specs.LinuxSeccompFlag
	value uint32
}{
	{flagTSync, unix.SECCOMP_FILTER_FLAG_TSYNC},
	{specs.LinuxSeccompFlagSpecAllow, unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW},
	{specs.LinuxSeccompFlagLog, unix.SECCOMP_FILTER_FLAG_LOG},
	{specs.LinuxSeccompFlagWaitKillableRecv, unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
}

// argsMost is the number of arguments of a system call.
const argsMost = 6

// Actions lists the actions that profiles may have.
func Actions() (names []string) {
	for _, a := range actions {
		names = append(names, string(a.name))
	}
	return names
}

// Operators lists the operators that conditions may have.
func Operators() (names []string) {
	for _, op := range operators {
		names = append(names, string(op))
	}
	return names
}

// Archs lists the architectures that profiles may name.
func Archs() (names []string) {
	for i := range arches {
		names = append(names, string(arches[i].name))
	}
	return names
}

// KnownFlags lists the flags that profiles may have.
func KnownFlags() (names []string) {
	for _, f := range flags {
		names = append(names, string(f.name))
	}
	return names
}

// profile is a profile that was checked.
type profile struct {
	def    uint32
	arches []*arch // the native one first
	rules  []rule
	flags  uint32
	notify bool
}

// rule is an entry of syscalls.
type rule struct {
	names  []string
	action uint32
	// alternatives are lists of conditions; all conditions of one list must
	// hold. There is at least one list; it is empty for a rule without
	// conditions.
	alternatives [][]specs.LinuxSeccompArg
}

// Check returns an error about the profile, or how to install its filter. Its
// errors are *config.FieldError, with fields relative to linux.seccomp.
func Check(p *specs.LinuxSeccomp) (Manner, error) {
	checked, err := parse(p)
	if err != nil {
		return Manner{}, err
	}
	return checked.manner(), nil
}

func (p *profile) manner() Manner { return Manner{Flags: p.flags, Notify: p.notify} }

func parse(p *specs.LinuxSeccomp) (*profile, error) {
	if p == nil {
		return nil, errors.New("no profile given")
	}
	out := &profile{rules: make([]rule, 0, len(p.Syscalls))}
	var err error
	if out.def, err = parseAction("default", "defaultAction", "defaultErrnoRet", p.DefaultAction, p.DefaultErrnoRet); err != nil {
		return nil, err
	}
	out.notify = isNotify(out.def)
	if out.arches, err = parseArches(p.Architectures); err != nil {
		return nil, err
	}
	decisions := int64(0)
	for i := range p.Syscalls {
		r, err := parseRule("syscalls["+strconv.Itoa(i)+"]", &p.Syscalls[i])
		if err != nil {
			return nil, err
		}
		decisions += int64(len(r.names)) * int64(len(r.alternatives)) * int64(len(out.arches))
		if decisions > decisionsMost {
			return nil, config.FieldErrorf("syscalls", "more than %d combinations of system call, architecture and conditions: use fewer rules with arguments, or fewer architectures", decisionsMost)
		}
		out.rules = append(out.rules, r)
		out.notify = out.notify || isNotify(r.action)
	}
	if out.flags, err = parseFlags(p.Flags, out.notify); err != nil {
		return nil, err
	}
	return out, checkListener(p, out.notify)
}

func isNotify(action uint32) bool {
	return action&unix.SECCOMP_RET_ACTION_FULL == unix.SECCOMP_RET_USER_NOTIF
}

// parseAction returns the return value of a filter for an action.
func parseAction(what, field, dataField string, name specs.LinuxSeccompAction, data *uint) (uint32, error) {
	if name == "" {
		return 0, config.FieldErrorf(field, "missing")
	}
	for _, a := range actions {
		if a.name != name {
			continue
		}
		if data == nil {
			if a.data != 0 {
				return a.value | uint32(unix.EPERM), nil
			}
			return a.value, nil
		}
		switch {
		case a.data == 0:
			return 0, config.FieldErrorf(dataField, "%d: the %s action %s has none", *data, what, name)
		case *data > a.data:
			return 0, config.FieldErrorf(dataField, "%d: more than %d, the most that %s can return", *data, a.data, name)
		}
		return a.value | uint32(*data), nil
	}
	return 0, config.FieldErrorf(field, "unknown action %s%s", config.Quote(string(name)), config.DidYouMean(string(name), Actions()))
}

func parseArches(names []specs.Arch) ([]*arch, error) {
	own := native()
	if own == nil {
		return nil, errors.New("seccomp: no table of system calls for this architecture")
	}
	list := []*arch{own}
	seen := map[specs.Arch]bool{own.name: true}
	for i, name := range names {
		a := lookUpArch(name)
		if a == nil {
			return nil, config.FieldErrorf("architectures["+strconv.Itoa(i)+"]", "unknown architecture %s%s", config.Quote(string(name)), config.DidYouMean(string(name), Archs()))
		}
		if !seen[name] {
			seen[name] = true
			list = append(list, a)
		}
	}
	return list, nil
}

func lookUpArch(name specs.Arch) *arch {
	for i := range arches {
		if arches[i].name == name {
			return &arches[i]
		}
	}
	return nil
}

func parseRule(field string, s *specs.LinuxSyscall) (rule, error) {
	r := rule{names: s.Names}
	if len(s.Names) == 0 {
		return r, config.FieldErrorf(field+".names", "missing: at least one system call")
	}
	for i, name := range s.Names {
		if name == "" || strings.ContainsRune(name, 0) {
			return r, config.FieldErrorf(field+".names["+strconv.Itoa(i)+"]", "%s: not the name of a system call", config.Quote(name))
		}
	}
	if len(s.Names) > len(calls) { // some are repeated or unknown
		r.names = slices.Compact(slices.Sorted(slices.Values(s.Names)))
	}
	var err error
	if r.action, err = parseAction("rule's", field+".action", field+".errnoRet", s.Action, s.ErrnoRet); err != nil {
		return r, err
	}
	twice, used := false, [argsMost]bool{}
	for i := range s.Args {
		arg := &s.Args[i]
		if err := checkArg(field+".args["+strconv.Itoa(i)+"]", arg); err != nil {
			return r, err
		}
		twice = twice || used[arg.Index]
		used[arg.Index] = true
	}
	if !twice {
		r.alternatives = [][]specs.LinuxSeccompArg{s.Args}
		return r, nil
	}
	for i := range s.Args {
		r.alternatives = append(r.alternatives, s.Args[i:i+1])
	}
	return r, nil
}

func checkArg(field string, arg *specs.LinuxSeccompArg) error {
	if arg.Index >= argsMost {
		return config.FieldErrorf(field+".index", "%d: a system call has arguments 0 to %d", arg.Index, argsMost-1)
	}
	if arg.Op == "" {
		return config.FieldErrorf(field+".op", "missing")
	}
	for _, op := range operators {
		if op == arg.Op {
			return nil
		}
	}
	return config.FieldErrorf(field+".op", "unknown operator %s%s", config.Quote(string(arg.Op)), config.DidYouMean(string(arg.Op), Operators()))
}

// parseFlags returns the flags of seccomp(2). A profile without flags gets
// SPEC_ALLOW: it does without the mitigations of speculative store bypass that
// a filter would enable (Linux 4.17), as authors of container profiles expect
// (Linux 5.16 enables none). An empty list enables them.
func parseFlags(names []specs.LinuxSeccompFlag, notify bool) (value uint32, err error) {
	if names == nil {
		value = unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW
	}
	for i, name := range names {
		flag, ok := lookUpFlag(name)
		if !ok {
			return 0, config.FieldErrorf("flags["+strconv.Itoa(i)+"]", "unknown flag %s%s", config.Quote(string(name)), config.DidYouMean(string(name), KnownFlags()))
		}
		value |= flag
	}
	if notify {
		value |= unix.SECCOMP_FILTER_FLAG_NEW_LISTENER
		if value&unix.SECCOMP_FILTER_FLAG_TSYNC != 0 { // TSYNC does not return a descriptor then (Linux 5.7)
			value |= unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH
		}
	} else {
		value &^= unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV // it concerns the answers of a listener
	}
	return value, nil
}

func lookUpFlag(name specs.LinuxSeccompFlag) (uint32, bool) {
	for _, f := range flags {
		if f.name == name {
			return f.value, true
		}
	}
	return 0, false
}

// checkListener checks listenerPath and listenerMetadata.
func checkListener(p *specs.LinuxSeccomp, notify bool) error {
	switch {
	case notify && p.ListenerPath == "":
		return config.FieldErrorf("listenerPath", "missing: %s wants a socket to send the listener to", specs.ActNotify)
	case p.ListenerMetadata != "" && p.ListenerPath == "":
		return config.FieldErrorf("listenerMetadata", "must not be set without listenerPath")
	}
	return nil
}
