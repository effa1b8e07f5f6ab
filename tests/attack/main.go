// Command attack creates containers while another process exchanges directories
// and files of their root file system for symbolic links that lead out of it,
// as fast as it can. Nothing may be made, changed or mounted outside of the root
// file system; a create either fails and says why, or has made all that was
// asked for.
//
//	attack [--creates N] [--workers N] RUNTIME SCENARIO DIR CGROUP
//
// DIR is an empty directory to work in, CGROUP a prefix for the names of cgroups.
// It prints how many creates succeeded and failed, and every violation; its exit
// status is 1 if there was one.
//
//	attack swap
//
// is the attacker: it reads what to exchange from its standard input, and goes on
// until that ends.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
)

func main() {
	creates := flag.Int("creates", 100, "how many containers are created")
	workers := flag.Int("workers", 2, "how many are created at a time")
	flag.Parse()
	var err error
	switch args := flag.Args(); {
	case len(args) == 1 && args[0] == "swap":
		err = swapForever(os.Stdin)
	case len(args) == 4:
		err = attack(args[0], args[1], args[2], args[3], *creates, *workers)
	default:
		err = fmt.Errorf("usage: attack [--creates N] [--workers N] RUNTIME %s DIR CGROUP", strings.Join(scenarioNames(), "|"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "attack:", err)
		os.Exit(1)
	}
}

func scenarioNames() []string {
	var names []string
	for name := range scenarios {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// attack runs one scenario.
func attack(runtime, name, dir, cgroup string, creates, workers int) error {
	s, ok := scenarios[name]
	if !ok {
		return fmt.Errorf("no scenario %q: there are %s", name, strings.Join(scenarioNames(), ", "))
	}
	b, err := newBundle(dir)
	if err != nil {
		return err
	}
	s(b)
	if err := b.finish(); err != nil {
		return err
	}
	before, err := b.snapshot()
	if err != nil {
		return err
	}
	attacker, err := startAttacker(b.swaps)
	if err != nil {
		return err
	}
	w := &work{bundle: b, runtime: runtime, cgroup: cgroup, creates: int64(creates), reasons: map[string]int{}}
	w.run(workers)
	swapped, err := attacker.stop()
	if err != nil {
		return fmt.Errorf("attacker: %w", err)
	}
	if left, err := os.ReadDir(filepath.Join(b.dir, "state")); err != nil || len(left) > 0 {
		w.violation("left in the state root: %v, %v", left, err)
	}
	after, err := b.snapshot()
	if err != nil {
		return err
	}
	for _, change := range difference(before, after) {
		w.violation("outside: %s", change)
	}
	return w.report(name, swapped)
}

// work creates many containers.
type work struct {
	*bundle
	runtime string
	cgroup  string
	creates int64

	next, made atomic.Int64
	mu         sync.Mutex
	violations []string
	reasons    map[string]int
}

func (w *work) run(workers int) {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for len(interrupted) == 0 {
				n := w.next.Add(1)
				if n > w.creates {
					return
				}
				w.create(fmt.Sprintf("attacked-%d", n))
			}
		})
	}
	all.Wait()
}

func (w *work) violation(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violations = append(w.violations, fmt.Sprintf(format, args...))
}

// failed counts a reason for a failure.
func (w *work) failed(reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reasons[reason]++
}

// shown is the maximum number of printed violations.
const shown = 20

func (w *work) report(name string, swapped int) error {
	made := int(w.made.Load())
	fmt.Printf("%s: %d creates, %d succeeded, %d failed, %d exchanges meanwhile\n", name, w.creates, made, int(w.creates)-made, swapped)
	reasons := make([]string, 0, len(w.reasons))
	for reason := range w.reasons {
		reasons = append(reasons, reason)
	}
	slices.SortFunc(reasons, func(a, b string) int { return w.reasons[b] - w.reasons[a] })
	for _, reason := range reasons {
		fmt.Printf("%6d  %s\n", w.reasons[reason], reason)
	}
	for i, v := range w.violations {
		if i == shown {
			fmt.Printf("violation: and %d more\n", len(w.violations)-i)
			break
		}
		fmt.Println("violation:", v)
	}
	switch {
	case len(w.violations) > 0:
		return fmt.Errorf("%d violations", len(w.violations))
	case swapped < int(w.creates):
		return errors.New("the attacker was too slow to be one")
	case made == 0:
		return errors.New("no create succeeded: what was tested?")
	}
	return nil
}

// self is this program, to be started as the attacker.
func self() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}
