package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const sample = `package sample

func step(r *run) error {
	r.stub.Prctl(1)
	r.stub.Label("x")
	if r.wanted {
		r.mount(A | B | C)
	}
	if err != nil {
		return err
	}
	return r.open("x").MayFail(unix.ENOENT, unix.EPERM)
}
`

// TestMutations makes the mutations of a sample.
func TestMutations(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sample.go")
	if err := os.WriteFile(file, []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir("../..")
	list, err := target{files: file}.of(file)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range list {
		if _, err := parser.ParseFile(token.NewFileSet(), file, m.source, 0); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		got = append(got, strings.TrimPrefix(m.name, file+":"))
	}
	want := []string{
		"4: no call: r.stub.Prctl(1)", "6: never: if r.wanted", "7: no call: r.mount(A | B | C)", "7: no flag: C",
		"7: no flag: A", "7: no flag: B", "12: no errno: unix.ENOENT", "12: no errno: unix.EPERM",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q", got)
	}
	if !bytes.Contains(list[4].source, []byte("r.mount(B | C)")) {
		t.Errorf("%s: %s", list[4].name, list[4].source)
	}
}

// TestTargets parses the mutations of all targets.
func TestTargets(t *testing.T) {
	t.Chdir("../..")
	list, err := mutations()
	if err != nil {
		t.Fatal(err)
	}
	steps := 0
	for _, m := range list {
		if _, err := parser.ParseFile(token.NewFileSet(), m.file, m.source, 0); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		if strings.Contains(m.name, ": no step: ") {
			steps++
		}
		if len(m.tests) == 0 {
			t.Errorf("%s: no tests", m.name)
		}
		for _, test := range m.tests {
			if isPackage(test) {
				continue
			}
			_, name := suiteArguments(test)
			if _, err := os.Stat("tests/integration/" + name); err != nil {
				t.Error(err)
			}
		}
	}
	for _, h := range harmlessMutations {
		if !slices.ContainsFunc(list, func(m mutation) bool { return h.name.MatchString(m.name) }) {
			t.Errorf("no mutation has the name %s", h.name)
		}
	}
	if steps < 100 || len(list) < 300 {
		t.Errorf("%d mutations, %d of steps", len(list), steps)
	}
}

func TestFailureIsNamed(t *testing.T) {
	for out, want := range map[string]string{
		"ok 1 a\nnot ok 2 run refuses x in 12ms\n# y\n": "run refuses x",
		"=== RUN TestX\n--- FAIL: TestX (0.1s)\n":       "TestX",
		"panic: boom\n": "panic: boom",
		"exit\n":        "pkg: exit",
	} {
		if got := failure([]byte(out), "pkg"); got != want {
			t.Errorf("%q: got %q", out, got)
		}
	}
}

func TestOnlyIsARegexp(t *testing.T) {
	if err := run(true, false, "(", 1, 1); err == nil {
		t.Error("a bad regexp is accepted")
	}
}
