package seccomp

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// interesting are the names of calls in generated profiles.
var interesting = strings.Fields(`read write open close mmap clone clone3 socket socketcall accept accept4 bind send
	sendto ipc shmat semop semtimedop msgget personality openat2 execve ioctl kill getpid cacheflush set_tls
	keyctl statx faccessat2 futex_wake rseq no_such_call`)

// boundaries are values at which the result of a comparison changes.
var boundaries = []uint64{0, 1, 2, 5, 16, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 1 << 32, 1<<32 + 5, 5 << 32, 1<<63 - 1, 1 << 63, 1<<64 - 1}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// sameOrder returns the architectures of this machine's byte order.
func sameOrder() []arch {
	return slices.DeleteFunc(slices.Clone(arches[:]), func(a arch) bool { return a.big != native().big })
}

// alone returns a profile for one architecture, which may be another than the
// native one.
func alone(t testing.TB, raw *specs.LinuxSeccomp, a *arch) *profile {
	t.Helper()
	p, err := parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	p.arches = []*arch{a}
	return p
}

// generate returns a profile for some of these architectures; the same one for
// the same seed.
func generate(seed uint64, arches []arch) *specs.LinuxSeccomp {
	r := rand.New(rand.NewPCG(seed, 5))
	names := interesting[:10+r.IntN(len(interesting)-10)]
	p := &specs.LinuxSeccomp{ListenerPath: "/socket"}
	p.DefaultAction, p.DefaultErrnoRet = anAction(r)
	for range min(r.IntN(4), len(arches)) {
		p.Architectures = append(p.Architectures, pick(r, arches).name)
	}
	for range r.IntN(14) {
		rule := specs.LinuxSyscall{}
		rule.Action, rule.ErrnoRet = anAction(r)
		for range 1 + r.IntN(3) {
			rule.Names = append(rule.Names, pick(r, names))
		}
		for range r.IntN(4) {
			rule.Args = append(rule.Args, specs.LinuxSeccompArg{
				Index: uint(r.IntN(argsMost)), Value: pick(r, boundaries), ValueTwo: pick(r, boundaries), Op: pick(r, operators[:]),
			})
		}
		p.Syscalls = append(p.Syscalls, rule)
	}
	return p
}

// anAction returns an action with a return value at the ends of its range,
// except the greatest errno, which libseccomp refuses.
func anAction(r *rand.Rand) (specs.LinuxSeccompAction, *uint) {
	a := pick(r, actions[:])
	if a.data == 0 || r.IntN(2) == 0 {
		return a.name, nil
	}
	data := pick(r, []uint{0, 1, 38, a.data - 1})
	return a.name, &data
}

// everyOperator returns a profile with each action and each operator, with
// values in both halves.
func everyOperator() *specs.LinuxSeccomp {
	p := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, ListenerPath: "/socket", Architectures: []specs.Arch{specs.ArchX86, specs.ArchX32}}
	free := slices.Clone(calls[:400])
	free = slices.DeleteFunc(free, func(c call) bool {
		return slices.Contains(socketCalls[:], c.name) || c.name == "ipc" || c.numbers[colX86_64] == none
	})
	for i, value := range boundaries {
		for k, op := range operators {
			rule := specs.LinuxSyscall{Names: []string{free[0].name}, Action: actions[(i+k)%len(actions)].name}
			rule.Args = []specs.LinuxSeccompArg{{Index: uint(k) % argsMost, Value: value, ValueTwo: 5, Op: op}}
			p.Syscalls = append(p.Syscalls, rule)
			free = free[1:]
		}
	}
	return p
}

// engines returns the default profiles of engines.
func engines(t testing.TB) map[string]*specs.LinuxSeccomp {
	t.Helper()
	list := map[string]*specs.LinuxSeccomp{}
	for _, name := range []string{"docker", "containerd", "podman"} {
		text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		p := &specs.LinuxSeccomp{}
		if err := json.Unmarshal(text, p); err != nil {
			t.Fatal(err)
		}
		list[name] = p
	}
	return list
}

// visit calls f with every call number on every architecture of a profile, with
// some on architectures of the same byte order that are not in it, and with
// arguments around the values in the profile's conditions.
func visit(p *profile, f func(a *arch, d *data)) {
	values := slices.Clone(boundaries)
	for i := range p.rules {
		for _, conds := range p.rules[i].alternatives {
			for _, arg := range conds {
				values = append(values, arg.Value-1, arg.Value, arg.Value+1, arg.ValueTwo, arg.Value&arg.ValueTwo)
			}
		}
	}
	slices.Sort(values)
	values = slices.Compact(values)
	r := rand.New(rand.NewPCG(7, 7))
	for i := range arches {
		a := &arches[i]
		if a.big != p.arches[0].big { // another byte order
			continue
		}
		numbers := callNumbers(a)
		if !slices.ContainsFunc(p.arches, func(b *arch) bool { return a.audit == b.audit }) {
			numbers = numbers[550:]
		}
		for _, nr := range numbers {
			with := conditional(p, a, nr&^a.bit)
			f(a, &data{nr: nr, arch: a.audit})
			for range with * 40 {
				d := data{nr: nr, arch: a.audit}
				for k := range d.args {
					if d.args[k] = pick(r, values); a.narrow {
						d.args[k] &= 0xffffffff
					}
				}
				f(a, &d)
			}
		}
	}
}

// callNumbers returns all call numbers of an architecture, some more, and those
// at the ends of their ranges.
func callNumbers(a *arch) (list []uint32) {
	base := map[int]uint32{colMIPS: 4000, colMIPS64: 5000, colMIPS64N32: 6000}[a.column]
	for n := range uint32(600) {
		list = append(list, a.bit|(base+n))
	}
	return append(list, privateBase-1, privateBase, privateBase+2, privateBase+5, privateBase+0x100,
		x32Bit-1, x32Bit, x32Bit+1, x32Bit+600, 1<<31-1, 1<<31, 0xfffffffe, 0xffffffff)
}

// conditional returns the number of rules with conditions on a call.
func conditional(p *profile, a *arch, number uint32) (n int) {
	for i := range p.rules {
		for _, conds := range matching(a, &p.rules[i], number) {
			if len(conds) > 0 {
				n++
			}
		}
	}
	return min(n, 8)
}

// compiled checks a profile and returns its program.
func compiled(t testing.TB, raw *specs.LinuxSeccomp) (*profile, []unix.SockFilter) {
	t.Helper()
	p, err := parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	program := build(p)
	if err := verify(program); err != nil {
		t.Fatal(err)
	}
	return p, program
}
