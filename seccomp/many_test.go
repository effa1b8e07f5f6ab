package seccomp

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// equalities returns a profile of n rules on one argument of ioctl, on three
// architectures, with the values that value returns.
func equalities(n int, value func(i int) uint64) *specs.LinuxSeccomp {
	p := &specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow,
		Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32},
	}
	for i := range n {
		p.Syscalls = append(p.Syscalls, specs.LinuxSyscall{
			Names: []string{"ioctl"}, Action: specs.ActErrno,
			Args: []specs.LinuxSeccompArg{{Index: 1, Value: value(i), Op: specs.OpEqualTo}},
		})
	}
	return p
}

func apart(i int) uint64 { return uint64(i)*17 + 5 }

// Thousands of equality tests on one argument take about one instruction each,
// which three architectures share.
func TestManyEqualities(t *testing.T) {
	for _, n := range []int{1, 10, 389, 390, 835, 1000, 2000, 3000, 4000, 4060} {
		p, program := compiled(t, equalities(n, apart))
		t.Logf("%d rules: %d instructions", n, len(program))
		for _, a := range p.arches {
			nr, _ := lookUpCall("ioctl").number(a)
			for v := range apart(n) + 20 {
				if n > 1000 && v%17 != 4 && v%17 != 5 && v%17 != 6 {
					continue
				}
				for _, high := range []uint64{0, 1 << 31} {
					want := uint32(unix.SECCOMP_RET_ALLOW)
					if v%17 == 5 && v < apart(n) && (high == 0 || a.narrow) {
						want = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
					}
					d := data{nr: nr | a.bit, arch: a.audit, args: [6]uint64{7, high<<32 | v, 7}}
					if have, _ := execute(program, &d, a.big); have != want {
						t.Fatalf("%d rules: %s ioctl(%#x): %#x, want %#x", n, a.name, d.args[1], have, want)
					}
				}
			}
		}
	}
}

// The compiler writes a search while that fits: few steps, though the filter is
// long.
func TestManyEqualitiesTakeFewSteps(t *testing.T) {
	for _, test := range []struct{ rules, most int }{{10, 30}, {390, 30}, {3000, 30}, {4000, 300}} {
		p, program := compiled(t, equalities(test.rules, apart))
		steps := 0
		for i := range test.rules {
			nr, _ := lookUpCall("ioctl").number(p.arches[0])
			_, n := execute(program, &data{nr: nr, arch: p.arches[0].audit, args: [6]uint64{0, apart(i)}}, false)
			steps = max(steps, n)
		}
		t.Logf("%d rules: %d instructions, %d steps at most", test.rules, len(program), steps)
		if steps > test.most {
			t.Errorf("%d rules: %d steps, want %d", test.rules, steps, test.most)
		}
	}
}

// Rules that cannot fit are refused with their number, as fast as a few filters
// can be written.
func TestTooManyRules(t *testing.T) {
	for name, p := range map[string]*specs.LinuxSeccomp{
		"values":      equalities(10000, apart),
		"errnos":      manyErrnos(3000),
		"two of each": manyPairs(3000),
	} {
		long, err := parse(p) // not Compile: libseccomp takes minutes
		if err != nil {
			t.Fatal(err)
		}
		err = checkLength(build(long))
		var field *config.FieldError
		if !errors.As(err, &field) || field.Field != "syscalls" || !strings.Contains(err.Error(), "instructions, and the kernel takes 4096") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func manyErrnos(n int) *specs.LinuxSeccomp {
	p := equalities(n, apart)
	for i := range p.Syscalls {
		p.Syscalls[i].ErrnoRet = number(uint(i))
	}
	return p
}

func manyPairs(n int) *specs.LinuxSeccomp {
	p := equalities(n, apart)
	for i := range p.Syscalls {
		p.Syscalls[i].Args = append(p.Syscalls[i].Args, specs.LinuxSeccompArg{Index: 2, Value: uint64(i), Op: specs.OpNotEqual})
	}
	return p
}

// Many names, or the same rule many times, add no instructions.
func TestManyThatAreOne(t *testing.T) {
	names := equalities(1, apart)
	for range 10000 {
		names.Syscalls[0].Names = append(names.Syscalls[0].Names, "ioctl", "no_such_call")
		names.Architectures = append(names.Architectures, specs.ArchX86)
	}
	same := equalities(10000, func(int) uint64 { return 5 })
	next := equalities(10000, func(i int) uint64 { return uint64(i) })
	wide := equalities(10000, func(i int) uint64 { return uint64(i) << 20 })
	for i := range wide.Syscalls {
		wide.Syscalls[i].Args[0].Op = operators[i%3+1] // less, less or equal, equal
	}
	for name, p := range map[string]*specs.LinuxSeccomp{"names": names, "values": same, "a range": next, "ranges in ranges": wide} {
		if _, program := compiled(t, p); len(program) > 60 {
			t.Errorf("%s: %d instructions", name, len(program))
		}
	}
}

// manyRules returns a profile of many rules on few calls: on one argument or
// several, with values that overlap, with operators and actions of all kinds or
// of one.
func manyRules(seed uint64, arches []arch) *specs.LinuxSeccomp {
	r := rand.New(rand.NewPCG(seed, 11))
	p := &specs.LinuxSeccomp{ListenerPath: "/socket"}
	p.DefaultAction, p.DefaultErrnoRet = anAction(r)
	for range min(r.IntN(4), len(arches)) {
		p.Architectures = append(p.Architectures, pick(r, arches).name)
	}
	ops := pick(r, [][]specs.LinuxSeccompOperator{{specs.OpEqualTo}, {specs.OpMaskedEqual}, {specs.OpEqualTo, specs.OpMaskedEqual}, operators[:]})
	masks := boundaries[1 : 2+r.IntN(len(boundaries)-1)]
	action, errno := anAction(r)
	sameAction, most, args, dense := r.IntN(2) == 0, 1+r.IntN(3), 1+r.IntN(4), r.IntN(2) == 0
	for range 1 + r.IntN(60) {
		rule := specs.LinuxSyscall{Names: []string{pick(r, []string{"read", "write", "ioctl", "socket"})}, Action: action, ErrnoRet: errno}
		if !sameAction {
			rule.Action, rule.ErrnoRet = anAction(r)
		}
		for range 1 + r.IntN(most) {
			value := pick(r, boundaries)
			if dense {
				value = uint64(r.IntN(70))
			}
			arg := specs.LinuxSeccompArg{Index: uint(r.IntN(args)), Value: value, ValueTwo: pick(r, boundaries), Op: pick(r, ops)}
			if arg.Op == specs.OpMaskedEqual {
				arg.Value, arg.ValueTwo = pick(r, masks), value
			}
			rule.Args = append(rule.Args, arg)
		}
		p.Syscalls = append(p.Syscalls, rule)
	}
	return p
}

func TestManyRulesDoWhatProfilesMean(t *testing.T) {
	overlaps := 0
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { overlaps += agreeAtLength(t, manyRules(seed, sameOrder())) })
	}
	if overlaps == 0 {
		t.Error("no rules with different actions held at once")
	}
	for i := range arches {
		t.Run(string(arches[i].name), func(t *testing.T) {
			for seed := range uint64(6) {
				p := alone(t, manyRules(seed, nil), &arches[i])
				compareAtLength(t, p, build(p))
			}
		})
	}
}

// agreeAtLength compares the programs of a profile for all sizes of leaves, and
// returns how often rules with different actions held at once.
func agreeAtLength(t *testing.T, raw *specs.LinuxSeccomp) (overlaps int) {
	t.Helper()
	p, _ := compiled(t, raw)
	for _, most := range leafSizes {
		c := newCompiler(p, most)
		c.unlisted, c.foreign = verdict{action: p.def}, verdict{action: actForeign}
		c.write()
		program := c.program()
		if err := verify(program); err != nil {
			t.Fatal(err)
		}
		overlaps += compareAtLength(t, p, program)
	}
	return overlaps
}

// compareAtLength compares the calls of manyRules alone, with many arguments.
func compareAtLength(t *testing.T, p *profile, program []unix.SockFilter) (overlaps int) {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 3))
	values := slices.Clone(boundaries)
	for i := range p.rules {
		for _, conds := range p.rules[i].alternatives {
			for _, arg := range conds {
				values = append(values, arg.Value-1, arg.Value, arg.Value+1, arg.ValueTwo, arg.Value&arg.ValueTwo)
			}
		}
	}
	for _, a := range p.arches {
		for _, name := range []string{"read", "write", "ioctl", "socket"} {
			nr, ok := lookUpCall(name).number(a)
			if !ok {
				continue
			}
			for range 60 {
				d := data{nr: nr | a.bit, arch: a.audit}
				for k := range d.args {
					if d.args[k] = pick(r, values); a.narrow {
						d.args[k] &= everyBit
					}
				}
				want, overlap := meaning(p, &d)
				if overlap {
					overlaps++
				}
				if have, _ := execute(program, &d, a.big); have != want {
					t.Fatalf("%s %s%#x: %#x, want %#x", a.name, name, d.args, have, want)
				}
			}
		}
	}
	return overlaps
}

// Docker's profile is no longer than it was before the compiler searched for
// arguments (328), and takes no more memory to compile (138 allocations).
func TestDockerStaysShort(t *testing.T) {
	raw := engines(t)["docker"]
	_, program := compiled(t, raw)
	allocations := testing.AllocsPerRun(10, func() {
		p, err := parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		build(p)
	})
	t.Logf("%d instructions, %.0f allocations", len(program), allocations)
	if len(program) > 300 || allocations > 150 {
		t.Errorf("%d instructions, %.0f allocations", len(program), allocations)
	}
}

func BenchmarkCompileMany(b *testing.B) {
	for _, n := range []int{400, 4000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p, err := parse(equalities(n, apart))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				build(p)
			}
		})
	}
}

// TestTooManyDecisions: the product of names, conditions and architectures is limited, and names
// that are repeated do not count.
func TestTooManyDecisions(t *testing.T) {
	profile := func(names, args int, name func(i int) string) *specs.LinuxSeccomp {
		s := specs.LinuxSyscall{Action: specs.ActErrno}
		for i := range names {
			s.Names = append(s.Names, name(i))
		}
		for i := range args {
			s.Args = append(s.Args, specs.LinuxSeccompArg{Index: 1, Value: apart(i), Op: specs.OpEqualTo})
		}
		return &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{s}}
	}
	same := func(int) string { return "read" }
	known := func(i int) string { return calls[i].name }
	unknown := func(i int) string { return fmt.Sprint("x", i) }
	for _, test := range []struct {
		p    *specs.LinuxSeccomp
		want string
	}{
		{profile(1<<20, 4000, same), ""},
		{profile(60, 4000, known), ""},
		{profile(1, decisionsMost+1, same), "syscalls: more than 262144 combinations"},
		{profile(400, 100000, known), "syscalls: more than 262144 combinations"},
		{profile(decisionsMost+1, 0, unknown), "syscalls: more than 262144 combinations"},
		{profile(decisionsMost, 0, unknown), ""},
	} {
		_, err := Check(test.p)
		if err == nil {
			_, err = Compile(test.p)
		}
		if (err == nil) != (test.want == "") || err != nil && !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%d names, %d arguments: %v", len(test.p.Syscalls[0].Names), len(test.p.Syscalls[0].Args), err)
		}
	}
}
