package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sampleValues are values of flags of each kind: good and bad ones.
var sampleValues = map[kind][]string{
	text: {"x", "", "-", "a=b"}, truth: {"true", "x"}, number: {"7", "-1", "x"}, duration: {"1ms", "-1s", "x"},
	texts: {"x", "A=b", ""}, numbers: {"7", "-1"},
}

// argumentLists follow the flags.
var argumentLists = [][]string{{}, {"x"}, {"x", "y"}, {"x", "KILL", "z"}, {"--", "-x"}}

// TestPairsOfFlags runs each command with each pair of its flags, in an empty state root and
// an empty bundle: no line panics, and none fails without a message.
func TestPairsOfFlags(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	n := 0
	for _, c := range commands {
		flags := slices.Concat((&app{}).command(c.name).flags, globalFlags)
		// These take over descriptors, here those of the test.
		flags = slices.DeleteFunc(flags, func(f flag) bool { return strings.HasSuffix(f.name, "-fds") || strings.HasSuffix(f.name, "-fd") })
		for i := range flags {
			for _, second := range flags[i:] {
				global, own := []string{"berth", "--root", filepath.Join(dir, "root")}, []string{c.name}
				for k, f := range []flag{flags[i], second} {
					values := sampleValues[f.kind]
					word := "--" + f.name + "=" + values[(n/5+k)%len(values)]
					if f.local {
						global = append(global, word)
					} else {
						own = append(own, word)
					}
				}
				runPair(t, slices.Concat(global, own, argumentLists[n%len(argumentLists)]))
				n++
				empty(t, dir)
			}
		}
	}
	if n < 1000 {
		t.Errorf("only %d lines", n)
	}
}

// runPair runs one line.
func runPair(t *testing.T, args []string) {
	t.Helper()
	defer func(args []string) { os.Args = args }(os.Args)
	os.Args = args
	code := 0
	stdout, stderr := capture(t, func() {
		defer func() {
			if v := recover(); v != nil {
				t.Errorf("%q: panic: %v", args, v)
			}
		}()
		code = run(args)
	})
	logged := slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "--log=") })
	if code != 0 && stdout+stderr == "" && !logged {
		t.Errorf("%q: exit code %d without a message", args, code)
	}
}

// empty removes what a line has made.
func empty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if err == nil {
			err = os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
