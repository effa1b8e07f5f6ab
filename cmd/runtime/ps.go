package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

func (a *app) psCommand() command {
	return command{
		usage:     "list the processes of a container",
		args:      "ID [PS-OPTIONS]",
		stopAfter: 1, // flags after the ID belong to ps(1)
		flags: []flag{
			{name: "format", short: "f", value: "table", usage: "print this `FORMAT`: table, made by ps(1) with its options (default: -ef), or json with the process IDs"},
		},
		run: func(ctx context.Context, l *line) error {
			if len(l.args) < 1 {
				return wrongArgs(l, "a minimum of", 1)
			}
			format := l.text("format")
			if err := checkFormat(format); err != nil {
				return err
			}
			c, err := a.container(l)
			if err != nil {
				return err
			}
			pids, err := c.Processes(ctx)
			if err != nil {
				return err
			}
			if format == "json" {
				return json.NewEncoder(l.out).Encode(pids)
			}
			options := l.args[1:]
			if len(options) == 0 {
				options = []string{"-ef"}
			}
			table, err := hostPs(ctx, options)
			if err != nil {
				return err
			}
			return printProcesses(l.out, table, pids)
		},
	}
}

// hostPs runs the host's ps(1) and returns its output.
func hostPs(ctx context.Context, options []string) (string, error) {
	cmd := exec.CommandContext(ctx, "ps", options...)
	var out, failure bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &failure
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("%w (install it, often in a package procps; --format json does not need it)", err)
	case err != nil:
		why, _, _ := strings.Cut(strings.TrimSpace(failure.String()+out.String()), "\n")
		return "", fmt.Errorf("ps %s: %w: %s", strings.Join(options, " "), err, why)
	}
	return out.String(), nil
}

// printProcesses prints the header of ps(1)'s table and the lines of the given
// processes.
func printProcesses(w io.Writer, table string, pids []int) error {
	header, rows, _ := strings.Cut(table, "\n")
	column := slices.Index(strings.Fields(header), "PID")
	if column < 0 {
		return errors.New("couldn't find PID field in ps output")
	}
	out := header + "\n"
	for line := range strings.Lines(rows) {
		if slices.Contains(pids, pidIn(line, header, column)) {
			out += line
		}
	}
	_, err := io.WriteString(w, out)
	return err
}

// pidIn returns the process ID in a line of ps(1), -1 without one. The ID is the number
// that ends where the header of its column ends, as earlier columns may contain blanks;
// otherwise the word of that column, as an earlier one may be too wide.
func pidIn(line, header string, column int) int {
	end := strings.Index(header+" ", "PID ") + len("PID")
	if column > 0 {
		end = strings.Index(header+" ", " PID ") + len(" PID")
	}
	if end < len(line) && line[end-1] != ' ' && strings.IndexByte(" \n", line[end]) >= 0 {
		if words := strings.Fields(line[:end]); len(words) > 0 {
			if pid, err := strconv.Atoi(words[len(words)-1]); err == nil {
				return pid
			}
		}
	}
	words := strings.Fields(line)
	if column >= len(words) {
		return -1
	}
	pid, err := strconv.Atoi(words[column])
	if err != nil {
		return -1
	}
	return pid
}
