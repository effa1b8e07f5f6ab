package main

import (
	"fmt"
	"os"
	"strconv"
)

// measurement is made for each runtime in turn. do returns a sample for each part; how
// is the launcher's word for the way in which it starts commands.
type measurement struct {
	parts []string
	do    func(c *candidate, how string) ([]sample, error)
}

// Ways to start commands.
const (
	once   = "once"
	atOnce = "at-once"
	count  = "count" // system calls, instead of time
)

const runName = "run"

var measurements = []measurement{
	{[]string{runName}, runBundle(plain)},
	{[]string{"run with Docker's profile"}, runBundle(filtered)},
	{[]string{"run with a user namespace"}, runBundle(mapped)},
	{[]string{"create", "start", "delete"}, eachAlone},
	{[]string{"create+start+delete"}, allThree},
	{[]string{"exec"}, single(targetRoot, "exec", "target", "/bin/true")},
	{[]string{"state"}, single(targetRoot, "state", "target")},
	// Process 1 of a pid namespace ignores the signal.
	{[]string{"kill"}, single(targetRoot, "kill", "target", "TERM")},
	{[]string{"list of 1"}, single(targetRoot, "list")},
	{[]string{"8 creates at once"}, eightAtOnce},
}

// single measures one command.
func single(root string, args ...string) func(*candidate, string) ([]sample, error) {
	return func(c *candidate, how string) ([]sample, error) { return launch(how, c.command(root, args...)) }
}

func runBundle(name string) func(*candidate, string) ([]sample, error) {
	return func(c *candidate, how string) ([]sample, error) { return launch(how, c.runCommand(name)) }
}

// runCommand is the command that runs a bundle.
func (c *candidate) runCommand(bundle string) []string {
	if c.Kind == bound {
		return append([]string{c.program, "/mnt/bundle/rootfs"}, c.boundArgs...)
	}
	return c.command(workRoot, "run", "--bundle", bundleDir(bundle), "bench")
}

func pidFile(id string) string { return "/tmp/pid-" + id }

func (c *candidate) create(root, bundle, id string) []string {
	return c.command(root, "create", "--bundle", bundleDir(bundle), "--pid-file", pidFile(id), id)
}

// eachAlone measures create, start, and delete of a container that has ended. The CPU
// time of init before it waits for start counts for create, the rest for start.
func eachAlone(c *candidate, how string) ([]sample, error) {
	created, err := launch(how, c.create(workRoot, plain, "bench"))
	if err != nil {
		return nil, err
	}
	pid, err := readPid("bench")
	if err != nil {
		return nil, err
	}
	before, err := cpuOf(pid)
	if err != nil {
		return nil, err
	}
	started, err := launch(how, c.command(workRoot, "start", "bench"))
	if err != nil {
		return nil, err
	}
	ended, err := reap(pid)
	if err != nil {
		return nil, err
	}
	deleted, err := launch(how, c.command(workRoot, "delete", "bench"))
	if err != nil {
		return nil, err
	}
	created[0].CPU += before
	started[0].CPU += ended.CPU - before
	return []sample{created[0], started[0], deleted[0]}, nil
}

// allThree measures create, start and delete --force without waiting for the program.
func allThree(c *candidate, how string) ([]sample, error) {
	all, err := launch(how, c.create(workRoot, plain, "bench"), c.command(workRoot, "start", "bench"),
		c.command(workRoot, "delete", "--force", "bench"))
	if err != nil {
		return nil, err
	}
	pid, err := readPid("bench")
	if err != nil {
		return nil, err
	}
	ended, err := reap(pid)
	if err != nil {
		return nil, err
	}
	return []sample{sum(append(all, ended))}, nil
}

// eightAtOnce measures the time from the first start to the last end. The system calls
// of commands that run at once cannot be counted.
func eightAtOnce(c *candidate, how string) ([]sample, error) {
	if how == count {
		return []sample{{}}, nil
	}
	var commands [][]string
	for i := range 8 {
		commands = append(commands, c.create(workRoot, numbered(i), strconv.Itoa(i)))
	}
	all, err := launch(atOnce, commands...)
	if err != nil {
		return nil, err
	}
	total := sum(all)
	total.Wall = span(all)
	for i := range 8 {
		pid, err := readPid(strconv.Itoa(i))
		if err != nil {
			return nil, err
		}
		used, err := cpuOf(pid)
		if err != nil {
			return nil, err
		}
		total.CPU += used
	}
	return []sample{total}, c.deleteAll(workRoot, 8)
}

// deleteAll deletes created containers with the IDs 0 to n-1.
func (c *candidate) deleteAll(root string, n int) error {
	for i := range n {
		id := strconv.Itoa(i)
		pid, err := readPid(id)
		if err != nil {
			return err
		}
		if _, err := launch(once, c.command(root, "delete", "--force", id)); err != nil {
			return err
		}
		if _, err := reap(pid); err != nil {
			return fmt.Errorf("after delete: %w", err)
		}
		if err := os.Remove(pidFile(id)); err != nil {
			return err
		}
	}
	return nil
}
