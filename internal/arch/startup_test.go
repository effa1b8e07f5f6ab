package arch

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// initBudget is for the initialisation of all packages together, which every
// command pays before it does anything.
const initBudget = 300 * time.Microsecond

// initLine is a line of GODEBUG=inittrace=1; see go doc runtime.
var initLine = regexp.MustCompile(`(?m)^init (\S+) @[0-9.]+ ms, ([0-9.]+) ms clock,`)

// parseInitTrace returns what each package took.
func parseInitTrace(text string) map[string]time.Duration {
	took := map[string]time.Duration{}
	for _, m := range initLine.FindAllStringSubmatch(text, -1) {
		ms, _ := strconv.ParseFloat(m[2], 64) // the expression admits numbers only
		took[m[1]] += time.Duration(ms * float64(time.Millisecond))
	}
	return took
}

// TestInitialisation measures bin/berth itself. The best of several runs
// counts, package by package: a busy machine is not ours to judge.
func TestInitialisation(t *testing.T) {
	berth, err := filepath.Abs(filepath.Join(root, "bin/berth"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(berth); errors.Is(err, fs.ErrNotExist) {
		t.Skip("bin/berth is not built: make build")
	}
	best := map[string]time.Duration{}
	for range 20 {
		cmd := exec.Command(berth, "--version")
		cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		took := parseInitTrace(stderr.String())
		if len(took) == 0 {
			t.Fatalf("no init trace: %s", stderr.String())
		}
		for pkg, d := range took {
			// What GODEBUG itself costs is not paid without it.
			if pkg == "internal/godebug" {
				continue
			}
			if was, seen := best[pkg]; !seen || d < was {
				best[pkg] = d
			}
		}
	}
	var total time.Duration
	for pkg, d := range best {
		total += d
		if d >= initBudget/20 {
			t.Logf("%8s  %s", d, pkg)
		}
	}
	t.Logf("%8s  in all", total)
	if total > initBudget {
		t.Errorf("package initialisation takes %s, more than %s", total, initBudget)
	}
}

func TestParseInitTrace(t *testing.T) {
	got := parseInitTrace("init a/b @0.03 ms, 0.044 ms clock, 0 bytes, 0 allocs\ninit c @1 ms, 2 ms clock, 0 bytes, 0 allocs\nother\n")
	if len(got) != 2 || got["a/b"] != 44*time.Microsecond || got["c"] != 2*time.Millisecond {
		t.Errorf("got %v", got)
	}
}
