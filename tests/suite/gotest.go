package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// testEvent is a line of "go test -json"; see go doc test2json.
type testEvent struct {
	Action      string
	Package     string
	ImportPath  string // in place of Package when building failed
	Test        string
	Output      string
	Elapsed     float64
	FailedBuild string
}

// goRun follows one "go test -json".
type goRun struct {
	report *report
	output map[string]*strings.Builder // by package and test
	parent map[string]bool             // tests that have subtests: not counted themselves
	ended  []testEvent
}

// runGoTests runs the tests of all packages.
func runGoTests(r *report) error { return goTest(r, "./...") }

// runLibseccompTests runs the tests that compare berth's filters with libseccomp's.
func runLibseccompTests(r *report) error {
	if _, err := os.Stat("/usr/include/seccomp.h"); err != nil {
		r.lacking("go-libseccomp", "libseccomp-dev is not installed")
		return nil
	}
	return goTest(r, "-tags", "libseccomp", "./seccomp")
}

func goTest(r *report, args ...string) error {
	cmd := exec.Command("go", append([]string{"test", "-json", "-count=1"}, args...)...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	run := goRun{report: r, output: map[string]*strings.Builder{}, parent: map[string]bool{}}
	readErr := run.read(stdout)
	waitErr := cmd.Wait()
	if anyFailed := run.count(); waitErr != nil && !anyFailed {
		return fmt.Errorf("go test: %w", waitErr)
	}
	return readErr
}

func (g *goRun) read(stdout io.Reader) error {
	decoder := json.NewDecoder(stdout)
	for {
		var e testEvent
		err := decoder.Decode(&e)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("go test -json: %w", err)
		}
		g.event(e)
	}
}

func (g *goRun) event(e testEvent) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		fmt.Print(e.Output)
	case "output":
		if g.output[key] == nil {
			g.output[key] = &strings.Builder{}
		}
		g.output[key].WriteString(e.Output)
	case "run":
		if i := strings.LastIndexByte(e.Test, '/'); i >= 0 {
			g.parent[e.Package+" "+e.Test[:i]] = true
		}
	case "pass", "fail", "skip":
		if e.Test == "" {
			g.packageEnded(e)
		}
		if e.Action == "fail" && g.output[key] != nil {
			fmt.Print(g.output[key])
		}
		g.ended = append(g.ended, e)
	}
}

func (g *goRun) packageEnded(e testEvent) {
	word := map[string]string{"pass": "ok", "fail": "FAILED", "skip": "no tests"}[e.Action]
	fmt.Printf("%-8s %s  %.1fs\n", word, e.Package, e.Elapsed)
}

// count turns the events into results, and reports whether a test failed.
func (g *goRun) count() bool {
	failedTests := map[string]bool{}
	for _, e := range g.ended {
		key := e.Package + " " + e.Test
		if e.Test == "" || g.parent[key] {
			continue
		}
		res := result{suite: "go", name: key, took: time.Duration(e.Elapsed * float64(time.Second))}
		switch e.Action {
		case "pass":
			res.status = passed
		case "skip":
			res.status, res.reason = skipped, skipReason(g.output[key])
		default:
			res.status = failed
			failedTests[e.Package] = true
		}
		g.report.add(res)
	}
	// A package that fails without a failed test did not build, or its
	// TestMain or a parent test failed.
	for _, e := range g.ended {
		if e.Test == "" && e.Action == "fail" && !failedTests[e.Package] {
			failedTests[e.Package] = true
			g.report.add(result{suite: "go", name: e.Package, status: failed})
		}
	}
	return len(failedTests) > 0
}

// skipReason returns the text of t.Skip in the output of a test: "    file_test.go:12:
// text".
func skipReason(output *strings.Builder) string {
	if output == nil {
		return ""
	}
	for line := range strings.Lines(output.String()) {
		line = strings.TrimSpace(line)
		if _, reason, ok := strings.Cut(line, ": "); ok && !strings.HasPrefix(line, "--- ") {
			return reason
		}
	}
	return ""
}
