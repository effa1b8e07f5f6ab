package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// bedLacking is the status of a bed that cannot be made on this machine.
const bedLacking = 77

// job is a run of this program in a bed.
type job struct {
	name, bed string
	init      []string // flags of "faults init"
	// args are those of this program, without the last one, a new directory.
	args []string
}

// proof runs jobs, and prints a TAP line for each.
type proof struct {
	self, dir string
	// summary is the format of the last line of each job: its numbers are added up.
	summary string

	mu     sync.Mutex
	number int // of the last TAP line
	failed int
	totals []int
}

// proofFlags are the flags of all proofs.
type proofFlags struct {
	*flag.FlagSet
	seed  *uint64
	only  *string
	share *uint64
	jobs  *int
}

func newProofFlags(name string) proofFlags {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	return proofFlags{
		FlagSet: f,
		seed:    f.Uint64("seed", uint64(time.Now().UnixNano()), "of what is chosen by chance"),
		only:    f.String("only", "", "only jobs with a name that matches the `regexp`"),
		share:   f.Uint64("share", 1, "run one of so many jobs, chosen by the seed"),
		jobs:    f.Int("jobs", 2, "how many jobs are run at a time"),
	}
}

// run runs the jobs of a list that --only selects.
func (f proofFlags) run(list []job, summary string) (err error) {
	match, err := regexp.Compile(*f.only)
	if err != nil {
		return err
	}
	p := &proof{summary: summary, totals: make([]int, strings.Count(summary, "%d"))}
	if p.self, err = os.Executable(); err != nil {
		return err
	}
	if p.dir, err = os.MkdirTemp("", "berth-faults"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(p.dir)) }()
	if err := os.Chmod(p.dir, 0o711); err != nil { // for user namespaces
		return err
	}
	var selected []job
	for i, j := range list {
		if match.MatchString(j.name) && (uint64(i)+*f.seed)%*f.share == 0 {
			selected = append(selected, j)
		}
	}
	fmt.Printf("# seed %d\n1..%d\n", *f.seed, len(selected))
	return p.run(selected, *f.jobs)
}

func (p *proof) run(list []job, atOnce int) error {
	next := make(chan job)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for j := range next {
				p.one(j)
			}
		})
	}
	for _, j := range list {
		next <- j
	}
	close(next)
	all.Wait()
	var totals []any
	for _, n := range p.totals {
		totals = append(totals, n)
	}
	fmt.Printf("# "+p.summary+"\n", totals...)
	if p.failed > 0 {
		return fmt.Errorf("%d of %d jobs failed", p.failed, len(list))
	}
	return nil
}

// one runs a job in its bed, and prints its result.
func (p *proof) one(j job) {
	start := time.Now()
	output, err := p.output(j)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.number++
	took := fmt.Sprintf(" in %dms", time.Since(start).Milliseconds())
	var exit *exec.ExitError
	switch {
	case err == nil:
		fmt.Printf("ok %d %s%s\n", p.number, j.name, took)
	case errors.As(err, &exit) && exit.ExitCode() == bedLacking:
		fmt.Printf("ok %d %s%s # skip %s\n", p.number, j.name, took, strings.TrimSpace(output))
		return
	default:
		p.failed++
		fmt.Printf("not ok %d %s%s\n", p.number, j.name, took)
	}
	for line := range strings.Lines(output) {
		fmt.Println("#", strings.TrimSuffix(line, "\n"))
		p.count(line)
	}
}

// output runs a job and returns its output.
func (p *proof) output(j job) (out string, err error) {
	dir, err := os.MkdirTemp(p.dir, "t")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o711); err != nil {
		return "", err
	}
	init := append([]string{p.self, "init"}, j.init...)
	if beds[j.bed].systemd {
		init = nil
	}
	args := slices.Concat([]string{"--"}, init, []string{p.self}, j.args, []string{dir})
	output, err := exec.Command(filepath.Join("tests/beds", j.bed), args...).CombinedOutput()
	return string(output), err
}

// count adds the numbers of a line that is a summary to the totals.
func (p *proof) count(line string) {
	numbers := make([]int, len(p.totals))
	var into []any
	for i := range numbers {
		into = append(into, &numbers[i])
	}
	if n, _ := fmt.Sscanf(line, p.summary, into...); n < len(numbers) {
		return
	}
	for i, n := range numbers {
		p.totals[i] += n
	}
}
