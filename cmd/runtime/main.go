// Settings of Go's runtime, which save work at every start.
//
// updatemaxprocs=0: the runtime does not follow later changes of the CPU limit. That
// saves a goroutine, often a thread for it, and two system calls at the first tick of
// the runtime's monitor. A program in the foreground keeps the number of processors
// that it has started with.
//
// decoratemappings=0: the runtime does not name its mappings for /proc/PID/maps. That
// saves 23 calls of prctl(2) on kernels with CONFIG_ANON_VMA_NAME.
//
// containermaxprocs=0 is left out: the runtime would read the CPU limit all the same,
// and ignore it.

//go:debug updatemaxprocs=0
//go:debug decoratemappings=0

// Command runtime is berth, an OCI container runtime with the commands of runc, built
// on package runtime.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/urfave/cli/v3"
)

// Set by the linker.
var (
	version = "unknown"
	commit  = ""
)

func main() {
	growStack(0)
	// Commands do one thing after the other, and end soon. With a second processor Go's
	// scheduler starts threads that look for work and find none: a tenth of the CPU time
	// of run and exec. Calls that block do not keep the processor.
	runtime.GOMAXPROCS(1)
	os.Exit(run(os.Args))
}

// growStack makes the stack as large as the commands need it. Otherwise it is doubled
// five times on the way, each time with a copy of deeper frames. The stack grows when
// the function is entered; the array is not touched.
//
//go:noinline
func growStack(n int) byte {
	if n == 0 {
		return 0
	}
	var frame [48 << 10]byte
	frame[n] = 1
	return frame[n-1] + growStack(n-1)
}

// run returns the exit code.
func run(args []string) int {
	a := &app{}
	if l, ok := a.parse(args); ok {
		return a.end(a.perform(context.Background(), l))
	}
	return a.end(a.definition().Run(context.Background(), args))
}

// perform runs the command of a line.
func (a *app) perform(ctx context.Context, l *line) error {
	if err := a.before(l); err != nil {
		return err // always without a command
	}
	return l.command.run(ctx, l)
}

// end reports the error of a command, if any, and returns the exit code.
func (a *app) end(err error) int {
	var exit exitCode
	if errors.As(err, &exit) {
		return int(exit)
	}
	if err == nil {
		return 0
	}
	a.report(err)
	var unknown unknownCommand
	if errors.As(err, &unknown) {
		return 3
	}
	var help cli.ExitCoder // from the help for an unknown command
	if errors.As(err, &help) {
		return help.ExitCode()
	}
	var exec execFailure
	if errors.As(err, &exec) {
		return 255
	}
	return 1
}

// exitCode is the exit code of a container's program, not an error of berth.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// unknownCommand is the name of a command that does not exist.
type unknownCommand string

// Error ends in runc's words, which test suites look for.
func (u unknownCommand) Error() string {
	return fmt.Sprintf("unknown command %q (see berth --help): No help topic for '%s'", string(u), string(u))
}

// command is a command of berth.
type command struct {
	name        string
	usage       string // one line
	args        string // for the help
	description string
	flags       []flag
	// stopAfter is the number of arguments that end the flags; 0 means that flags may
	// follow all arguments.
	stopAfter int
	run       func(context.Context, *line) error
}

// commands are all commands, in the order of the help. Only the definition of the
// requested one is made.
var commands = [...]struct {
	name string
	make func(*app) command
}{
	{"checkpoint", (*app).checkpointCommand},
	{"create", (*app).createCommand},
	{"delete", (*app).deleteCommand},
	{"exec", (*app).execCommand},
	{"features", (*app).featuresCommand},
	{"info", (*app).infoCommand},
	{"kill", (*app).killCommand},
	{"list", (*app).listCommand},
	{"mounts", (*app).mountsCommand},
	{"pause", (*app).pauseCommand},
	{"restore", (*app).restoreCommand},
	{"resume", (*app).resumeCommand},
	{"run", (*app).runCommand},
	{"spec", (*app).specCommand},
	{"start", (*app).startCommand},
	{"state", (*app).stateCommand},
	{"events", (*app).eventsCommand},
	{"ps", (*app).psCommand},
	{"update", (*app).updateCommand},
}

// command returns the command of a name, nil if it does not exist.
func (a *app) command(name string) *command {
	for i := range commands {
		if commands[i].name == name {
			c := commands[i].make(a)
			c.name = name
			return &c
		}
	}
	return nil
}

// exactArgs checks the number of arguments.
func exactArgs(l *line, n int) error {
	if len(l.args) == n {
		return nil
	}
	return wrongArgs(l, "exactly", n)
}

// argsBetween checks that there are least to most arguments.
func argsBetween(l *line, least, most int) error {
	switch {
	case len(l.args) < least:
		return wrongArgs(l, "a minimum of", least)
	case len(l.args) > most:
		return wrongArgs(l, "a maximum of", most)
	}
	return nil
}

func wrongArgs(l *line, how string, n int) error {
	return fmt.Errorf("%q requires %s %d argument(s) (see: %s --help)", l.command.name, how, n, "berth "+l.command.name)
}
