package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
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

// runCommandLineTests runs the tests of the command line as hack/build builds it.
func runCommandLineTests(r *report) error {
	return goTest(r, "-tags", "urfave_cli_no_template", "./cmd/runtime")
}

// runShimTests runs the tests of the shim, a module of its own.
func runShimTests(r *report) error {
	return goTest(r, "-C", "shim", "-tags", "no_grpc", "./...")
}

// run386Tests runs the tests of the packages that know structs of the kernel, as programs of
// 386: kernels of amd64 run them.
func run386Tests(r *report) error {
	const suite = "go-386"
	if runtime.GOARCH != "amd64" {
		r.lacking(suite, "only amd64 runs programs of 386")
		return nil
	}
	if _, err := os.Stat("/proc/sys/abi/vsyscall32"); err != nil {
		r.lacking(suite, "the kernel runs no programs of 386")
		return nil
	}
	return goTestFor(r, []string{"GOARCH=386", "CGO_ENABLED=0"}, "./libcontainer/stub", "./internal/sys", "./internal/cgroups/devices", "./internal/copyup")
}

// goTest runs "go test"; a flag -C must be the first of the arguments.
func goTest(r *report, args ...string) error { return goTestFor(r, nil, args...) }

// goTestFor is goTest with variables of the environment.
func goTestFor(r *report, environment []string, args ...string) error {
	command := []string{"test"}
	if args[0] == "-C" {
		command, args = append(command, args[:2]...), args[2:]
	}
	command = append(command, "-json", "-count=1")
	cmd := exec.Command("go", append(command, args...)...)
	cmd.Env = append(os.Environ(), environment...)
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
