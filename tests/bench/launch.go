package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// sample is what a measured command, or several of them, used.
type sample struct {
	Wall     float64 // ms
	CPU      float64 // ms, of the command and the container's processes
	Peak     float64 // KiB, of the largest process
	Faults   float64
	Switches float64
	Calls    float64 // only where they were counted

	start, end float64 // ms, of a clock without meaning
}

// with returns the sum of two samples that follow each other.
func (s sample) with(other sample) sample {
	return sample{
		Wall: s.Wall + other.Wall, CPU: s.CPU + other.CPU, Peak: max(s.Peak, other.Peak),
		Faults: s.Faults + other.Faults, Switches: s.Switches + other.Switches, Calls: s.Calls + other.Calls,
	}
}

// span is the time from the first start to the last end, in ms.
func span(all []sample) float64 {
	start, end := all[0].start, all[0].end
	for _, s := range all {
		start, end = min(start, s.start), max(end, s.end)
	}
	return end - start
}

// State roots of a candidate.
const (
	workRoot   = ""
	targetRoot = ".target" // has one running container, "target"
	manyRoot   = ".many"
)

func (c *candidate) command(root string, args ...string) []string {
	return append([]string{c.program, "--root", c.root + root}, args...)
}

func bundleDir(name string) string { return filepath.Join("/mnt/bundle", name) }

// logFile has the output of the commands that ran last.
const logFile = "/tmp/log"

// launch runs commands with tests/bench/c/launch.c, and returns a sample for each.
func launch(how string, commands ...[]string) ([]sample, error) {
	// A file: the container would hold a pipe open.
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	cmd := exec.Command("/mnt/launch", how)
	for i, c := range commands {
		if i > 0 {
			cmd.Args = append(cmd.Args, ";")
		}
		cmd.Args = append(cmd.Args, c...)
	}
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = log, log, []*os.File{write}
	err = cmd.Start()
	write.Close()
	if err != nil {
		return nil, err
	}
	report, err := io.ReadAll(read)
	if err = errors.Join(err, cmd.Wait()); err != nil {
		return nil, fmt.Errorf("launch: %w", err)
	}
	return parseReport(string(report), commands, func() string {
		text, err := os.ReadFile(logFile)
		if err != nil {
			return err.Error()
		}
		return string(bytes.TrimSpace(text))
	})
}

// parseReport reads a line for each command. A command that failed is an error, with its
// output.
func parseReport(report string, commands [][]string, log func() string) ([]sample, error) {
	lines := strings.Split(strings.TrimSuffix(report, "\n"), "\n")
	if len(lines) != len(commands) {
		return nil, fmt.Errorf("launch reported %d of %d commands", len(lines), len(commands))
	}
	var all []sample
	for i, line := range lines {
		var n [11]float64
		if _, err := fmt.Sscan(line, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7], &n[8], &n[9], &n[10]); err != nil {
			return nil, fmt.Errorf("report %q: %w", line, err)
		}
		if n[0] != 0 {
			return nil, &commandError{command: commands[i], status: n[0], output: log()}
		}
		all = append(all, sample{
			Wall: (n[2] - n[1]) / 1e6, CPU: (n[3] + n[4]) / 1e3, Peak: n[5],
			Faults: n[6] + n[7], Switches: n[8] + n[9], Calls: n[10],
			start: n[1] / 1e6, end: n[2] / 1e6,
		})
	}
	return all, nil
}

// commandError is of a command that failed.
type commandError struct {
	command []string
	status  float64
	output  string
}

func (e *commandError) Error() string {
	return fmt.Sprintf("%s: exit status %.0f: %s", strings.Join(e.command[1:], " "), e.status, e.output)
}

// reap waits for a process that was left to process 1, and returns what it and its
// children have used.
func reap(pid int) (sample, error) {
	var status unix.WaitStatus
	var used unix.Rusage
	for {
		_, err := unix.Wait4(pid, &status, 0, &used)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return sample{}, fmt.Errorf("wait for process %d: %w", pid, err)
		}
		return sample{
			CPU:    milliseconds(used.Utime) + milliseconds(used.Stime),
			Faults: float64(used.Minflt + used.Majflt), Switches: float64(used.Nvcsw + used.Nivcsw),
		}, nil
	}
}

func milliseconds(t unix.Timeval) float64 { return float64(t.Sec)*1e3 + float64(t.Usec)/1e3 }

// cpuOf returns the CPU time of a process that runs, in ms.
func cpuOf(pid int) (float64, error) {
	// MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED) of the kernel.
	clock := int32(^pid)<<3 | 2
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return float64(t.Nano()) / 1e6, nil
}

// readPid reads the pid file of a container.
func readPid(id string) (int, error) {
	text, err := os.ReadFile(pidFile(id))
	if err != nil {
		return 0, err
	}
	var pid int
	_, err = fmt.Sscan(string(text), &pid)
	return pid, err
}

// sum returns all samples as one.
func sum(all []sample) sample {
	var s sample
	for _, other := range all {
		s = s.with(other)
	}
	return s
}
