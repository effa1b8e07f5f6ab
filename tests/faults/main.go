// Command faults proves how berth behaves when one of its system calls fails, is missing,
// or is the last one before a SIGKILL. It runs each command of berth once for each of
// these calls, under ptrace(2).
//
//	faults prove [--part NAME] [--points N] [--share N] [--seed N] [--only REGEXP] [--jobs N] RUNTIME
//
// runs the tasks and prints a TAP line for each. A task is a part (kills, errors,
// missing, environments), a bed (see beds.go), a configuration (default, full, rootless) and a command of
// berth.
// --points is a share: that many points of each task, chosen by the seed. With --share, one of so
// many tasks runs.
//
//	faults work [--points N] [--seed N] [--point TEXT] RUNTIME TASK DIR
//
// runs one task in the caller's namespaces; with --point, the trials that contain the
// text alone.
//
//	faults points RUNTIME TASK DIR
//
// prints the points of a task.
//
//	faults races [--count N] [--share N] [--seed N] [--only REGEXP] [--jobs N] RUNTIME
//
// lets two or three commands on one container race, and prints a TAP line for each
// contest of race_table.go: --count races of each, or of one of --share contests.
//
//	faults race [--count N] [--seed N] [--number N] [--bed BED] RUNTIME CONTEST DIR
//
// runs the races of one contest in the caller's namespaces; with --number, one of them.
//
//	faults init [--no-reap] COMMAND...
//
// runs a command as a pid namespace's init does, in a network namespace of its own: with
// --no-reap, one that leaves the zombies of orphans.
//
//	faults inside
//
// prints what a container's program can see of its protection.
//
//	faults sandboxed PROFILE COMMAND...
//
// executes a command with a seccomp profile and the capabilities of a Docker container.
//
// # Points
//
// A point is one call of one process: "stub openat(/proc/self/ns, 0x80000) 2" is the
// stub's second openat of that path with these flags. Numbers of all calls would depend
// on Go's scheduler; the occurrences of one call with the same arguments do not.
// Arguments are shown as in the table of names.go: paths (relative ones after the path of
// their directory), the file of a descriptor, flags. Process IDs, inode numbers and
// the directory of the run are replaced.
//
// A process is the runtime, a fork of it that has not executed a program yet, or a stub.
// The occurrences are counted over all threads of the runtime, and over all stubs.
// Programs and hooks are not followed.
//
// The calls of Go's runtime are not counted (see ignored): threads, signals, memory, the
// poller, clocks, and all before package syscall reads the limit of descriptors.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
)

func init() {
	// The end of a thread detaches its tracees. The first thread never ends, so no tracer
	// may be on it.
	runtime.LockOSThread()
}

// commands are the subcommands.
var commands = map[string]func(args []string) error{
	"prove":  prove,
	"work":   work,
	"points": points,
	"race":   race,
	"races":  races,
	"init":   initProcess,
	"inside": inside,

	"sandboxed": sandboxed,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: faults prove|work|points|races|race|init|inside ...; see go doc ./tests/faults")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

// parse parses the flags of a subcommand, and requires a number of arguments.
func parse(flags *flag.FlagSet, args []string, want int) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != want {
		return fmt.Errorf("%s: %d arguments instead of %d", flags.Name(), flags.NArg(), want)
	}
	return nil
}
