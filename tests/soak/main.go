// Command soak runs many containers and processes, and checks that nothing grows.
//
//	soak [--containers N] [--execs N] [--at-once N] [--seed N] RUNTIME
//
// Eight workers run containers (run --detach, or create and start; delete --force, or kill
// and delete) and execute programs in containers that stay; a part of the commands is
// killed at a random time, and so are programs. Then --at-once containers are created,
// started, listed and deleted. After each part nothing may be left, and the memory of
// the kernel may not have grown with the number: see the comments of measure.go. The first
// and the last times are printed.
//
// It needs a pid and a mount namespace of its own (tests/beds/host), with this program's
// "init" as PID 1, because it counts all processes and mounts:
//
//	make prove-soak SOAK="--containers 1000"
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "init" {
		os.Exit(initProcess(os.Args[2:]))
	}
	containers := flag.Int("containers", 10000, "how many containers are run")
	execs := flag.Int("execs", 10000, "how many programs are executed in containers")
	atOnce := flag.Int("at-once", 1000, "how many containers exist at once")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "which commands are killed, and when")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := soak(flag.Arg(0), *containers, *execs, *atOnce, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// workers is how many commands run at a time.
const workers = 8

func soak(runtime string, containers, execs, atOnce int, seed uint64) (err error) {
	fmt.Printf("# seed %d\n", seed)
	r, err := newRig(runtime, seed)
	if err != nil {
		return err
	}
	defer func() {
		if e := r.close(); err == nil {
			err = e
		}
	}()
	failed := 0
	for i, part := range []struct {
		name  string
		count int
		run   func(n int) error
	}{
		{"containers", containers, r.containers},
		{"execs", execs, r.execs},
		{"at once", atOnce, r.atOnce},
	} {
		result := "ok"
		start := time.Now()
		err := r.flat(part.count, part.run)
		if err != nil {
			result = "not ok"
			failed++
		}
		fmt.Printf("%s %d soak/%d %s in %dms\n", result, i+1, part.count, part.name, time.Since(start).Milliseconds())
		if err != nil {
			fmt.Printf("# %v\n", err)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d parts failed", failed)
	}
	return nil
}
