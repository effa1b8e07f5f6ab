package devices

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// written parses rules such as "allow c 1:3 rwm" and "deny all".
func written(t *testing.T, rules ...string) (list []specs.LinuxDeviceCgroup) {
	t.Helper()
	for _, r := range rules {
		operation, what, _ := strings.Cut(r, " ")
		if what == "all" {
			what = "a *:* rwm"
		}
		f := strings.Fields(strings.Replace(what, ":", " ", 1))
		rule := specs.LinuxDeviceCgroup{Allow: operation == "allow", Type: f[0], Access: f[3]}
		if n := num(t, f[1]); n != anyNumber {
			rule.Major = &n
		}
		if n := num(t, f[2]); n != anyNumber {
			rule.Minor = &n
		}
		list = append(list, rule)
	}
	return list
}

// The configuration's rules apply in their order, and the defaults only
// override a denial of everything, for all devices or for some.
func TestDefaultsAndRules(t *testing.T) {
	for _, test := range []struct {
		rules  []string
		can    string // "c 1:3 rw", separated by commas
		cannot string
		v1     bool // v1 can express it
	}{
		{nil, "c 1:3 rw, c 4:0 m, b 7:0 m, c 10:200 rw, c 136:5 rw", "c 4:0 r, b 7:0 r, c 10:229 r", true},
		{[]string{"deny all"}, "c 1:3 rw, c 4:0 m, b 7:0 m, c 10:200 rw", "c 4:0 r, b 7:0 r", true},
		{[]string{"allow all"}, "c 1:3 rw, c 4:0 rwm, b 7:0 rwm", "", true},
		{[]string{"deny all", "allow all"}, "c 4:0 rwm", "", true},
		{[]string{"allow all", "deny all"}, "c 1:3 rw, c 4:0 m", "c 4:0 r", true},
		{[]string{"deny c 1:3 rw", "deny all"}, "c 1:3 rw", "", true},
		{[]string{"deny all", "allow c 4:0 r"}, "c 4:0 r, c 4:0 m, c 1:3 rw", "c 4:0 w", true},
		// Denials after the permission of everything.
		{[]string{"allow all", "deny c 4:0 rwm"}, "c 1:3 rw, c 4:1 m", "c 4:0 m, c 4:0 r", true},
		{[]string{"allow all", "deny c 4:0 m"}, "c 4:0 rw", "c 4:0 m", true},
		{[]string{"allow all", "deny c *:* m"}, "c 4:0 rw, b 7:0 m", "c 4:0 m, c 1:3 m", true},
		{[]string{"allow all", "deny c 1:3 w"}, "c 1:3 r", "c 1:3 w", true},
		// Denials after the denial of everything: Docker denies /dev/fuse, and
		// mknod still works.
		{[]string{"deny all", "allow c 1:3 rwm", "deny c 10:229 rwm"}, "c 1:3 rw, c 10:229 m", "c 10:229 r", true},
		{[]string{"deny c 10:229 rwm"}, "c 10:229 m", "c 10:229 r", true},
		{[]string{"deny all", "deny c 1:3 rwm"}, "c 1:3 rw", "", true},
		{[]string{"deny all", "allow c 4:0 rwm", "deny c 4:0 rwm"}, "c 4:0 m", "c 4:0 r", true},
		{[]string{"deny all", "allow c 4:0 rwm", "deny c 4:* rwm", "allow c 4:0 r"}, "c 4:0 m, c 4:0 r", "c 4:0 w", true},
		{[]string{"deny all", "deny c *:* m"}, "c 1:3 rw, b 7:0 m", "c 4:0 m, c 1:3 m", true},
		{[]string{"deny all", "deny a *:* m"}, "c 1:3 rw", "c 4:0 m, b 7:0 m", true},
		{[]string{"deny all", "deny c 1:3 w"}, "c 1:3 r", "c 1:3 w", true},
		{[]string{"deny all", "deny c 4:0 m"}, "c 4:1 m", "c 4:0 m", false},
		{[]string{"deny all", "allow c *:* rwm", "deny c 4:0 rwm"}, "c 4:1 rwm", "c 4:0 m, c 4:0 r", false},
	} {
		rules := written(t, test.rules...)
		before := slices.Clone(rules)
		list := WithDefaults(rules)
		if !reflect.DeepEqual(before, rules) {
			t.Errorf("%v: its argument was written to", test.rules)
		}
		program, err := V2Program(list)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := V1Lines(list)
		if (err == nil) != test.v1 {
			t.Errorf("%v: on v1: %v", test.rules, err)
		}
		var k kernelV1
		for _, l := range lines {
			k.write(t, l)
		}
		check := func(devices string, want bool) {
			for device := range strings.SplitSeq(devices, ", ") {
				if device == "" {
					continue
				}
				q := ask(t, device)
				for _, one := range []access{read, write, mknod} {
					if q.access&one == 0 {
						continue
					}
					q := request{q.kind, q.major, q.minor, one}
					if v2, v1 := run(t, program, q), k.allows(q); v2 != want || test.v1 && v1 != want {
						t.Errorf("%v: %s %s: v2 %v, v1 %v; want %v", test.rules, device, one, v2, v1, want)
					}
				}
			}
		}
		check(test.can, true)
		check(test.cannot, false)
	}
}

// ask parses a request such as "c 1:3 r".
func ask(t *testing.T, device string) request {
	t.Helper()
	parsed, err := parse(written(t, "allow "+device))
	if err != nil {
		t.Fatal(err)
	}
	r := parsed[0]
	return request{r.kind, r.major, r.minor, r.access}
}

func TestDefaultLines(t *testing.T) {
	got, err := V1Lines(WithDefaults([]specs.LinuxDeviceCgroup{{Access: "rwm"}}))
	if err != nil {
		t.Fatal(err)
	}
	want := []Line{
		{"devices.deny", "a"},
		{"devices.allow", "c *:* m"},
		{"devices.allow", "b *:* m"},
		{"devices.allow", "c 1:3 rwm"},
		{"devices.allow", "c 1:5 rwm"},
		{"devices.allow", "c 1:7 rwm"},
		{"devices.allow", "c 1:8 rwm"},
		{"devices.allow", "c 1:9 rwm"},
		{"devices.allow", "c 5:0 rwm"},
		{"devices.allow", "c 5:1 rwm"},
		{"devices.allow", "c 5:2 rwm"},
		{"devices.allow", "c 10:200 rwm"},
		{"devices.allow", "c 136:* rwm"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

// The error about an invalid rule has its index in the configuration.
func TestWithDefaultsKeepsTheIndex(t *testing.T) {
	_, err := V2Program(WithDefaults([]specs.LinuxDeviceCgroup{{Access: "rwm"}, {Access: "x"}}))
	if err == nil || !strings.HasPrefix(err.Error(), "devices[1].access") {
		t.Error(err)
	}
}

// Ten thousand rules of any kind: the result grows with their number, not with
// its square.
func TestManyRules(t *testing.T) {
	const n = 10000
	for name, rule := range map[string]func(i int64) specs.LinuxDeviceCgroup{
		"allowed":        func(i int64) specs.LinuxDeviceCgroup { return many(true, i, "rwm") },
		"allowed partly": func(i int64) specs.LinuxDeviceCgroup { return many(true, i, "r") },
		"denied":         func(i int64) specs.LinuxDeviceCgroup { return many(false, i, "rwm") },
		"in turn":        func(i int64) specs.LinuxDeviceCgroup { return many(i%2 == 0, i/2, "rwm") },
	} {
		t.Run(name, func(t *testing.T) {
			rules := make([]specs.LinuxDeviceCgroup, n)
			for i := range rules {
				rules[i] = rule(int64(i))
			}
			list := WithDefaults(rules)
			program, err := V2Program(list)
			if err != nil {
				t.Fatal(err)
			}
			if most := 8 * (len(list) + 4); len(program) > most {
				t.Errorf("%d instructions for %d rules", len(program), len(list))
			}
			lines, err := V1Lines(list)
			if err != nil || len(lines) > len(list)+1 {
				t.Errorf("%d lines for %d rules, %v", len(lines), len(list), err)
			}
			if _, _, ok, err := AllowList(list); !ok || err != nil {
				t.Errorf("%v, %v", ok, err)
			}
		})
	}
}

func many(allow bool, i int64, access string) specs.LinuxDeviceCgroup {
	return specs.LinuxDeviceCgroup{Allow: allow, Type: "b", Major: ptr(i >> 12), Minor: ptr(i & 0xfff), Access: access}
}

// TestTooManyRules: the time to compare rules grows with the square of their number.
func TestTooManyRules(t *testing.T) {
	for _, n := range []int{rulesMost, rulesMost + 1} {
		rules := make([]specs.LinuxDeviceCgroup, n)
		for i := range rules {
			rules[i] = many(true, int64(i), "rwm")
		}
		_, v2 := V2Program(rules)
		_, v1 := V1Lines(rules)
		_, _, _, systemd := AllowList(rules)
		for _, err := range []error{Check(rules), v1, v2, systemd} {
			if (n > rulesMost) != errors.Is(err, unix.E2BIG) {
				t.Errorf("%d rules: %v", n, err)
			}
		}
		if n := len(WithDefaults(rules)); n < rulesMost {
			t.Errorf("%d rules", n)
		}
	}
}
