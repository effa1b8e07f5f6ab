package devices

import (
	"errors"
	"fmt"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Line is a write to a file of the v1 devices controller.
type Line struct {
	File  string // "devices.allow" or "devices.deny"
	Value string // e.g. "c 1:3 rwm"; "a" is everything
}

// device is what an entry of a v1 device list is about.
type device struct {
	kind         kind
	major, minor int64
}

// covers tells whether all that o is about is also what d is about.
func (d device) covers(o device) bool {
	return d.kind == o.kind &&
		(d.major == anyNumber || d.major == o.major) &&
		(d.minor == anyNumber || d.minor == o.minor)
}

// wider lists the entries that cover d, d among them.
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

// list is the state of a v1 devices cgroup: what holds for all devices, and
// the exceptions in the order they came.
type list struct {
	allow      bool
	order      []device
	exceptions map[device]access
}

// V1Lines returns the writes that make a new v1 devices cgroup do what the
// rules say. The kernel's list cannot express every list of rules: it is
// either one of allowed devices or one of denied devices, so that an allowed
// range cannot have a hole. Such rules are refused.
func V1Lines(rules []specs.LinuxDeviceCgroup) ([]Line, error) {
	parsed, err := parse(rules)
	if err != nil {
		return nil, err
	}
	l := list{exceptions: make(map[device]access)}
	for _, r := range parsed {
		if err := l.apply(r); err != nil {
			return nil, fmt.Errorf("devices: %w", err) // without an index: WithDefaults has changed it
		}
	}
	l.widen()
	return l.lines(), nil
}

// apply changes the list as the rule says. The kernel would do the same with a
// line for the rule, but for what it cannot express: there it drops a part of
// the rule without a word.
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
	if d.major != anyNumber && d.minor != anyNumber { // many such rules: not each over all exceptions
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
	a := l.exceptions[e]
	switch {
	case a&r.access == 0:
	case d.covers(e):
		l.exceptions[e] = a &^ r.access
	case d.overlaps(e):
		return fmt.Errorf("rule %q takes a part out of %q, which an earlier rule or a default has: %w (cgroup v1 cannot express it; name the devices one by one)",
			r, rule{kind: e.kind, major: e.major, minor: e.minor, access: a}, errors.ErrUnsupported)
	}
	return nil
}

// widen gives each allowed device also what an entry about more devices allows:
// the kernel wants all of an access (open for read and write) from one entry.
func (l *list) widen() {
	if l.allow {
		return // a list of denied devices is looked at kind by kind
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
// denies all at first, so it is for a cgroup that holds no process yet.
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
