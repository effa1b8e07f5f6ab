package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"
)

// Command lines, and what berth makes of them. TestCommandLines -update writes the
// results: options and arguments of the command, help, completions, errors. A ">" marks
// lines that parse accepts.
const (
	commandLines       = "testdata/commandlines.txt"
	commandLineResults = "testdata/commandlines.golden"
)

// words divides a line at its blanks. A word can be a quoted Go string.
func words(t *testing.T, line string) []string {
	t.Helper()
	list := []string{"berth"}
	for line != "" {
		word, rest, _ := strings.Cut(line, " ")
		if strings.HasPrefix(line, `"`) {
			quoted, err := strconv.QuotedPrefix(line)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			rest = strings.TrimPrefix(line[len(quoted):], " ")
			if word, err = strconv.Unquote(quoted); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
		list = append(list, word)
		line = rest
	}
	return list
}

// linesOf returns the lines of a file, without comments and empty lines.
func linesOf(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			list = append(list, line)
		}
	}
	return list
}

// capture calls f and returns all that it writes to standard output and standard error.
func capture(t *testing.T, f func()) (stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	var files [2]*os.File
	for i := range files {
		file, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(i)), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		files[i] = file
	}
	realOut, realErr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = files[0], files[1]
	defer func() { os.Stdout, os.Stderr = realOut, realErr }()
	f()
	var texts [2]string
	for i, file := range files {
		b, err := io.ReadAll(io.NewSectionReader(file, 0, 1<<20))
		if err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		texts[i] = string(b)
	}
	return texts[0], texts[1]
}

// dump prints the options that a command gets.
func dump(l *line) {
	fmt.Fprintf(os.Stdout, "%s %q\n", l.command.name, l.args)
	for _, o := range optionsOf(l) {
		fmt.Fprintln(os.Stdout, " ", o)
	}
}

// optionsOf returns the flags that are set, with their values.
func optionsOf(l *line) []string {
	var list []string
	for _, flags := range [][]flag{l.flags, globalFlags} {
		for _, f := range flags {
			if set := l.option(l.find(f.name)); set != nil {
				list = append(list, fmt.Sprintf("%s = %#v", f.name, set.value))
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// byModule makes a definition in which the commands call perform instead.
func byModule(a *app, perform func(*line)) *cli.Command {
	root := a.definition()
	for _, d := range root.Commands {
		c := a.command(d.Name)
		d.Action = func(_ context.Context, cmd *cli.Command) error {
			perform(lineOf(cmd, c))
			return nil
		}
	}
	return root
}

// outcomeByModule returns all output of a command line that the module parses, with the
// options instead of what the command prints.
func outcomeByModule(t *testing.T, args []string) string {
	t.Helper()
	defer func(args []string) { os.Args = args }(os.Args)
	os.Args = args // completion reads them
	code := 0
	stdout, stderr := capture(t, func() {
		a := &app{}
		code = a.end(byModule(a, dump).Run(t.Context(), args))
	})
	return result(code, stdout, stderr)
}

// outcomeByParse does the same for a line that parse accepts.
func outcomeByParse(t *testing.T, args []string) (_ string, ok bool) {
	t.Helper()
	code := 0
	stdout, stderr := capture(t, func() {
		a := &app{}
		var l *line
		if l, ok = a.parse(args); !ok {
			return
		}
		err := a.before(l)
		if err == nil {
			dump(l)
		}
		code = a.end(err)
	})
	return result(code, stdout, stderr), ok
}

// varying matches what differs from run to run, and between versions of Go.
var varying = regexp.MustCompile(`(time="|"time":"|go: go)[0-9A-Z:.-]+`)

func result(code int, stdout, stderr string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "exit code %d\n", code)
	for _, output := range []struct{ name, text string }{{"out", stdout}, {"err", stderr}} {
		for line := range strings.Lines(output.text) {
			fmt.Fprintf(&out, "%s: %s\n", output.name, strings.TrimSuffix(line, "\n"))
		}
	}
	return varying.ReplaceAllString(out.String(), "$1...")
}

func TestCommandLines(t *testing.T) {
	var out strings.Builder
	first := map[string]string{} // the line with this result
	for _, line := range linesOf(t, commandLines) {
		args := words(t, line)
		result := outcomeByModule(t, args)
		mark := "$"
		if quick, ok := outcomeByParse(t, args); ok {
			mark = ">"
			if quick != result {
				t.Errorf("berth %s\n%swithout the module:\n%s", line, result, quick)
			}
		}
		if same, ok := first[result]; ok && strings.Count(result, "\n") > 4 {
			result = "as: berth " + same + "\n"
		} else {
			first[result] = line
		}
		fmt.Fprintf(&out, "%s berth %s\n%s\n", mark, line, result)
	}
	if strconv.IntSize == 64 { // the file has the numbers that flags accept there
		golden(t, commandLineResults, out.String())
	}
}

// golden compares a text with that of a file.
func golden(t *testing.T, path, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) == text {
		return
	}
	have, wanted := strings.Split(text, "\n"), strings.Split(string(want), "\n")
	for i := range have {
		if i >= len(wanted) || have[i] != wanted[i] {
			t.Fatalf("%s: line %d is %q", path, i+1, have[i])
		}
	}
	t.Fatalf("%s has %d lines, want %d", path, len(have), len(wanted))
}
