// Command suite runs the project's test suites, lists the slowest and the skipped tests
// with the reasons, and ends with one line that sums them up: "N passed, N failed, N
// skipped". It exits with 1 if a test failed.
//
//	go run ./tests/suite --go                the Go tests of all packages
//	go run ./tests/suite --bats              tests/integration against bin/berth
//	go run ./tests/suite --bats run.bats     one file of it
//	go run ./tests/suite --bats --beds all   the same in all the beds of tests/beds
//	go run ./tests/suite --faults            a share of tests/faults
//	go run ./tests/suite --fuzz              all fuzz targets, for ten seconds each
//	go run ./tests/suite --reference         tests/integration against runc
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"
)

// referenceRuntime is the runtime that checks the integration tests themselves.
const referenceRuntime = "/usr/sbin/runc"

type status string

const (
	passed  status = "passed"
	failed  status = "failed"
	skipped status = "skipped"
)

// result is the result of one test.
type result struct {
	suite  string // "go", or the name of a bed
	name   string
	status status
	reason string // of a skip
	took   time.Duration
}

// report gathers the results of all suites.
type report struct {
	results []result
	suites  []result // one a suite, for its duration
}

func (r *report) add(res result) { r.results = append(r.results, res) }

// broken counts a suite that could not run as one failed test.
func (r *report) broken(suite string, err error) {
	fmt.Printf("%s: %v\n", suite, err)
	r.add(result{suite: suite, name: err.Error(), status: failed})
}

// timed runs one suite.
func (r *report) timed(suite string, run func(*report) error) {
	start := time.Now()
	if err := run(r); err != nil {
		r.broken(suite, err)
	}
	r.suites = append(r.suites, result{name: suite, took: time.Since(start)})
}

// print writes the summary and reports whether no test failed.
func (r *report) print() bool {
	count := map[status]int{}
	for _, res := range r.results {
		count[res.status]++
	}
	fmt.Println("\nDurations:")
	for _, s := range r.suites {
		fmt.Printf("  %8s  %s, all of it\n", s.took.Round(100*time.Millisecond), s.name)
	}
	longest := slices.Clone(r.results)
	slices.SortStableFunc(longest, func(a, b result) int { return cmp.Compare(b.took, a.took) })
	for _, res := range longest[:min(10, len(longest))] {
		fmt.Printf("  %8s  %s: %s\n", res.took.Round(10*time.Millisecond), res.suite, res.name)
	}
	r.list(skipped, "Skipped:")
	r.list(failed, "Failed:")
	fmt.Printf("\n%d passed, %d failed, %d skipped\n", count[passed], count[failed], count[skipped])
	return count[failed] == 0 && count[passed] > 0
}

func (r *report) list(want status, title string) {
	for _, res := range r.results {
		if res.status != want {
			continue
		}
		if title != "" {
			fmt.Println("\n" + title)
			title = ""
		}
		if res.reason != "" {
			res.name += ": " + res.reason
		}
		fmt.Printf("  %s: %s\n", res.suite, res.name)
	}
}

// defaultRuntime is what hack/build makes.
const defaultRuntime = "bin/berth"

func main() {
	goTests := flag.Bool("go", false, "run the Go tests")
	bats := flag.Bool("bats", false, "run tests/integration")
	faults := flag.Bool("faults", false, "run a share of tests/faults; the points are those of --seed")
	fuzz := flag.Bool("fuzz", false, "run all fuzz targets for ten seconds each")
	seed := flag.Uint64("seed", 1, "the `number` that chooses the points of --faults")
	reference := flag.Bool("reference", false, "run tests/integration against "+referenceRuntime)
	runtime := flag.String("runtime", defaultRuntime, "the `program` that tests/integration are run against")
	bedNames := flag.String("beds", beds[0].name, "the `names` of the beds to run tests in, with commas; all, native, guests, kernels, or engines")
	filter := flag.String("filter", "", "run only the tests with a name that matches `regexp`")
	flag.Parse()

	if !*goTests && !*bats && !*reference && !*faults && !*fuzz {
		flag.Usage()
		os.Exit(2)
	}
	in, err := bedsNamed(*bedNames)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if *bats && len(in) > 1 {
		makeBeds(in)
	}
	var all report
	if *goTests {
		all.timed("go", runGoTests)
		all.timed("go-libseccomp", runLibseccompTests)
		all.timed("go-commandline", runCommandLineTests)
		all.timed("go-shim", runShimTests)
		all.timed("go-386", run386Tests)
	}
	if *faults {
		f := faultsRun{suite: faultsSuite, runtime: *runtime, seed: *seed}
		all.timed(faultsSuite, f.run)
	}
	if *fuzz {
		all.timed(fuzzSuite, runFuzz)
	}
	for _, bed := range in {
		if bed.own && (*reference || *runtime != defaultRuntime) {
			continue
		}
		b := batsRun{bed: bed, runtime: *runtime, files: flag.Args(), filter: *filter}
		if *reference {
			b.runtime, b.reference = referenceRuntime, true
		}
		if *bats || *reference {
			all.timed(bed.name, b.run)
		}
	}
	if !all.print() {
		os.Exit(1)
	}
}
