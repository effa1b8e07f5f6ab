package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"
)

// sameAsModule checks that the module makes the same of a line that parse accepts.
func sameAsModule(t *testing.T, args []string) (accepted bool) {
	t.Helper()
	quick, ok := (&app{}).parse(args)
	if !ok {
		return false
	}
	var want *line
	root := byModule(&app{}, func(l *line) { want = l })
	root.Writer, root.ErrWriter = io.Discard, io.Discard
	root.Before = func(ctx context.Context, cmd *cli.Command) (context.Context, error) {
		want = lineOf(cmd, nil)
		return ctx, nil
	}
	if err := root.Run(t.Context(), args); err != nil {
		t.Fatalf("%q: parse accepts it; the module: %v", args, err)
	}
	if want == nil {
		t.Fatalf("%q: parse accepts it; the module runs no command", args)
	}
	if have, want := describe(quick), describe(want); have != want {
		t.Fatalf("%q: %s, by the module %s", args, have, want)
	}
	return true
}

func describe(l *line) string {
	name := ""
	if l.command != nil {
		name = l.command.name
	}
	return fmt.Sprintf("%s %q %q", name, l.args, optionsOf(l))
}

// vocabulary has the words of random lines.
func vocabulary() (list []string) {
	flags := globalFlags
	for _, c := range commands {
		list = append(list, c.name)
		flags = append(slices.Clip(flags), (&app{}).command(c.name).flags...)
	}
	for _, f := range flags {
		list = append(list, "--"+f.name, "-"+f.name, "--"+f.name+"=", "--"+f.name+"=1", "-"+f.name+"=x", "--"+f.name+"=true", "--"+f.name+"=a=b")
		if f.short != "" {
			list = append(list, "-"+f.short, "--"+f.short, "-"+f.short+"=false", "-"+f.short+"x")
		}
	}
	return append(list, "", " ", "x", "x y", " x", "x ", "-", "--", "---", "-- ", "-x", "--x", "-1", "=", "-=", "--=", "1", "01", "+1", "1s", "true", "0",
		"--help", "-h", "help", "h", "completion", "\x00", "é", "-é", "\u00a0", "\u2003x", completionFlag)
}

// TestParse compares parse with the module for random lines.
func TestParse(t *testing.T) {
	const lines = 4000
	words := vocabulary()
	random := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for range lines {
		args := []string{"berth"}
		if random.IntN(4) > 0 { // or nearly every line would fail before its command
			args = append(args, commands[random.IntN(len(commands))].name)
		}
		for range random.IntN(5) {
			args = append(args, words[random.IntN(len(words))])
		}
		if sameAsModule(t, args) {
			accepted++
		}
	}
	if accepted < lines/20 {
		t.Errorf("parse accepts only %d of %d lines", accepted, lines)
	}
}

// FuzzParse compares parse with the module. The words of a line are separated by
// newlines.
func FuzzParse(f *testing.F) {
	for _, args := range [][]string{
		{"--root", "/r", "--log=/l", "--log-format", "json", "create", "--bundle", "b", "--pid-file", "p", "x"},
		{"exec", "-e", "A=b", "-e=", "-g", "7", "-t", "x", "--", "y", "-z"},
		{"events", "--interval", "1m", "x"},
		{"state", "x", "--debug=F", "--", "-"},
		{"-v"},
	} {
		f.Add(strings.Join(args, "\n"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		sameAsModule(t, append([]string{"berth"}, strings.Split(text, "\n")...))
	})
}

// TestFlagNames checks what parse relies on: it takes the first flag of a name.
func TestFlagNames(t *testing.T) {
	check := func(of string, flags []flag, taken map[string]bool) {
		for _, f := range flags {
			for _, name := range []string{f.name, f.short} {
				if name != "" && taken[name] {
					t.Errorf("%s: --%s has two meanings", of, name)
				}
				taken[name] = true
			}
			if strings.Trim(f.name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || len(f.name) < 2 || len(f.short) > 1 {
				t.Errorf("%s: --%s, -%s", of, f.name, f.short)
			}
		}
	}
	for _, c := range commands {
		global := map[string]bool{"help": true, "h": true}
		for _, f := range globalFlags {
			if !f.local {
				global[f.name], global[f.short] = true, f.short != ""
			}
		}
		check(c.name, (&app{}).command(c.name).flags, global)
	}
	check("berth", globalFlags, map[string]bool{"help": true, "h": true})
}
