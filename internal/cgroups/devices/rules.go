// Package devices converts the device rules of linux.resources.devices to lines
// for the v1 devices controller, or to a program for v2 that it loads with
// bpf(2).
//
// The rules mean the same for both. At first all access is denied. Each rule
// changes the access that it names, so the last rule that matches a device and
// a kind of access decides.
//
// The functions that make lines and programs are pure; SetV1 and SetV2 apply
// them. These two have the type of SetDevices in fs.Options and fs2.Options.
package devices

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// access is a set of kinds of access, with the bits of BPF_DEVCG_ACC_*.
type access uint32

const (
	mknod access = unix.BPF_DEVCG_ACC_MKNOD
	read  access = unix.BPF_DEVCG_ACC_READ
	write access = unix.BPF_DEVCG_ACC_WRITE
	all          = mknod | read | write
)

func (a access) String() string {
	s := ""
	for _, k := range []struct {
		bit  access
		name string
	}{{read, "r"}, {write, "w"}, {mknod, "m"}} {
		if a&k.bit != 0 {
			s += k.name
		}
	}
	return s
}

// kind is the type of a device, 0 for both.
type kind uint32

const (
	anyKind kind = 0
	block   kind = unix.BPF_DEVCG_DEV_BLOCK
	char    kind = unix.BPF_DEVCG_DEV_CHAR
)

func (k kind) String() string {
	switch k {
	case block:
		return "b"
	case char:
		return "c"
	}
	return "a"
}

// anyNumber is a major or minor number that matches all.
const anyNumber = -1

// rule is a specs.LinuxDeviceCgroup, checked.
type rule struct {
	allow        bool
	kind         kind
	major, minor int64
	access       access
}

// everything reports whether the rule overrides all rules before it.
func (r rule) everything() bool {
	return r.kind == anyKind && r.wholeKind()
}

// wholeKind reports whether the rule overrides all rules before it about the
// same kind of device.
func (r rule) wholeKind() bool {
	return r.major == anyNumber && r.minor == anyNumber && r.access == all
}

// Check returns an error about the first rule that has no effect or an unknown
// value.
func Check(rules []specs.LinuxDeviceCgroup) error {
	_, err := parse(rules)
	return err
}

// rulesMost limits the number of rules: to compare each denial with all permissions, and to
// search the kernel's list of v1 for each line, takes quadratic time.
const rulesMost = 16384

func parse(list []specs.LinuxDeviceCgroup) ([]rule, error) {
	if len(list) > rulesMost {
		return nil, fmt.Errorf("devices: more than %d rules: %w (use rules for any minor number)", rulesMost, unix.E2BIG)
	}
	rules := make([]rule, 0, len(list))
	for i, l := range list {
		r, err := parseOne(l)
		if err != nil {
			return nil, fmt.Errorf("devices[%d]%w", i, err)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func parseOne(l specs.LinuxDeviceCgroup) (rule, error) {
	r := rule{allow: l.Allow, major: anyNumber, minor: anyNumber}
	switch l.Type {
	case "", "a":
	case "b":
		r.kind = block
	case "c", "u":
		// mknod(1) accepts "u" for "c".
		r.kind = char
	default:
		return r, fmt.Errorf(".type: %q: %w (a, b or c)", l.Type, unix.EINVAL)
	}
	for _, n := range []struct {
		name string
		from *int64
		to   *int64
	}{{"major", l.Major, &r.major}, {"minor", l.Minor, &r.minor}} {
		if n.from == nil {
			continue
		}
		if *n.from < anyNumber || *n.from > math.MaxUint32 {
			return r, fmt.Errorf(".%s: %d: %w", n.name, *n.from, unix.EINVAL)
		}
		*n.to = *n.from
	}
	for _, c := range l.Access {
		switch c {
		case 'r':
			r.access |= read
		case 'w':
			r.access |= write
		case 'm':
			r.access |= mknod
		default:
			return r, fmt.Errorf(".access: %q: %w (of r, w and m)", l.Access, unix.EINVAL)
		}
	}
	if r.access == 0 {
		return r, fmt.Errorf(".access: empty: %w (of r, w and m)", unix.EINVAL)
	}
	return r, nil
}

// effective drops the rules that a later rule about everything overrides.
func effective(rules []rule) []rule {
	for i := len(rules) - 1; i >= 0; i-- {
		if rules[i].everything() {
			return rules[i:]
		}
	}
	return rules
}

func number(n int64) string {
	if n == anyNumber {
		return "*"
	}
	return strconv.FormatInt(n, 10)
}

func (r rule) String() string {
	return strings.Join([]string{r.kind.String(), number(r.major) + ":" + number(r.minor), r.access.String()}, " ")
}
