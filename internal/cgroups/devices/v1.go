package devices

import (
	"errors"
	"fmt"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Line is one write to a file of the v1 devices controller.
type Line struct {
	File  string // "devices.allow" or "devices.deny"
	Value string // for example "c 1:3 rwm"; "a" is everything
}

// device is a device, or a range of devices, of an entry in a v1 device list.
type device struct {
	kind         kind
	major, minor int64
}

// covers reports whether d includes all devices of o.
func (d device) covers(o device) bool {
	return d.kind == o.kind &&
		(d.major == anyNumber || d.major == o.major) &&
		(d.minor == anyNumber || d.minor == o.minor)
}

// wider lists the entries that cover d, including d.
func (d device) wider() [4]device {
	return [4]device{
		d,
		{d.kind, d.major, anyNumber},
		{d.kind, anyNumber, d.minor},
		{d.kind, anyNumber, anyNumber},
	}
}

func (d device) overlaps(o device) bool {
	return d.kind == o.kind &&
		(d.major == anyNumber || o.major == anyNumber || d.major == o.major) &&
		(d.minor == anyNumber || o.minor == anyNumber || d.minor == o.minor)
}

// list is the state of a v1 devices cgroup: the default for all devices, and
// the exceptions in the order in which they came.
type list struct {
	allow      bool
	order      []device
	exceptions map[device]access
}

// V1Lines returns the writes that apply the rules to a new v1 devices cgroup.
// The kernel has either a list of allowed or a list of denied devices, so it
// cannot deny a part of an allowed range. V1Lines refuses such rules.
func V1Lines(rules []specs.LinuxDeviceCgroup) ([]Line, error) {
	parsed, err := parse(rules)
	if err != nil {
		return nil, err
	}
	l := list{exceptions: make(map[device]access)}
	for _, r := range parsed {
		if err := l.apply(r); err != nil {
			return nil, fmt.Errorf("devices: %w", err) // without the index, which WithDefaults has changed
		}
	}
	l.widen()
	return l.lines(), nil
}

// apply changes the list for the rule. The kernel would do the same with a line
// for the rule, except for rules that it cannot express: then it silently drops
// a part of the rule.
func (l *list) apply(r rule) error {
	if r.everything() {
		*l = list{allow: r.allow, exceptions: make(map[device]access)}
		return nil
	}
	kinds := []kind{r.kind}
	if r.kind == anyKind {
		kinds = []kind{block, char}
	}
	for _, k := range kinds {
		d := device{k, r.major, r.minor}
		if r.allow != l.allow {
			l.except(d, r.access)
			continue
		}
		if err := l.unexcept(d, r); err != nil {
			return err
		}
	}
	return nil
}

func (l *list) except(d device, a access) {
	if _, ok := l.exceptions[d]; !ok {
		l.order = append(l.order, d)
	}
	l.exceptions[d] |= a
}

func (l *list) unexcept(d device, r rule) error {
	if d.major != anyNumber && d.minor != anyNumber { // many such rules: do not scan all exceptions for each
		for _, e := range d.wider() {
			if err := l.unexceptOne(d, e, r); err != nil {
				return err
			}
		}
		return nil
	}
	for _, e := range l.order {
		if err := l.unexceptOne(d, e, r); err != nil {
			return err
		}
	}
	return nil
}

func (l *list) unexceptOne(d, e device, r rule) error {
	if !d.overlaps(e) {
		return nil
	}
	a := l.exceptions[e]
	switch {
	case a&r.access == 0:
	case d.covers(e):
		l.exceptions[e] = a &^ r.access
	default:
		return fmt.Errorf("rule %q takes a part out of %q, which an earlier rule or a default has: %w (cgroup v1 cannot express it; name the devices one by one)",
			r, rule{kind: e.kind, major: e.major, minor: e.minor, access: a}, errors.ErrUnsupported)
	}
	return nil
}

// widen adds to each allowed device the access that an entry about more devices
// allows: the kernel requires all of an access (open for read and write) from
// one entry.
func (l *list) widen() {
	if l.allow {
		return // the kernel checks a list of denied devices kind by kind
	}
	for _, d := range l.order {
		if l.exceptions[d] == 0 {
			continue
		}
		for _, wide := range d.wider() {
			l.exceptions[d] |= l.exceptions[wide]
		}
	}
}

func (l *list) lines() []Line {
	base, other := Line{"devices.deny", "a"}, "devices.allow"
	if l.allow {
		base, other = Line{"devices.allow", "a"}, "devices.deny"
	}
	lines := []Line{base}
	for _, d := range l.order {
		if a := l.exceptions[d]; a != 0 {
			lines = append(lines, Line{other, rule{kind: d.kind, major: d.major, minor: d.minor, access: a}.String()})
		}
	}
	return lines
}

// SetV1 applies the rules to the directory dir of the v1 devices controller. It
// first denies all access, so the cgroup must not hold a process yet.
func SetV1(dir string, rules []specs.LinuxDeviceCgroup) error {
	lines, err := V1Lines(rules)
	if err != nil {
		return err
	}
	for _, l := range lines {
		err := cgroupfs.WriteFile(dir, l.File, l.Value)
		if l.File == "devices.allow" && errors.Is(err, unix.EPERM) {
			return fmt.Errorf("devices: %w (the cgroup above does not allow it, or CAP_SYS_ADMIN is missing)", err)
		}
		if err != nil {
			return fmt.Errorf("devices: %w", err)
		}
	}
	return nil
}
