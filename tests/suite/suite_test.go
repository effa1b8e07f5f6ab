package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTapLine(t *testing.T) {
	for line, want := range map[string]result{
		"ok 2 run (a) [b], c in 8ms":                {name: "run (a) [b], c", status: passed, took: 8 * time.Millisecond},
		"ok 3 run":                                  {name: "run", status: passed},
		"ok 4 run in 5ms # skip no fuse here":       {name: "run", status: skipped, took: 5 * time.Millisecond, reason: "no fuse here"},
		"ok 5 run # skip":                           {name: "run", status: skipped},
		"not ok 6 run in 2017ms # timeout after 2s": {name: "run", status: failed, took: 2017 * time.Millisecond},
		"not ok 7 the input keeps its order in 3ms": {name: "the input keeps its order", status: failed, took: 3 * time.Millisecond},
	} {
		m := tapLine.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("%q: no result", line)
			continue
		}
		if got := parseResult(m); got != want {
			t.Errorf("%q: got %+v, want %+v", line, got, want)
		}
	}
	for _, line := range []string{"1..7", "# ok 1 run", "#   `false' failed", ""} {
		if tapLine.MatchString(line) {
			t.Errorf("%q parsed as a result", line)
		}
	}
}

func TestBatsRunReportsMissingTests(t *testing.T) {
	var r report
	b := batsRun{seen: map[string]bool{}}
	if err := b.read(&r, strings.NewReader("1..3\nok 1 a in 1ms\nok 2 b in 1ms\n")); err != nil {
		t.Fatal(err)
	}
	if err := b.complete(); err == nil {
		t.Error("2 results of 3 planned tests are complete")
	}
	b.planned = 2
	if err := b.complete(); err != nil {
		t.Error(err)
	}
	b.expected = differences{"gone": "why"}
	if err := b.complete(); err == nil {
		t.Error("a difference without a test was not noticed")
	}
}

func TestFaultsRunReportsMissingTasks(t *testing.T) {
	var r report
	f := faultsRun{}
	if err := f.read(&r, strings.NewReader("# seed 1\n1..3\nok 1 kills/host/default/create in 5ms\n# 4 of 9 trials\nnot ok 2 errors/v2/full/run in 7ms\n")); err != nil {
		t.Fatal(err)
	}
	if err := f.complete(); err == nil {
		t.Error("2 results of 3 planned tasks are complete")
	}
	if len(r.results) != 2 || r.results[0].status != passed || r.results[1].status != failed || r.results[1].name != "errors/v2/full/run" {
		t.Errorf("got %+v", r.results)
	}
	f.planned = 2
	if err := f.complete(); err != nil {
		t.Error(err)
	}
}

func TestDifferences(t *testing.T) {
	path := filepath.Join(t.TempDir(), "differences")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("# head\n\none\ntwo\n\tbecause\n\tof it\nthree\n\tjust so\n")
	d, err := readDifferences(path)
	if err != nil {
		t.Fatal(err)
	}
	if d["one"] != "because of it" || d["two"] != "because of it" || d["three"] != "just so" || len(d) != 3 {
		t.Errorf("got %q", d)
	}
	for _, test := range []struct {
		name      string
		was, want status
	}{
		{"one", failed, passed},
		{"one", passed, failed},
		{"one", skipped, skipped},
		{"other", failed, failed},
		{"other", passed, passed},
	} {
		if got := d.judge(result{name: test.name, status: test.was}, passed, "list"); got.status != test.want {
			t.Errorf("%s that %s: got %s, want %s", test.name, test.was, got.status, test.want)
		}
	}
	for _, text := range []string{"one\n", "\twhy\n", "one\n\twhy\ntwo\n"} {
		write(text)
		if _, err := readDifferences(path); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func TestFailsWithAllCountsAsSkipped(t *testing.T) {
	b := batsRun{
		bed: engineBed("podman", "", ""), planned: 2, seen: map[string]bool{"one": true, "two": true},
		everyone: differences{"pod*: one": "why", "docker: three": "why", "podman-*: two": "why"},
	}
	for _, test := range []struct {
		name      string
		was, want status
	}{
		{"one", failed, skipped},
		{"one", passed, failed},
		{"two", failed, failed},
		{"three", passed, passed},
	} {
		if got := b.judge(result{suite: "podman", name: test.name, status: test.was}); got.status != test.want {
			t.Errorf("%s that %s: got %s, want %s", test.name, test.was, got.status, test.want)
		}
	}
	if err := b.complete(); err != nil {
		t.Error(err)
	}
	delete(b.seen, "one")
	b.planned = 1
	if err := b.complete(); err == nil {
		t.Error("an entry without a test was not noticed")
	}
}

func TestGoRunCountsLeaves(t *testing.T) {
	var r report
	g := goRun{report: &r, output: map[string]*strings.Builder{}, parent: map[string]bool{}}
	err := g.read(strings.NewReader(`
		{"Action":"run","Package":"p","Test":"A"}
		{"Action":"run","Package":"p","Test":"A/one"}
		{"Action":"pass","Package":"p","Test":"A/one","Elapsed":0.5}
		{"Action":"pass","Package":"p","Test":"A"}
		{"Action":"run","Package":"p","Test":"B"}
		{"Action":"output","Package":"p","Test":"B","Output":"    b_test.go:1: needs root\n"}
		{"Action":"output","Package":"p","Test":"B","Output":"--- SKIP: B (0.00s)\n"}
		{"Action":"skip","Package":"p","Test":"B"}
		{"Action":"pass","Package":"p"}
		{"Action":"fail","Package":"does-not-build"}`))
	if err != nil {
		t.Fatal(err)
	}
	if !g.count() {
		t.Error("a package that does not build does not count as a failure")
	}
	want := []result{
		{suite: "go", name: "p A/one", status: passed, took: 500 * time.Millisecond},
		{suite: "go", name: "p B", status: skipped, reason: "needs root"},
		{suite: "go", name: "does-not-build", status: failed},
	}
	if len(r.results) != len(want) {
		t.Fatalf("got %+v", r.results)
	}
	for i := range want {
		if r.results[i] != want[i] {
			t.Errorf("got %+v, want %+v", r.results[i], want[i])
		}
	}
}
