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

// initBudget limits the initialisation of all packages together, which runs at the
// start of every command. It limits allocations, which do not vary with the machine's
// load: costly initialisation, such as tables and regular expressions, allocates. The
// time is only printed. Another thread of Go's runtime may allocate meanwhile: the least of
// some runs counts.
const (
	initBudget = 172
	initRuns   = 5
)

// initCost is the cost of initialising packages.
type initCost struct {
	clock  time.Duration
	allocs int
}

// initLine is a line of GODEBUG=inittrace=1; see go doc runtime.
var initLine = regexp.MustCompile(`(?m)^init (\S+) @[0-9.]+ ms, ([0-9.]+) ms clock, [0-9]+ bytes, ([0-9]+) allocs$`)

// parseInitTrace returns the cost of each package.
func parseInitTrace(text string) map[string]initCost {
	took := map[string]initCost{}
	for _, m := range initLine.FindAllStringSubmatch(text, -1) {
		ms, _ := strconv.ParseFloat(m[2], 64) // the expression matches numbers only
		allocs, _ := strconv.Atoi(m[3])
		took[m[1]] = initCost{clock: time.Duration(ms * float64(time.Millisecond)), allocs: allocs}
	}
	return took
}

// TestInitialisation measures bin/berth itself.
func TestInitialisation(t *testing.T) {
	berth, err := filepath.Abs(filepath.Join(root, "bin/berth"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(berth); errors.Is(err, fs.ErrNotExist) {
		t.Skip("bin/berth is not built: make build")
	}
	least := initTrace(t, berth)
	for range initRuns - 1 {
		if took := initTrace(t, berth); sum(took).allocs < sum(least).allocs {
			least = took
		}
	}
	for pkg, cost := range least {
		t.Logf("%8s %3d allocations  %s", cost.clock, cost.allocs, pkg)
	}
	total := sum(least)
	t.Logf("%8s %3d allocations  in all", total.clock, total.allocs)
	if total.allocs > initBudget {
		t.Errorf("initialising the packages takes %d allocations, more than %d", total.allocs, initBudget)
	}
}

// initTrace returns the cost of each package in one run.
func initTrace(t *testing.T, berth string) map[string]initCost {
	t.Helper()
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
	// These are costs of GODEBUG itself.
	delete(took, "internal/godebug")
	return took
}

func sum(took map[string]initCost) (total initCost) {
	for _, cost := range took {
		total.clock += cost.clock
		total.allocs += cost.allocs
	}
	return total
}

func TestParseInitTrace(t *testing.T) {
	got := parseInitTrace("init a/b @0.03 ms, 0.044 ms clock, 16 bytes, 1 allocs\ninit c @1 ms, 2 ms clock, 0 bytes, 0 allocs\nother\n")
	if len(got) != 2 || got["a/b"] != (initCost{44 * time.Microsecond, 1}) || got["c"] != (initCost{2 * time.Millisecond, 0}) {
		t.Errorf("got %v", got)
	}
}
