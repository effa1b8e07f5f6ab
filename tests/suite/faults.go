package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

const faultsSuite = "faults"

// faultsPoints is the share of the points of each task.
const faultsPoints = 4

// The tasks of the suite: all in the fast beds, and a share of those with a systemd, which
// takes two seconds to start.
const (
	faultsFast         = "/(host|v2|userns|criu)/"
	faultsSystemd      = "/systemd/"
	faultsSystemdShare = 6
)

// The share of the races: two of each sixth contest, with a systemd of each twelfth.
const (
	racesCount        = 2
	racesShare        = 6
	racesSystemdShare = 12
)

// faultsRun is one run of a share of tests/faults.
type faultsRun struct {
	suite   string
	runtime string
	seed    uint64

	planned, seen int
}

func (f *faultsRun) run(r *report) error {
	if os.Geteuid() != 0 {
		return errors.New("tests/faults needs root")
	}
	program, err := filepath.Abs(".cache/faults")
	if err != nil {
		return err
	}
	build := exec.Command("go", "build", "-o", program, "./tests/faults")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // it runs in the container too
	build.Stdout, build.Stderr = os.Stdout, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("%s: %w", build, err)
	}
	seed := strconv.FormatUint(f.seed, 10)
	run := func(part, size string, n int, only string, share int) error {
		return f.prove(r, exec.Command(program, part, size, strconv.Itoa(n), "--only", only, "--share", strconv.Itoa(share),
			"--seed", seed, f.runtime))
	}
	return errors.Join(
		run("prove", "--points", faultsPoints, faultsFast, 1),
		run("prove", "--points", faultsPoints, faultsSystemd, faultsSystemdShare),
		run("races", "--count", racesCount, faultsFast, racesShare),
		run("races", "--count", racesCount, faultsSystemd, racesSystemdShare),
	)
}

// prove runs one part, and adds its results.
func (f *faultsRun) prove(r *report, cmd *exec.Cmd) error {
	f.planned, f.seen = 0, 0
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	readErr := f.read(r, stdout)
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return err
	}
	return errors.Join(readErr, f.complete())
}

func (f *faultsRun) read(r *report, stdout io.Reader) error {
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		fmt.Println(line)
		if m := tapLine.FindStringSubmatch(line); m != nil {
			f.seen++
			res := parseResult(m)
			res.suite = f.suite
			r.add(res)
		} else if n, err := strconv.Atoi(trimPlan(line)); err == nil {
			f.planned = n
		}
	}
	return lines.Err()
}

// complete fails if planned tasks have not run.
func (f *faultsRun) complete() error {
	if f.seen < f.planned || f.planned == 0 {
		return fmt.Errorf("%d of %d planned tasks were run", f.seen, f.planned)
	}
	return nil
}
