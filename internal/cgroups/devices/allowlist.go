package devices

import (
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Allowed is an entry of a list of allowed devices.
type Allowed struct {
	// Block is true for a block device, false for a character device.
	Block bool
	// Major and Minor are -1 for all numbers.
	Major, Minor int64
	// Access is made of "r", "w" and "m".
	Access string
}

// AllowList converts rules to a list of allowed devices; all others are denied.
// With whole, every device is allowed. ok is false for rules that allow all
// devices but some, which no such list can express.
func AllowList(list []specs.LinuxDeviceCgroup) (allowed []Allowed, whole, ok bool, err error) {
	rules, err := parse(list)
	if err != nil {
		return nil, false, false, err
	}
	var kept []rule
	for _, r := range effective(rules) {
		switch {
		case r.everything():
			kept, whole = nil, r.allow
		case r.allow && !whole:
			kept = append(kept, r.split()...)
		case !r.allow:
			if whole {
				return nil, false, false, nil
			}
			kept = slices.DeleteFunc(kept, r.covers)
			if slices.ContainsFunc(kept, r.touches) {
				return nil, false, false, nil
			}
		}
	}
	for _, r := range kept {
		allowed = append(allowed, Allowed{Block: r.kind == block, Major: r.major, Minor: r.minor, Access: r.access.String()})
	}
	return allowed, whole, true, nil
}

// split returns a rule for each kind of device.
func (r rule) split() []rule {
	if r.kind != anyKind {
		return []rule{r}
	}
	b, c := r, r
	b.kind, c.kind = block, char
	return []rule{b, c}
}

// covers reports whether r includes all of other.
func (r rule) covers(other rule) bool {
	return (r.kind == anyKind || r.kind == other.kind) &&
		(r.major == anyNumber || r.major == other.major) &&
		(r.minor == anyNumber || r.minor == other.minor) &&
		other.access&^r.access == 0
}

// touches reports whether r and other have a device in common.
func (r rule) touches(other rule) bool {
	same := func(a, b int64) bool { return a == anyNumber || b == anyNumber || a == b }
	return (r.kind == anyKind || r.kind == other.kind) &&
		same(r.major, other.major) && same(r.minor, other.minor) && r.access&other.access != 0
}
