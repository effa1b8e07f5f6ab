package main

import (
	"os"
	"os/exec"
)

const fuzzSuite = "fuzz"

// fuzzTime is how long each fuzz target runs, on one processor, and fuzzJobs how many run at once:
// to build a target takes longer on one processor than to run it.
const (
	fuzzTime = "10s"
	fuzzJobs = "4"
)

// runFuzz runs all fuzz targets for a moment.
func runFuzz(r *report) error {
	f := faultsRun{suite: fuzzSuite}
	cmd := exec.Command("hack/fuzz", fuzzTime)
	cmd.Env = append(os.Environ(), "JOBS="+fuzzJobs, "GOMAXPROCS=1")
	return f.prove(r, cmd)
}
