package main

import (
	"os"
	"os/exec"
)

const fuzzSuite = "fuzz"

// fuzzTime is how long each fuzz target runs, on one processor. fuzzJobs is how many run at once:
// some are compiled or linked while others run.
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
