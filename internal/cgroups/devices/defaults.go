package devices

import (
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Default returns the rules for all containers: make nodes of any device, which
// grants no access to it, and use the specification's default devices, the
// terminals and /dev/net/tun.
func Default() []specs.LinuxDeviceCgroup {
	rule := func(typ string, major, minor int64, access string) specs.LinuxDeviceCgroup {
		r := specs.LinuxDeviceCgroup{Allow: true, Type: typ, Access: access}
		if major != anyNumber {
			r.Major = &major
		}
		if minor != anyNumber {
			r.Minor = &minor
		}
		return r
	}
	return []specs.LinuxDeviceCgroup{
		rule("c", anyNumber, anyNumber, "m"),
		rule("b", anyNumber, anyNumber, "m"),
		rule("c", 1, 3, "rwm"),           // /dev/null
		rule("c", 1, 5, "rwm"),           // /dev/zero
		rule("c", 1, 7, "rwm"),           // /dev/full
		rule("c", 1, 8, "rwm"),           // /dev/random
		rule("c", 1, 9, "rwm"),           // /dev/urandom
		rule("c", 5, 0, "rwm"),           // /dev/tty
		rule("c", 5, 1, "rwm"),           // /dev/console
		rule("c", 5, 2, "rwm"),           // /dev/ptmx
		rule("c", 10, 200, "rwm"),        // /dev/net/tun: runc and crun allow it, and VPNs bind it
		rule("c", 136, anyNumber, "rwm"), // /dev/pts/*
	}
}

// WithDefaults combines the rules of a configuration with the default ones.
//
// Where the configuration allows everything, its later denials apply and the
// defaults add nothing. Where it denies everything, or has no rule about
// everything, the defaults come directly after that rule, so that later rules
// override them. One kind of rule does not: the denial of all access ("rwm")
// repeats the denial of everything for some devices, and does not override the
// defaults either. Docker denies /dev/fuse so, and images make its node
// nevertheless.
//
// The rules must pass Check. WithDefaults does not change them.
func WithDefaults(list []specs.LinuxDeviceCgroup) []specs.LinuxDeviceCgroup {
	rules, err := parse(list)
	if err != nil {
		return slices.Concat(list, Default()) // the manager reports the error
	}
	begin := len(rules) - len(effective(rules))
	if len(rules) > begin && rules[begin].everything() {
		if rules[begin].allow {
			return slices.Clone(list)
		}
		begin++
	}
	return slices.Concat(list[:begin], Default(), withoutRepeated(list[begin:], rules[begin:]))
}

// withoutRepeated removes, from rules after the denial of everything, the
// denials of all access, with the permissions that they take back. It keeps a
// denial of a part of what an earlier rule allows.
func withoutRepeated(list []specs.LinuxDeviceCgroup, rules []rule) []specs.LinuxDeviceCgroup {
	type pair struct {
		specs.LinuxDeviceCgroup
		rule
	}
	var kept []pair
	for i, r := range rules {
		if !r.allow && r.access == all {
			partly := func(p pair) bool { return p.allow && r.touches(p.rule) && !r.covers(p.rule) }
			if !slices.ContainsFunc(kept, partly) {
				kept = slices.DeleteFunc(kept, func(p pair) bool { return r.covers(p.rule) })
				continue
			}
		}
		kept = append(kept, pair{list[i], r})
	}
	out := make([]specs.LinuxDeviceCgroup, 0, len(kept))
	for _, p := range kept {
		out = append(out, p.LinuxDeviceCgroup)
	}
	return out
}
