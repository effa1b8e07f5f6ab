package seccomp

import (
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// meaning returns the decision of a profile about a call, as doc.go defines it:
// slowly, and without any code of the compiler. overlap means that rules with
// different actions hold at once.
func meaning(p *profile, d *data) (action uint32, overlap bool) {
	a := archOf(p, d)
	switch {
	case a == nil:
		return actForeign, false
	case a.audit == unix.AUDIT_ARCH_X86_64 && d.nr == 0xffffffff:
		return p.def, false
	}
	var holding []uint32
	for i := range p.rules {
		r := &p.rules[i]
		if r.action == p.def {
			continue
		}
		for _, conds := range matching(a, r, d.nr&^a.bit) {
			if len(conds) == 0 {
				return r.action, false
			}
			if !slices.ContainsFunc(conds, func(arg specs.LinuxSeccompArg) bool { return !holds(a, &arg, d) }) {
				holding = append(holding, r.action)
			}
		}
	}
	// An unconditional rule after one with conditions.
	for i := range p.rules {
		r := &p.rules[i]
		if r.action != p.def && slices.ContainsFunc(matching(a, r, d.nr&^a.bit), func(conds []specs.LinuxSeccompArg) bool { return len(conds) == 0 }) {
			return r.action, false
		}
	}
	if len(holding) == 0 {
		return unlisted(p, a, d.nr&^a.bit), false
	}
	best := slices.MinFunc(holding, func(x, y uint32) int { return int(precedence(x)>>16) - int(precedence(y)>>16) })
	return best, slices.ContainsFunc(holding, func(x uint32) bool { return x != best })
}

// archOf returns the architecture of a call, nil if it is not in the profile.
func archOf(p *profile, d *data) *arch {
	for _, a := range p.arches {
		if a.audit != d.arch {
			continue
		}
		if a.audit != unix.AUDIT_ARCH_X86_64 || (d.nr >= x32Bit) == (a.bit != 0) || d.nr == 0xffffffff {
			return a
		}
	}
	return nil
}

// matching returns the conditions under which a rule applies to a call.
func matching(a *arch, r *rule, number uint32) (list [][]specs.LinuxSeccompArg) {
	for _, name := range r.names {
		c := lookUpCall(name)
		if c == nil {
			continue
		}
		if n, ok := c.number(a); ok && n == number {
			for _, conds := range r.alternatives {
				list = append(list, a.significant(conds))
			}
		}
		if n, code, ok := a.throughShared(name); ok && n == number {
			list = append(list, []specs.LinuxSeccompArg{{Op: specs.OpEqualTo, Value: code}})
		}
	}
	return list
}

func holds(a *arch, arg *specs.LinuxSeccompArg, d *data) bool {
	have, want, masked := d.args[arg.Index], arg.Value, arg.ValueTwo
	if a.narrow {
		have, want, masked = have&0xffffffff, want&0xffffffff, masked&0xffffffff
	}
	switch arg.Op {
	case specs.OpNotEqual:
		return have != want
	case specs.OpLessThan:
		return have < want
	case specs.OpLessEqual:
		return have <= want
	case specs.OpEqualTo:
		return have == want
	case specs.OpGreaterEqual:
		return have >= want
	case specs.OpGreaterThan:
		return have > want
	}
	return have&want == masked&want
}

// unlisted returns the action for calls without a rule.
func unlisted(p *profile, a *arch, number uint32) uint32 {
	newest := -1
	for i := range p.rules {
		for _, name := range p.rules[i].names {
			if c := lookUpCall(name); c != nil {
				if n, ok := c.number(a); ok && n < privateBase {
					newest = max(newest, int(n))
				}
				if n, _, ok := a.throughShared(name); ok {
					newest = max(newest, int(n))
				}
			}
		}
	}
	denies := p.def&unix.SECCOMP_RET_ACTION_FULL <= unix.SECCOMP_RET_ERRNO || p.def == unix.SECCOMP_RET_KILL_PROCESS
	if newest < 0 || int64(number) <= int64(newest) || !denies || a.column == colARM && number >= privateBase {
		return p.def
	}
	return actNewer
}
