//go:build libseccomp

package seccomp

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// difference is a way in which this package's filter differs from libseccomp's
// (2.5.4) for a reason.
type difference struct {
	name   string
	reason string
}

// numberDifferences are calls with another number in libseccomp, by "ARCH NAME"
// or "NAME".
var numberDifferences = []difference{
	{"SCMP_ARCH_PPC sys_debug_setcontext", "libseccomp has the number of switch_endian for it; the kernel's table has 256"},
	{"SCMP_ARCH_PPC64 sys_debug_setcontext", "the same"},
	{"SCMP_ARCH_PPC64LE sys_debug_setcontext", "the same"},
}

// onlyShared reports whether an architecture has a call only through
// socketcall(2) or ipc(2). libseccomp leaves out rules on these: a profile that
// denies accept would not do so on x86.
func onlyShared(a *arch, c *call) bool {
	_, _, shared := a.throughShared(c.name)
	_, direct := c.number(a)
	return shared && !direct
}

// knownDifference reports whether a difference about one call has a reason.
func knownDifference(a *arch, c *call) bool {
	if _, err := seccomp.GetSyscallFromName(c.name); err != nil {
		return true // newer than libseccomp
	}
	named := func(d difference) bool { return d.name == c.name || d.name == string(a.name)+" "+c.name }
	return slices.ContainsFunc(numberDifferences, named) || onlyShared(a, c) || newerThere(a, c)
}

// newerThere reports whether libseccomp has the name of a call but no number on
// an architecture that got the call later.
func newerThere(a *arch, c *call) bool {
	number, err := seccomp.GetSyscallFromNameByArch(c.name, theirArch(a))
	_, have := c.number(a)
	return have && (err != nil || number < 0)
}

// theyKnow reports whether the installed libseccomp makes filters for an
// architecture.
func theyKnow(a *arch) bool {
	_, err := viaLibseccomp(&profile{def: unix.SECCOMP_RET_ALLOW, arches: []*arch{a}})
	return err == nil
}

func theirArch(a *arch) seccomp.ScmpArch {
	known, err := seccomp.GetArchFromString(archName(a))
	if err != nil {
		panic(err)
	}
	return known
}

// points returns the values around which programs decide differently; between
// them they are constant. Those of words at offset 0 are call numbers, of
// others halves of arguments.
func points(programs ...[]unix.SockFilter) []uint32 {
	list := []uint32{0, 0xffffffff}
	for _, program := range programs {
		for _, i := range program {
			if i.Code&7 == unix.BPF_JMP && i.Code != unix.BPF_JMP|unix.BPF_JA || i.Code&7 == unix.BPF_ALU {
				list = append(list, i.K-1, i.K, i.K+1)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// swap converts a program for an architecture of the other byte order, as
// libseccomp writes it, to this machine's.
func swap(program []unix.SockFilter, a *arch) {
	if a.big == native().big {
		return
	}
	for i := range program {
		program[i].Code = bits.ReverseBytes16(program[i].Code)
		program[i].K = bits.ReverseBytes32(program[i].K)
	}
}

// Every call on every architecture has the number that libseccomp has, also
// through socketcall(2) and ipc(2).
func TestNumbersAreLibseccomps(t *testing.T) {
	for i := range arches {
		a := &arches[i]
		t.Run(string(a.name), func(t *testing.T) {
			for k := range calls {
				if !knownDifference(a, &calls[k]) {
					compareCall(t, a, &calls[k])
				}
			}
		})
	}
}

func compareCall(t *testing.T, a *arch, c *call) {
	p := &profile{def: unix.SECCOMP_RET_ALLOW, arches: []*arch{a}, rules: []rule{{
		names: []string{c.name}, action: unix.SECCOMP_RET_TRAP, alternatives: [][]specs.LinuxSeccompArg{nil},
	}}}
	theirs, err := viaLibseccomp(p)
	if err != nil {
		if strings.Contains(err.Error(), "not supported on this version") {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	swap(theirs, a)
	ours := build(p)
	for _, nr := range points(ours, theirs) {
		for arg := range uint64(26) {
			d := data{nr: nr, arch: a.audit, args: [6]uint64{arg}}
			x, _ := execute(ours, &d, a.big)
			y, _ := execute(theirs, &d, a.big)
			if x != y && int32(nr) >= 0 { // libseccomp has rules on negative numbers of its own
				t.Errorf("%s %s: call %d, argument %d: %#x, libseccomp %#x", a.name, c.name, nr, arg, x, y)
				return
			}
		}
	}
}

var errHangs = errors.New("libseccomp does not return")

// inTime returns libseccomp's filter, unless that takes too long: 2.5.4 does
// not end with some profiles of many rules for one call.
func inTime(p *profile) ([]unix.SockFilter, error) {
	var program []unix.SockFilter
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		program, err = viaLibseccomp(p)
		swap(program, p.arches[0])
		program = append(newerCalls(p), program...) // like assemble
	}()
	select {
	case <-done:
		return program, err
	case <-time.After(3 * time.Second):
		return nil, errHangs
	}
}

// agreeWithLibseccomp compares the filters of a profile, and reports whether
// libseccomp accepts it.
func agreeWithLibseccomp(t *testing.T, p *profile) bool {
	t.Helper()
	ours := build(p)
	theirs, err := inTime(p)
	if errors.Is(err, errHangs) {
		t.Log(err)
		return false
	}
	if errors.Is(err, unix.EEXIST) {
		// libseccomp refuses a rule with the conditions of another, or more,
		// and another action; here the kernel's precedence decides.
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(theirs); err != nil {
		t.Fatal(err)
	}
	wrong := 0
	alone := map[string][]unix.SockFilter{}
	visit(p, func(a *arch, d *data) {
		x, _ := execute(ours, d, a.big)
		y, _ := execute(theirs, d, a.big)
		if x == y || wrong == 5 {
			return
		}
		if explain(t, p, d, x, alone) == "" {
			t.Errorf("%s call %#x %#x: %#x, libseccomp %#x", a.name, d.nr, d.args, x, y)
			wrong++
		}
	})
	return true
}

// explain returns the reason why libseccomp decides differently about a call,
// empty without a reason.
func explain(t *testing.T, p *profile, d *data, ours uint32, alone map[string][]unix.SockFilter) string {
	a := archOf(p, d)
	if a == nil {
		return ""
	}
	for i := range p.rules {
		for _, name := range p.rules[i].names {
			c := lookUpCall(name)
			if c == nil {
				continue
			}
			if n, _, ok := a.throughShared(name); ok && n == d.nr {
				switch {
				case onlyShared(a, c):
					return "libseccomp leaves out rules on calls that only exist through socketcall and ipc"
				case len(p.rules[i].alternatives[0]) > 0:
					return "libseccomp compares the arguments of socketcall and ipc with values for the arguments in memory"
				}
			}
			if n, ok := c.number(a); ok && n == d.nr&^a.bit && knownDifference(a, c) {
				return "compared in TestNumbersAreLibseccomps"
			}
		}
	}
	if _, overlap := meaning(p, d); overlap {
		return "which of several rules that hold at once libseccomp takes depends on how it has sorted them"
	}
	if ours == eachAlone(t, p, d, alone) {
		return "libseccomp joins the rules on a call to a tree that lacks some: one by one, both agree"
	}
	return ""
}

// eachAlone makes libseccomp filters of one rule at a time, and returns the
// result of the first that matches; unconditional rules come first.
func eachAlone(t *testing.T, p *profile, d *data, programs map[string][]unix.SockFilter) uint32 {
	a := archOf(p, d)
	for _, always := range []bool{true, false} {
		for i := range p.rules {
			r := &p.rules[i]
			for k, conds := range r.alternatives {
				if r.action == p.def || always != (len(a.significant(conds)) == 0) {
					continue
				}
				key := fmt.Sprint(i, " ", k)
				if programs[key] == nil {
					programs[key] = oneAlone(t, p, r, k)
				}
				if action, _ := execute(programs[key], d, a.big); action != p.def {
					return action
				}
			}
		}
	}
	return unlisted(p, a, d.nr&^a.bit)
}

// oneAlone returns libseccomp's filter of one of a rule's alternatives.
func oneAlone(t *testing.T, p *profile, r *rule, k int) []unix.SockFilter {
	one := *p
	one.rules = []rule{{names: r.names, action: r.action, alternatives: r.alternatives[k : k+1]}}
	program, err := viaLibseccomp(&one)
	if err != nil {
		t.Fatal(err)
	}
	swap(program, p.arches[0])
	return program
}

func TestFiltersAreLibseccomps(t *testing.T) {
	list := engines(t)
	list["every operator"] = everyOperator()
	list["390 rules on one argument"] = equalities(390, apart)
	for name, raw := range list {
		t.Run(name, func(t *testing.T) {
			if p, _ := compiled(t, raw); !agreeWithLibseccomp(t, p) {
				t.Error("libseccomp refuses it")
			}
		})
	}
	some := slices.DeleteFunc(sameOrder(), func(a arch) bool { return !theyKnow(&a) })
	generated(t, 1000, func(seed uint64) *profile {
		p, _ := compiled(t, generate(seed, some))
		return p
	})
}

// Many rules on one argument or a few, which libseccomp compiles in time.
func TestManyRulesAreLibseccomps(t *testing.T) {
	some := slices.DeleteFunc(sameOrder(), func(a arch) bool { return !theyKnow(&a) })
	generated(t, 150, func(seed uint64) *profile {
		p, _ := compiled(t, manyRules(seed, some))
		return p
	})
}

// Thousands of rules, of which libseccomp makes a list.
func TestThousandsAreLibseccomps(t *testing.T) {
	p, ours := compiled(t, equalities(4000, apart))
	theirs, err := viaLibseccomp(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d instructions, libseccomp %d", len(ours), len(theirs))
	for _, a := range p.arches {
		nr, _ := lookUpCall("ioctl").number(a)
		for v := uint64(0); v < apart(4000); v += 3 {
			d := data{nr: nr | a.bit, arch: a.audit, args: [6]uint64{1, v, 1}}
			x, _ := execute(ours, &d, a.big)
			y, _ := execute(theirs, &d, a.big)
			if x != y {
				t.Fatalf("%s ioctl(%#x): %#x, libseccomp %#x", a.name, v, x, y)
			}
		}
	}
}

// All architectures that libseccomp knows.
func TestFiltersOfOthersAreLibseccomps(t *testing.T) {
	for i := range arches {
		a := &arches[i]
		t.Run(string(a.name), func(t *testing.T) {
			if !theyKnow(a) {
				t.Skip("libseccomp does not know it")
			}
			generated(t, 50, func(seed uint64) *profile { return alone(t, generate(seed, nil), a) })
		})
	}
}

// generated compares n profiles that libseccomp accepts.
func generated(t *testing.T, want int, profile func(seed uint64) *profile) {
	t.Helper()
	compared := 0
	for seed := uint64(0); compared < want; seed++ {
		t.Run(fmt.Sprint("generated ", seed), func(t *testing.T) {
			if agreeWithLibseccomp(t, profile(seed)) {
				compared++
			}
		})
		if seed > 100000 || t.Failed() {
			t.Fatalf("%d generated profiles compared", compared)
		}
	}
}

func BenchmarkLibseccompDocker(b *testing.B) {
	p := engines(b)["docker"]
	checked, err := parse(p)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := viaLibseccomp(checked); err != nil {
			b.Fatal(err)
		}
	}
}

// Docker's profile is compiled at least 20 times faster than by libseccomp.
func TestCompilesFasterThanLibseccomp(t *testing.T) {
	p, err := parse(engines(t)["docker"])
	if err != nil {
		t.Fatal(err)
	}
	const rounds = 20
	var ours, theirs [rounds]time.Duration
	for i := range rounds { // alternately, so that other load on the machine is fair
		begin := time.Now()
		build(p)
		ours[i] = time.Since(begin)
		begin = time.Now()
		if _, err := viaLibseccomp(p); err != nil {
			t.Fatal(err)
		}
		theirs[i] = time.Since(begin)
	}
	fast, slow := slices.Min(ours[:]), slices.Min(theirs[:])
	t.Logf("%s, libseccomp %s: %.0f times", fast, slow, float64(slow)/float64(fast))
	if slow < 20*fast {
		t.Errorf("%s, and libseccomp takes %s", fast, slow)
	}
}
