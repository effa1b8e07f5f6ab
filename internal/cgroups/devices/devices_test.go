package devices

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// request is the access that a process requests of the kernel.
type request struct {
	kind         kind
	major, minor int64
	access       access
}

// allowed evaluates the rules in the simplest way: for each kind of access by
// itself, the last rule that matches decides.
func allowed(rules []rule, q request) bool {
	for _, bit := range []access{mknod, read, write} {
		if q.access&bit == 0 {
			continue
		}
		ok := false
		for _, r := range rules {
			if (r.kind == anyKind || r.kind == q.kind) &&
				(r.major == anyNumber || r.major == q.major) &&
				(r.minor == anyNumber || r.minor == q.minor) &&
				r.access&bit != 0 {
				ok = r.allow
			}
		}
		if !ok {
			return false
		}
	}
	return true
}

// requests asks for every device of the rules and some others, in all the ways
// that the kernel asks.
func requests() []request {
	var list []request
	for _, k := range []kind{block, char} {
		for _, major := range []int64{0, 1, 5, 136, maxMajor} {
			for _, minor := range []int64{0, 1, 3, 5, maxMinor} {
				for _, a := range []access{mknod, read, write, read | write} {
					list = append(list, request{k, major, minor, a})
				}
			}
		}
	}
	return list
}

// run interprets a program, with the instructions that programs here use.
func run(t *testing.T, prog []Insn, q request) bool {
	t.Helper()
	ctx := map[int16]uint64{0: uint64(q.access)<<16 | uint64(q.kind), 4: uint64(q.major), 8: uint64(q.minor)}
	var reg [11]uint64
	for pc, steps := 0, 0; ; pc, steps = pc+1, steps+1 {
		if pc < 0 || pc >= len(prog) || steps > len(prog) {
			t.Fatalf("program runs away to %d of %d", pc, len(prog))
		}
		i := prog[pc]
		dst, src := i.Reg&15, i.Reg>>4
		switch i.Op {
		case opLoad:
			v, ok := ctx[i.Off]
			if src != regCtx || !ok {
				t.Fatalf("load from r%d+%d", src, i.Off)
			}
			reg[dst] = v
		case opMoveReg:
			reg[dst] = reg[src]
		case opMove:
			reg[dst] = uint64(int64(i.Imm))
		case opAnd:
			reg[dst] = uint64(uint32(reg[dst]) & uint32(i.Imm))
		case opOrReg:
			reg[dst] = uint64(uint32(reg[dst]) | uint32(reg[src]))
		case opRight:
			reg[dst] = uint64(uint32(reg[dst]) >> uint32(i.Imm))
		case opLeft:
			reg[dst] = uint64(uint32(reg[dst]) << uint32(i.Imm))
		case opNotEq:
			if uint32(reg[dst]) != uint32(i.Imm) {
				pc += int(i.Off)
			}
		case opAnyBits:
			if uint32(reg[dst])&uint32(i.Imm) != 0 {
				pc += int(i.Off)
			}
		case opGo:
			pc += int(i.Off)
		case opExit:
			return reg[regResult] == 1
		default:
			t.Fatalf("instruction %d: unknown operation %#x", pc, i.Op)
		}
	}
}

// kernelV1 simulates the v1 devices controller: security/device_cgroup.c.
type kernelV1 struct {
	deny       bool
	exceptions map[device]access
}

func (k *kernelV1) write(t *testing.T, l Line) {
	t.Helper()
	allow := l.File == "devices.allow"
	if l.Value == "a" {
		*k = kernelV1{deny: !allow, exceptions: map[device]access{}}
		return
	}
	var typ, acc, major, minor string
	if n, err := fmt.Sscanf(strings.Replace(l.Value, ":", " ", 1), "%s %s %s %s", &typ, &major, &minor, &acc); n != 4 {
		t.Fatalf("line %q: %v", l.Value, err)
	}
	d := device{map[string]kind{"b": block, "c": char}[typ], num(t, major), num(t, minor)}
	if d.kind == anyKind {
		t.Fatalf("line %q: no such type", l.Value)
	}
	var a access
	for _, c := range acc {
		a |= map[rune]access{'r': read, 'w': write, 'm': mknod}[c]
	}
	if allow == k.deny {
		k.exceptions[d] |= a
	} else if e, ok := k.exceptions[d]; ok {
		k.exceptions[d] = e &^ a // removes an equal entry only, and ignores others silently
	}
}

func num(t *testing.T, s string) int64 {
	if s == "*" {
		return anyNumber
	}
	var n int64
	if _, err := fmt.Sscan(s, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func (k *kernelV1) allows(q request) bool {
	for d, a := range k.exceptions {
		if !d.covers(device{q.kind, q.major, q.minor}) {
			continue
		}
		if k.deny && q.access&^a == 0 {
			return true // one entry must allow all of it
		}
		if !k.deny && q.access&a != 0 {
			return false // one entry must match
		}
	}
	return !k.deny
}

func ptr[T any](v T) *T { return &v }

func TestProgramMeansTheRules(t *testing.T) {
	for name, rules := range samples() {
		checkProgram(t, name, rules)
	}
	for n := range 2000 {
		checkProgram(t, fmt.Sprintf("random %d", n), random(uint64(n), false))
	}
}

func checkProgram(t *testing.T, name string, rules []specs.LinuxDeviceCgroup) {
	t.Helper()
	parsed, err := parse(rules)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	prog, err := V2Program(rules)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, q := range requests() {
		if got, want := run(t, prog, q), allowed(parsed, q); got != want {
			t.Fatalf("%s: %v of %+v: program says %v, rules %v\n%v", name, q.access, q, got, want, parsed)
		}
	}
}

func TestLinesMeanTheRules(t *testing.T) {
	refused, checked := 0, 0
	check := func(name string, rules []specs.LinuxDeviceCgroup) {
		parsed, err := parse(rules)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := V1Lines(rules)
		if errors.Is(err, errors.ErrUnsupported) {
			refused++
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		checked++
		var k kernelV1
		for _, l := range lines {
			k.write(t, l)
		}
		for _, q := range requests() {
			got, want := k.allows(q), allowed(parsed, q)
			if got && !want {
				t.Fatalf("%s: %+v: lines allow what rules deny\n%v\n%v", name, q, parsed, lines)
			}
			if !got && want && !acrossEntries(k, q) {
				t.Fatalf("%s: %+v: lines deny what rules allow\n%v\n%v", name, q, parsed, lines)
			}
		}
	}
	for name, rules := range samples() {
		check(name, rules)
	}
	for n := range 3000 {
		check(fmt.Sprintf("random %d", n), random(uint64(n), true))
	}
	if refused == 0 || checked < 1000 {
		t.Errorf("%d lists refused, %d checked: the samples are not worth much", refused, checked)
	}
}

// acrossEntries reports the one remaining difference: reading and writing at
// once, where two ranges allow one access each and neither contains the other.
func acrossEntries(k kernelV1, q request) bool {
	if !k.deny || q.access != read|write {
		return false
	}
	for d, a := range k.exceptions {
		for e, b := range k.exceptions {
			asked := device{q.kind, q.major, q.minor}
			if d.covers(asked) && e.covers(asked) && !d.covers(e) && !e.covers(d) && q.access&^(a|b) == 0 {
				return true
			}
		}
	}
	return false
}

func samples() map[string][]specs.LinuxDeviceCgroup {
	deny := specs.LinuxDeviceCgroup{Access: "rwm"}
	everything := specs.LinuxDeviceCgroup{Allow: true, Access: "rwm"}
	c13 := func(allow bool, access string) specs.LinuxDeviceCgroup {
		return specs.LinuxDeviceCgroup{Allow: allow, Type: "c", Major: ptr[int64](1), Minor: ptr[int64](3), Access: access}
	}
	c1 := func(allow bool, access string) specs.LinuxDeviceCgroup {
		return specs.LinuxDeviceCgroup{Allow: allow, Type: "c", Major: ptr[int64](1), Access: access}
	}
	return map[string][]specs.LinuxDeviceCgroup{
		"none":            nil,
		"deny":            {deny},
		"allow":           {everything},
		"default":         WithDefaults([]specs.LinuxDeviceCgroup{deny}),
		"privileged":      WithDefaults([]specs.LinuxDeviceCgroup{deny, everything}),
		"deny one":        {everything, c13(false, "rwm")},
		"deny write":      {everything, c13(false, "w")},
		"read then write": {deny, c13(true, "r"), c13(true, "w")},
		"taken back":      {deny, c13(true, "rwm"), c13(false, "w")},
		"wide and narrow": {deny, c1(true, "r"), c13(true, "w")},
		"denied part":     {deny, c1(true, "rwm"), c13(false, "w")},
		"all types":       {deny, {Allow: true, Type: "a", Major: ptr[int64](5), Access: "rw"}},
		"any number":      {deny, {Allow: true, Type: "b", Major: ptr[int64](-1), Minor: ptr[int64](-1), Access: "r"}},
		"biggest numbers": {deny, {Allow: true, Type: "c", Major: ptr[int64](maxMajor), Minor: ptr[int64](maxMinor), Access: "rwm"}},
		"no such devices": {deny, {Allow: true, Major: ptr[int64](maxMajor + 1), Access: "rwm"}, {Allow: true, Type: "c", Major: ptr[int64](0), Minor: ptr[int64](maxMinor + 1), Access: "rwm"}},
		"a whole type":    {deny, c13(false, "rwm"), {Allow: true, Type: "c", Access: "rwm"}, c13(false, "w")},
	}
}

func random(seed uint64, begins bool) []specs.LinuxDeviceCgroup {
	r := rand.New(rand.NewPCG(seed, 1))
	pick := func(list ...int64) *int64 {
		if n := list[r.IntN(len(list))]; n >= 0 {
			return &n
		}
		return nil
	}
	var rules []specs.LinuxDeviceCgroup
	if begins {
		rules = append(rules, specs.LinuxDeviceCgroup{Allow: r.IntN(2) == 0, Access: "rwm"})
	}
	for range r.IntN(6) {
		access := []string{"r", "w", "m", "rw", "rwm", "rwm", "wm"}[r.IntN(7)]
		rules = append(rules, specs.LinuxDeviceCgroup{
			Allow:  r.IntN(2) == 0,
			Type:   []string{"a", "b", "c", "c", ""}[r.IntN(5)],
			Major:  pick(-1, 1, 5, 136, maxMajor, maxMajor+1, 1<<31+1),
			Minor:  pick(-1, -1, 0, 3, maxMinor, maxMinor+1),
			Access: access,
		})
	}
	return rules
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		rule specs.LinuxDeviceCgroup
		want string
	}{
		{specs.LinuxDeviceCgroup{Type: "x", Access: "r"}, "devices[1].type"},
		{specs.LinuxDeviceCgroup{Access: "rx"}, "devices[1].access"},
		{specs.LinuxDeviceCgroup{}, "devices[1].access"},
		{specs.LinuxDeviceCgroup{Major: ptr[int64](-2), Access: "r"}, "devices[1].major"},
		{specs.LinuxDeviceCgroup{Minor: ptr[int64](1 << 32), Access: "r"}, "devices[1].minor"},
	} {
		rules := []specs.LinuxDeviceCgroup{{Access: "rwm"}, c.rule}
		for _, f := range []func() error{
			func() error { return Check(rules) },
			func() error { _, err := V1Lines(rules); return err },
			func() error { _, err := V2Program(rules); return err },
		} {
			if err := f(); !errors.Is(err, unix.EINVAL) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v: error %v, want %s", c.rule, err, c.want)
			}
		}
	}
}

func TestDeniedPartOfRangeIsRefusedByName(t *testing.T) {
	_, err := V1Lines(samples()["denied part"])
	if err == nil || !strings.Contains(err.Error(), `devices: rule "c 1:3 w" takes a part out of "c 1:* rwm"`) {
		t.Errorf("error %v", err)
	}
}

func TestSetV1(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []string{"devices.allow", "devices.deny"} {
		if err := os.WriteFile(dir+"/"+f, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := SetV1(dir, samples()["read then write"]); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"devices.deny": "a", "devices.allow": "c 1:3 rw"} {
		if b, _ := os.ReadFile(dir + "/" + file); string(b) != want {
			t.Errorf("%s holds %q, want %q", file, b, want)
		}
	}
	if err := SetV1(dir+"/gone", samples()["deny"]); !errors.Is(err, unix.ENOENT) {
		t.Errorf("no cgroup: %v", err)
	}
}

// TestVerifier runs the kernel's verifier on all programs.
func TestVerifier(t *testing.T) {
	prog, err := V2Program(nil)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := load(encode(prog))
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) {
		t.Skipf("no eBPF here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(fd)
	verify := func(name string, rules []specs.LinuxDeviceCgroup) {
		prog, err := V2Program(rules)
		if err != nil {
			t.Fatal(err)
		}
		fd, err := load(encode(prog))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		unix.Close(fd)
	}
	for name, rules := range samples() {
		verify(name, rules)
	}
	for n := range 100 {
		verify(fmt.Sprintf("random %d", n), random(uint64(n), false))
	}
	var many []specs.LinuxDeviceCgroup
	for n := range int64(1000) {
		many = append(many, specs.LinuxDeviceCgroup{Allow: true, Type: "b", Major: &n, Minor: ptr(n + 1), Access: "rw"})
	}
	verify("many", many)
	for i := range many {
		many[i].Access = "rwm"
	}
	verify("many whole ones", many)
	for n := range int64(12000) {
		many = append(many, specs.LinuxDeviceCgroup{Allow: true, Type: "c", Major: ptr(n % 4096), Minor: &n, Access: "rwm"})
	}
	verify("more than a jump can skip", many)
	for i := range many {
		many[i].Access, many[i].Allow = "rw", i%3 != 0
	}
	verify("2,500 partly, and the defaults", WithDefaults(many[:2500]))
	prog, err = V2Program(many)
	if err != nil {
		t.Fatal(err)
	}
	if fd, err := load(encode(prog)); err == nil {
		unix.Close(fd) // a newer kernel may accept it
	} else if !tooComplex(err) || !strings.HasPrefix(attachError("/c", len(many), err).Error(), "devices: 13000 rules are more than the kernel's verifier accepts") {
		t.Errorf("13,000 partly: %v", err)
	}

	// The error has the verifier's reason.
	_, err = load(encode([]Insn{{Op: opExit}}))
	if !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.EINVAL) || !strings.Contains(err.Error(), "R0") {
		t.Errorf("a bad program: %v", err)
	}
}

func FuzzRules(f *testing.F) {
	f.Add(true, "c", int64(1), int64(3), "rwm")
	f.Add(false, "a", int64(-1), int64(-1), "m")
	f.Fuzz(func(t *testing.T, allow bool, typ string, major, minor int64, access string) {
		rules := []specs.LinuxDeviceCgroup{{Access: "rwm"}, {Allow: allow, Type: typ, Major: &major, Minor: &minor, Access: access}}
		if Check(rules) != nil {
			return
		}
		checkProgram(t, "fuzz", rules)
		if _, err := V1Lines(rules); err != nil {
			t.Error(err)
		}
	})
}

// FuzzRuleList makes several rules, four bytes each, of which the last ones count.
func FuzzRuleList(f *testing.F) {
	f.Add([]byte{0, 0, 0, 7, 9, 1, 3, 7, 8, 1, 5, 2})
	f.Add([]byte{1, 0, 0, 7, 2, 255, 255, 4})
	f.Fuzz(func(t *testing.T, data []byte) {
		var rules []specs.LinuxDeviceCgroup
		for ; len(data) >= 4 && len(rules) < 8; data = data[4:] {
			r := specs.LinuxDeviceCgroup{Allow: data[0]&1 != 0, Type: []string{"", "a", "b", "c"}[data[0]>>1&3]}
			for i, to := range []**int64{&r.Major, &r.Minor} {
				if n := int64(data[1+i]); n != 255 { // unset
					*to = &n
				}
			}
			for i, letter := range "rwm" {
				if data[3]&(1<<i) != 0 {
					r.Access += string(letter)
				}
			}
			rules = append(rules, r)
		}
		if Check(rules) != nil {
			return
		}
		checkProgram(t, "fuzz", rules)
		lines, err := V1Lines(rules)
		if err != nil {
			return // these rules cannot be written for v1
		}
		parsed, err := parse(rules)
		if err != nil {
			t.Fatal(err)
		}
		var k kernelV1
		for _, l := range lines {
			k.write(t, l)
		}
		for _, q := range requests() {
			if k.allows(q) && !allowed(parsed, q) {
				t.Fatalf("%+v: lines allow what rules deny\n%v\n%v", q, parsed, lines)
			}
		}
	})
}
