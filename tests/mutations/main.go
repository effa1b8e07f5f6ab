// Command mutations removes one step, call, check, branch, flag or tolerated errno at a time
// from the code that protects, and reports which tests notice.
//
//	mutations [--list] [--go] [--only REGEXP] [--share N] [--jobs N]
//
// It changes no file: the compiler reads the changed one through -overlay. For each mutation
// it runs the tests of table.go until one fails: the Go tests of the packages, then files of
// tests/integration with a changed berth, unless --go is given. A mutation that no test
// notices is a finding, unless accepted.go has the reason why it is harmless. The output is
// TAP.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"sync"
	"time"
)

func main() {
	list := flag.Bool("list", false, "print the mutations")
	goOnly := flag.Bool("go", false, "only the Go tests: a few seconds for each mutation")
	only := flag.String("only", "", "only mutations that match the `regexp`")
	share := flag.Int("share", 1, "one of so many")
	jobs := flag.Int("jobs", runtime.NumCPU(), "how many are run at a time")
	flag.Parse()
	if err := run(*list, *goOnly, *only, *share, *jobs); err != nil {
		fmt.Fprintln(os.Stderr, "mutations:", err)
		os.Exit(1)
	}
}

func run(list, goOnly bool, only string, share, jobs int) error {
	match, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	all, err := mutations()
	if err != nil {
		return err
	}
	var chosen []mutation
	for i, m := range all {
		if goOnly {
			m.tests = slices.DeleteFunc(slices.Clone(m.tests), func(test string) bool { return !isPackage(test) })
		}
		if match.MatchString(m.name) && i%share == 0 {
			chosen = append(chosen, m)
		}
	}
	if list {
		for _, m := range chosen {
			fmt.Println(m.name)
		}
		return nil
	}
	return judge(chosen, jobs)
}

// judge runs the tests of mutations.
func judge(list []mutation, jobs int) (err error) {
	if os.Geteuid() != 0 {
		return fmt.Errorf("needs root")
	}
	if err := prepare(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "berth-mutations")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the report is complete
	fmt.Printf("1..%d\n", len(list))
	var all sync.WaitGroup
	var mu sync.Mutex
	next := make(chan mutation)
	count := map[verdict]int{}
	number := 0
	for range jobs {
		all.Go(func() {
			for m := range next {
				start := time.Now()
				v, why := m.judge(dir)
				mu.Lock()
				number++
				count[v]++
				fmt.Printf("%s %d %s in %dms # %s\n", v.tap(), number, m.name, time.Since(start).Milliseconds(), why)
				mu.Unlock()
			}
		})
	}
	for _, m := range list {
		next <- m
	}
	close(next)
	all.Wait()
	fmt.Printf("# %d noticed, %d accepted, %d do not compile, %d not noticed\n",
		count[noticed], count[accepted], count[invalid], count[unnoticed])
	if count[unnoticed] > 0 {
		return fmt.Errorf("no test notices %d of %d mutations", count[unnoticed], len(list))
	}
	return nil
}
