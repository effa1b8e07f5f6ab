// Command bench compares containerd's shim for runc, with several runtimes, with
// containerd-shim-berth-v2, in turn. It takes the part of containerd: it starts a shim,
// calls its task service, and receives its events. Wall times and memory are the medians of
// the rounds, CPU times the means. It starts copies of the shims: PSS divides the pages of a
// file by all processes that use it, other tests included. Needs root.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// candidate is a shim with its runtime.
type candidate struct {
	name, shim, runtime string
}

// runtimes is a flag: -runtime name=/path, any number of times.
type runtimes []candidate

func (r *runtimes) String() string { return fmt.Sprint(*r) }

func (r *runtimes) Set(text string) error {
	name, path, ok := strings.Cut(text, "=")
	if !ok {
		return errors.New("want NAME=/path")
	}
	*r = append(*r, candidate{name: "runc's shim, " + name, runtime: path})
	return nil
}

func main() {
	var others runtimes
	rounds := flag.Int("rounds", 20, "the `number` of rounds")
	runcShim := flag.String("runc-shim", "/usr/bin/containerd-shim-runc-v2", "the `path` of containerd's shim for runc")
	busybox := flag.String("busybox", "/bin/busybox", "the `path` of a static busybox, for the containers")
	own := flag.String("shim", "../bin/containerd-shim-berth-v2", "the `path` of berth's shim")
	idle := flag.Duration("idle", 0, "how long pods run before their memory is measured a second `time`; shims release memory every 30s")
	flag.Var(&others, "runtime", "a runtime for runc's shim, `NAME=/path`; may be repeated")
	flag.Parse()
	for i := range others {
		others[i].shim = *runcShim
	}
	if err := run(settings{*rounds, *own, *busybox, *idle}, others); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	rounds       int
	own, busybox string
	idle         time.Duration
}

func run(s settings, candidates runtimes) (err error) {
	// The shims become children, whose CPU time counts when they have ended.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	candidates = append(candidates, candidate{name: "berth's shim", shim: s.own})
	dir, err := os.MkdirTemp("", "berth-shim-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := copyShims(candidates, dir); err != nil {
		return err
	}
	h, err := newHost(dir, s.busybox)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	h.idle = s.idle
	results := make([]table, len(candidates))
	for i := range s.rounds + 1 {
		for n, c := range candidates {
			values, err := h.round(context.Background(), c)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			if i > 0 { // the first round warms up
				results[n].add(values)
			}
		}
	}
	printResults(os.Stdout, candidates, results)
	return nil
}

// copyShims makes the candidates use copies of their shims: one of each program.
func copyShims(candidates []candidate, dir string) error {
	for i := range candidates {
		c := &candidates[i]
		program, err := os.ReadFile(c.shim)
		if err != nil {
			return err
		}
		c.shim = filepath.Join(dir, filepath.Base(c.shim))
		if err := os.WriteFile(c.shim, program, 0o755); err != nil {
			return err
		}
	}
	return nil
}
