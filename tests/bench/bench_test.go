package main

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestQuartiles(t *testing.T) {
	for _, test := range []struct {
		all  []float64
		want quartiles
	}{
		{[]float64{7}, quartiles{7, 7, 7}},
		{[]float64{2, 1}, quartiles{1.25, 1.5, 1.75}},
		{[]float64{5, 1, 4, 2, 3}, quartiles{2, 3, 4}},
	} {
		if got := quartilesOf(test.all); got != test.want {
			t.Errorf("quartiles of %v: %v, want %v", test.all, got, test.want)
		}
	}
}

func TestRatioComparesRounds(t *testing.T) {
	// In the last round both took longer.
	a := &series{Samples: []sample{{Wall: 1}, {Wall: 2}, {Wall: 50}}}
	b := &series{Samples: []sample{{Wall: 2}, {Wall: 4}, {Wall: 100}}}
	if got := ratio(a, b, wall); got != 0.5 {
		t.Errorf("ratio %v, want 0.5", got)
	}
}

func TestParseReport(t *testing.T) {
	commands := [][]string{{"/mnt/bin/berth", "--root", "/run/x", "state", "a"}, {"/mnt/bin/berth", "--root", "/run/x", "kill", "a"}}
	log := func() string { return "no such container" }
	got, err := parseReport("0 1000000 3500000 1000 500 4096 10 1 3 2 0\n0 1500000 5000000 100 0 2048 1 0 1 0 77\n", commands, log)
	if err != nil {
		t.Fatal(err)
	}
	if want := (sample{Wall: 2.5, CPU: 1.5, Peak: 4096, Faults: 11, Switches: 5, start: 1, end: 3.5}); got[0] != want {
		t.Errorf("%+v, want %+v", got[0], want)
	}
	if want := (sample{Wall: 6, CPU: 1.6, Peak: 4096, Faults: 12, Switches: 6, Calls: 77}); sum(got) != want {
		t.Errorf("sum %+v, want %+v", sum(got), want)
	}
	if got := span(got); got != 4 {
		t.Errorf("span %v, want 4", got)
	}
	_, err = parseReport("0 0 0 0 0 0 0 0 0 0 0\n1 0 0 0 0 0 0 0 0 0 0\n", commands, log)
	if err == nil || err.Error() != "--root /run/x kill a: exit status 1: no such container" {
		t.Errorf("of a command that failed: %v", err)
	}
	if _, err = parseReport("0 0 0 0 0 0 0 0 0 0 0\n", commands, log); err == nil {
		t.Error("accepted one line for two commands")
	}
}

func TestParseSmaps(t *testing.T) {
	rss, private, err := parseSmaps("0-1 ---p 00000000 00:00 0 [rollup]\nRss:   16 kB\nPss:   12 kB\nPrivate_Clean:   4 kB\nPrivate_Dirty:   8 kB\n")
	if err != nil || rss != 16 || private != 12 {
		t.Errorf("%v, %v, %v; want 16 and 12", rss, private, err)
	}
	if _, _, err := parseSmaps("Rss: 16 kB\n"); err == nil {
		t.Error("accepted a file without private memory")
	}
}

func TestSmallest(t *testing.T) {
	for _, want := range []int{1, 2, 3, 7, 8, 64, 99, 100} {
		got, err := smallest(128, func(n int) (bool, error) { return n >= want, nil })
		if got != want || err != nil {
			t.Errorf("%v, %v; want %d", got, err, want)
		}
	}
	if got, err := smallest(128, func(n int) (bool, error) { return false, nil }); got != 0 || err != nil {
		t.Errorf("%v, %v; want 0", got, err)
	}
}

func TestNewest(t *testing.T) {
	all := []candidate{
		{Name: "a", Kind: "crun", Version: "1.8.1"},
		{Name: "b", Kind: "crun", Version: "1.28"},
		{Name: "c", Kind: "crun", Version: "1.9"},
		{Name: "d", Kind: "runc", Version: "1.5.0-rc.1"},
	}
	if got := newest(all, "crun"); got.Name != "b" {
		t.Errorf("newest crun: %s", got.Name)
	}
	if got := newest(all, "runc"); got.Name != "d" {
		t.Errorf("newest runc: %s", got.Name)
	}
	if got := newest(all, "youki"); got != nil {
		t.Errorf("newest youki: %s", got.Name)
	}
}

func TestVerdict(t *testing.T) {
	for _, test := range []struct {
		value, demanded float64
		want            string
	}{
		{0.5, 0, met},
		{0.5, 0.5, met},
		{0.57, 0.5, tolerated},
		{0.58, 0.5, exceeded},
		{5, 0, notReached},
		{0.68, 0.6, notReached},
		{0.7, 0.6, exceeded},
	} {
		if got := (target{0.5, test.demanded}).verdict(test.value); got != test.want {
			t.Errorf("%v of 0.5, with %v demanded: %s, want %s", test.value, test.demanded, got, test.want)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, l := range limits {
		for _, goal := range []target{l.v2, l.v1} {
			if goal.wanted <= 0 || goal.demanded != 0 && goal.demanded < goal.wanted {
				t.Errorf("%s: %+v: must demand no more than it wants", l.name, goal)
			}
		}
		if _, measured := l.value(&viewResult{}); measured {
			t.Errorf("%s: has a value where nothing was measured", l.name)
		}
	}
}

// measuredRun has one round of "run", in which berth took this long, and crun 10 ms.
func measuredRun(wall float64) *measured {
	m := &measured{
		Candidates: []candidate{{Name: berth, Kind: berth}, {Name: "crun 1.28", Kind: "crun", Version: "1.28"}},
		Values:     []value{{initRSS, berth, 16}},
	}
	for name, s := range map[string]sample{berth: {Wall: wall, CPU: 4, Peak: 6500}, "crun 1.28": {Wall: 10, CPU: 5, Peak: 2000}} {
		for _, mode := range []string{cold, hot} {
			m.Series = append(m.Series, &series{Measurement: "run", Mode: mode, Runtime: name, Samples: []sample{s}, Calls: 700})
		}
	}
	for name, took := range map[string]float64{firstMany: 8, lastMany: 10} {
		m.Series = append(m.Series, &series{Measurement: name, Mode: hot, Runtime: berth, Samples: []sample{{Wall: took}}})
	}
	return m
}

func TestJudge(t *testing.T) {
	defer func(saved []limit) { limits = saved }(limits)
	limits = []limit{
		{"run, cold, to crun's", wallTo("crun", "run", cold), target{0.45, 0.45}, target{0.55, 0.55}},
		{"CPU of run to crun's", cpuTo("crun", "run"), target{0.75, 0}, target{0.75, 0}},
		{"run to runc's", wallTo("runc", "run", hot), target{0.25, 0.25}, target{0.25, 0.25}},
		{"peak", peak, target{6000, 6000}, target{6000, 6000}},
		{"init", memory(initRSS), target{20, 20}, target{20, 20}},
		{"growth", growth, target{1.3, 0}, target{1.3, 0}},
	}
	var text bytes.Buffer
	fine := results{Views: []viewResult{summarize("v2", measuredRun(4)), summarize("v1", measuredRun(5))}}
	if err := judge(&text, fine); err != nil {
		t.Error(err)
	}
	for line, times := range map[string]int{
		"run, cold, to crun's 0.40 0.45 met":             1,
		"run, cold, to crun's 0.50 0.55 met":             1,
		"CPU of run to crun's 0.80 0.75 not reached":     2,
		"peak 6500.00 6000.00 tolerated":                 2,
		"init 16.00 20.00 met":                           2,
		"growth 1.25 1.30 met":                           2,
		"run to runc's":                                  0,
		"cgroup v2; crun is crun 1.28, runc is not here": 1,
	} {
		if got := strings.Count(words(text.String()), line); got != times {
			t.Errorf("%q is %d times, not %d, in:\n%s", line, got, times, &text)
		}
	}
	err := judge(&text, results{Views: []viewResult{summarize("v2", measuredRun(6))}})
	if want := "cgroup v2: run, cold, to crun's: 0.60 exceeds 0.45 by more than 15 %"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestTables(t *testing.T) {
	var text bytes.Buffer
	printTables(&text, results{Rounds: 1, Views: []viewResult{summarize("v2", measuredRun(4))}})
	for _, line := range []string{
		"wall time, ms berth crun 1.28 run, cold 4 10.00 (0.40) run, hot 4 10.00 (0.40) create, first 20 of 1000, hot 8 -",
		"peak memory, KiB berth crun 1.28 run 6500 2000",
		"system calls berth crun 1.28 run 700 700",
		"memory of init 16 -",
	} {
		if !strings.Contains(words(text.String()), line) {
			t.Errorf("%q is not in:\n%s", line, &text)
		}
	}
}

func TestEncode(t *testing.T) {
	all := results{Date: "2026-12-01", Rounds: 1, Views: []viewResult{summarize("v2", measuredRun(4))}}
	text, err := all.encode()
	if err != nil {
		t.Fatal(err)
	}
	var again results
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again.Views[0].Results, all.Views[0].Results) {
		t.Errorf("%+v, want %+v", again.Views[0].Results, all.Views[0].Results)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Count(line, `"measurement"`) > 1 {
			t.Errorf("more than one result in a line: %s", line)
		}
	}
}

// words has one space between all words.
func words(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestSettings(t *testing.T) {
	env := map[string]string{"BENCH_ROUNDS": "5", "BENCH_VIEW": "v1", "BENCH_RUNTIMES": "a=/x b=/y", "BENCH_JSON": "f", "BENCH_ONLY": "^run"}
	s, err := settingsOf(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	if s.Rounds != 5 || len(s.views) != 1 || len(s.Runtimes) != 2 || s.Runtimes[1] != (program{"b", "/y"}) || s.output != "f" || s.Only != "^run" {
		t.Errorf("%+v", s)
	}
	for name, bad := range map[string]string{"BENCH_ROUNDS": "0", "BENCH_VIEW": "v3", "BENCH_ONLY": "(", "BENCH_RUNTIMES": "/x"} {
		if _, err := settingsOf(func(n string) string { return map[string]string{name: bad}[n] }); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s=%s: %v", name, bad, err)
		}
	}
}
