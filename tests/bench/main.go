// Command bench measures berth against runc, and crun where it runs: in turn on
// the same bundle, medians of many rounds, as ratios. It fails when "run" takes
// more than BENCH_LIMIT (0.4) of runc's time, "exec" more than 0.5, or "run" with
// Docker's seccomp profile more than 1.05 of its time without. BENCH_LIMIT scales
// the other two limits as well.
//
//	BENCH_ROUNDS  rounds, 100 unless set
//	BENCH_LIMIT   maximum of berth's run as a part of runc's, 0.4 unless set; 0: no limit
//	BENCH_VIEW    v1 or v2: make the host look like that; crun needs one of them
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// Limits of berth's time, as a part of runc's.
const (
	runLimit  = 0.4
	execLimit = 0.5
	// filterLimit is a part of berth's own time without a filter.
	filterLimit = 1.05
)

// candidate is a measured runtime.
type candidate struct {
	name    string
	program string
	took    map[string][]time.Duration // by measurement
	rss     int                        // of the init of a created container, in kB
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	rounds, err := number("BENCH_ROUNDS", 100)
	if err != nil {
		return err
	}
	limit, err := number("BENCH_LIMIT", runLimit)
	if err != nil {
		return err
	}
	if view := os.Getenv("BENCH_VIEW"); view != "" {
		return inView(view)
	}
	berth, err := filepath.Abs("bin/berth")
	if err != nil {
		return err
	}
	b, err := newBundle(berth)
	if err != nil {
		return err
	}
	defer b.remove()
	candidates := runnable(b, []*candidate{
		{name: "berth", program: berth},
		{name: "runc", program: "/usr/sbin/runc"},
		{name: "crun", program: "/usr/bin/crun"},
	})
	if err := measure(b, candidates, int(rounds)); err != nil {
		return err
	}
	print(candidates)
	return judge(candidates, limit)
}

// number reads a setting of the environment.
func number(name string, unset float64) (float64, error) {
	text := os.Getenv(name)
	if text == "" {
		return unset, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return n, nil
}

// views are scripts that make a hybrid host look like another, in a mount namespace.
var views = map[string]string{
	"v1": `umount -l /sys/fs/cgroup/unified && exec "$@"`,
	"v2": `umount -R -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"`,
}

// inView runs this program again where the host looks different.
func inView(view string) error {
	script, known := views[view]
	if !known {
		return fmt.Errorf("BENCH_VIEW: %q: want v1 or v2", view)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", self)
	cmd.Env = append(os.Environ(), "BENCH_VIEW=")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// runnable removes, with a message, the candidates that do not run on this host.
func runnable(b *bundle, all []*candidate) []*candidate {
	return slices.DeleteFunc(all, func(c *candidate) bool {
		c.took = map[string][]time.Duration{}
		if err := b.do(c, "run", "--bundle", b.dir, "trial"); err != nil {
			fmt.Printf("%s is left out: %v\n", c.name, err)
			return true
		}
		return false
	})
}

// measure takes turns: other load of the machine affects all candidates alike.
func measure(b *bundle, candidates []*candidate, rounds int) (err error) {
	const warmUp = 3
	for _, c := range candidates {
		if err := b.startTarget(c); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		defer func() { err = errors.Join(err, b.do(c, "delete", "--force", "target")) }()
	}
	for round := range warmUp + rounds {
		for i := range candidates {
			c := candidates[(round+i)%len(candidates)]
			for _, m := range measurements {
				start := time.Now()
				if err := m.do(b, c); err != nil {
					return fmt.Errorf("%s: %s: %w", c.name, m.name, err)
				}
				if round >= warmUp {
					c.took[m.name] = append(c.took[m.name], time.Since(start))
				}
			}
		}
	}
	for _, c := range candidates {
		if err := b.measureInit(c); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

func print(candidates []*candidate) {
	first := candidates[0]
	fmt.Printf("%-22s", "median")
	for _, c := range candidates {
		fmt.Printf("%12s", c.name)
	}
	fmt.Println()
	for _, m := range measurements {
		fmt.Printf("%-22s", m.name)
		for _, c := range candidates {
			fmt.Printf("%9.2f ms", median(c.took[m.name]).Seconds()*1000)
		}
		for _, c := range candidates[1:] {
			fmt.Printf("   %.2f of %s", ratio(first, c, m.name), c.name)
		}
		fmt.Println()
	}
	fmt.Printf("%-22s", "memory of the init")
	for _, c := range candidates {
		fmt.Printf("%9d kB", c.rss)
	}
	fmt.Println()
}

func ratio(a, b *candidate, name string) float64 {
	return float64(median(a.took[name])) / float64(median(b.took[name]))
}

// judge fails when the first candidate, berth, is too slow against runc.
func judge(candidates []*candidate, limit float64) error {
	i := slices.IndexFunc(candidates, func(c *candidate) bool { return c.name == "runc" })
	if candidates[0].name != "berth" || i < 0 {
		return fmt.Errorf("berth and runc must both run")
	}
	for name, most := range map[string]float64{"run": limit, "exec": execLimit * limit / runLimit} {
		if r := ratio(candidates[0], candidates[i], name); limit > 0 && r > most {
			return fmt.Errorf("%s takes %.2f of runc's time: more than %.2f", name, r, most)
		}
	}
	filtered := filterCost(candidates[0].took)
	fmt.Printf("%-22s%9.2f of berth's run\n", "run, filtered", filtered)
	if most := filterLimit * limit / runLimit; limit > 0 && filtered > most {
		return fmt.Errorf("with Docker's seccomp profile run takes %.2f of its time without: more than %.2f", filtered, most)
	}
	return nil
}

// filterCost returns the time of "run" with a filter as a part of its time without.
// It compares the two in each round, in which they follow each other: the cost is
// smaller than the effect of other load on medians.
func filterCost(took map[string][]time.Duration) float64 {
	var more []time.Duration
	for i, without := range took["run"] {
		more = append(more, took["run, filtered"][i]-without)
	}
	return 1 + float64(median(more))/float64(median(took["run"]))
}
