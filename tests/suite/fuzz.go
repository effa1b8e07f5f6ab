package main

import "os/exec"

const fuzzSuite = "fuzz"

// fuzzTime is how often each fuzz target is run: about a second each.
const fuzzTime = "100x"

// fuzzTargets are the targets that a container or an image has the most influence on: to
// build all of them, with the counters of a fuzz target, takes longer than to run them.
const fuzzTargets = "seccomp|specconv|stub|setup|network|mountinfo|passwd|copyup|devices"

// runFuzz runs some fuzz targets for a moment.
func runFuzz(r *report) error {
	f := faultsRun{suite: fuzzSuite}
	return f.prove(r, exec.Command("hack/fuzz", fuzzTime, fuzzTargets))
}
