package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// limit is about a value of berth.
type limit struct {
	name   string
	value  func(*viewResult) (value float64, measured bool)
	v2, v1 target
}

// target is the value that is wanted, and the one that is demanded: the smallest that
// berth has reached, at least the wanted one, or 0 if nothing is demanded yet.
type target struct{ wanted, demanded float64 }

// tolerance is how much a demanded value may be exceeded by: measurements vary.
const tolerance = 1.15

// limits have "crun" and "runc" for the newest that run here.
var limits = []limit{
	{"wall time of run, cold, to crun's", wallTo("crun", "run", cold), target{0.45, 0.45}, target{0.55, 0}},
	{"wall time of run to crun's", wallTo("crun", "run", hot), target{0.65, 0}, target{0.75, 0}},
	{"wall time of run with Docker's profile to crun's", wallTo("crun", "run with Docker's profile", hot), target{0.6, 0}, target{0.7, 0}},
	{"wall time of create+start+delete to crun's", wallTo("crun", "create+start+delete", hot), target{0.7, 0}, target{0.8, 0}},
	{"wall time of start to crun's", wallTo("crun", "start", hot), target{0.8, 0}, target{0.9, 0}},
	{"wall time of exec to crun's", wallTo("crun", "exec", hot), target{0.75, 0}, target{0.85, 0}},
	{"wall time of state to crun's", wallTo("crun", "state", hot), target{0.6, 0}, target{0.7, 0.7}},
	{"CPU time of run to crun's", cpuTo("crun", "run"), target{0.75, 0}, target{0.75, 0}},
	{"CPU time of create+start+delete to crun's", cpuTo("crun", "create+start+delete"), target{0.75, 0}, target{0.75, 0}},
	{"CPU time of exec to crun's", cpuTo("crun", "exec"), target{0.8, 0}, target{0.8, 0}},
	{"CPU time of state to crun's", cpuTo("crun", "state"), target{0.6, 0}, target{0.6, 0}},
	{"wall time of run to runc's", wallTo("runc", "run", hot), target{0.25, 0}, target{0.25, 0}},
	{"wall time of create+start+delete to runc's", wallTo("runc", "create+start+delete", hot), target{0.3, 0.3}, target{0.3, 0.3}},
	{"wall time of exec to runc's", wallTo("runc", "exec", hot), target{0.25, 0.25}, target{0.25, 0}},
	{"wall time of run to the lower bound", wallTo(bound, "run", hot), target{2.2, 0}, target{2.2, 0}},
	{"CPU time of run to the lower bound", cpuTo(bound, "run"), target{2.5, 0}, target{2.5, 0}},
	{"peak memory of a command, KiB", peak, target{6000, 0}, target{6000, 0}},
	{"memory of init, KiB", memory(initRSS), target{20, 20}, target{20, 20}},
	{"create, 1000th to first", growth, target{1.3, 1.3}, target{1.3, 1.3}},
	{"list of 1000, ms", listTime, target{60, 0}, target{60, 0}},
}

func (l *limit) target(view string) target {
	if view == "v1" {
		return l.v1
	}
	return l.v2
}

func wallTo(kind, measurement, mode string) func(*viewResult) (float64, bool) {
	return ratioTo(kind, measurement, mode, func(r *result) float64 { return r.WallRatio })
}

func cpuTo(kind, measurement string) func(*viewResult) (float64, bool) {
	return ratioTo(kind, measurement, hot, func(r *result) float64 { return r.CPURatio })
}

func ratioTo(kind, measurement, mode string, of func(*result) float64) func(*viewResult) (float64, bool) {
	return func(v *viewResult) (float64, bool) {
		r := v.find(measurement, mode, v.Newest[kind])
		if r == nil || of(r) == 0 {
			return 0, false
		}
		return of(r), true
	}
}

// peak is the largest of all commands but those on many containers.
func peak(v *viewResult) (kib float64, measured bool) {
	for _, name := range []string{"run", "create", "start", "delete", "exec", "state", "kill"} {
		if r := v.find(name, hot, berth); r != nil {
			kib, measured = max(kib, r.Peak), true
		}
	}
	return kib, measured
}

func memory(name string) func(*viewResult) (float64, bool) {
	return func(v *viewResult) (float64, bool) { return v.value(name, berth) }
}

func growth(v *viewResult) (float64, bool) {
	first, last := v.find(firstMany, hot, berth), v.find(lastMany, hot, berth)
	if first == nil || last == nil {
		return 0, false
	}
	return last.Wall[1] / first.Wall[1], true
}

func listTime(v *viewResult) (float64, bool) {
	r := v.find(list1000, hot, berth)
	if r == nil {
		return 0, false
	}
	return r.Wall[1], true
}

// judge prints all limits, and fails if one is exceeded.
func judge(w io.Writer, all results) error {
	var failed []error
	for _, v := range all.Views {
		fmt.Fprintf(w, "\n%-52s%10s%10s\n", fmt.Sprintf("cgroup %s; crun is %s, runc is %s",
			v.View, name(v.Newest["crun"]), name(v.Newest["runc"])), "berth", "target")
		for _, l := range limits {
			value, measured := l.value(&v)
			if !measured {
				continue
			}
			t := l.target(v.View)
			result := t.verdict(value)
			fmt.Fprintf(w, "%-52s%10.2f%10.2f  %s\n", l.name, value, t.wanted, result)
			if result == exceeded {
				failed = append(failed, fmt.Errorf("cgroup %s: %s: %.2f exceeds %.2f by more than %.0f %%",
					v.View, l.name, value, t.demanded, 100*(tolerance-1)))
			}
		}
	}
	return errors.Join(failed...)
}

// name is the name of a runtime, for the reader.
func name(runtime string) string {
	if runtime == "" {
		return "not here"
	}
	return runtime
}

// Verdicts on a value.
const (
	met        = "met"
	tolerated  = "tolerated"
	notReached = "not reached"
	exceeded   = "EXCEEDED"
)

func (t target) verdict(value float64) string {
	switch {
	case value <= t.wanted:
		return met
	case t.demanded > 0 && value > t.demanded*tolerance:
		return exceeded
	case t.demanded == t.wanted:
		return tolerated
	}
	return notReached
}

// newest returns nil if there is no runtime of that kind.
func newest(all []candidate, kind string) *candidate {
	var found *candidate
	for i := range all {
		if c := &all[i]; c.Kind == kind && (found == nil || older(found.Version, c.Version)) {
			found = c
		}
	}
	return found
}

// older compares the numbers of two versions.
func older(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		x, y := leadingNumber(as[i]), leadingNumber(bs[i])
		if x != y {
			return x < y
		}
	}
	return len(as) < len(bs)
}

// leadingNumber is 0 without one.
func leadingNumber(s string) int {
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		s = s[:end]
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
