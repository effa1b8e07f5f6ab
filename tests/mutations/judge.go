package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// verdict is the result of a mutation.
type verdict string

const (
	noticed   verdict = "noticed"
	accepted  verdict = "accepted"
	invalid   verdict = "invalid"
	unnoticed verdict = "unnoticed"
)

func (v verdict) tap() string {
	if v == unnoticed {
		return "not ok"
	}
	return "ok"
}

// suite runs files of tests/integration.
const suite = ".cache/suite"

// prepare builds what all mutations share.
func prepare() error {
	out, err := exec.Command("go", "build", "-o", suite, "./tests/suite").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build tests/suite: %w: %s", err, out)
	}
	return nil
}

// judge runs the tests of a mutation until one fails.
func (m *mutation) judge(parent string) (verdict, string) {
	dir, err := os.MkdirTemp(parent, "m")
	if err != nil {
		return unnoticed, err.Error()
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the parent is removed at the end
	overlay, err := m.overlay(dir)
	if err != nil {
		return unnoticed, err.Error()
	}
	berth := filepath.Join(dir, "berth")
	for _, test := range m.tests {
		v, why := m.judgeBy(test, overlay, berth)
		if v != unnoticed {
			return v, why
		}
	}
	if reason := reasonFor(m.name); reason != "" {
		return accepted, "harmless: " + reason
	}
	return unnoticed, "no test notices"
}

// judgeBy runs one entry of the tests. The first of tests/integration builds berth.
func (m *mutation) judgeBy(test, overlay, berth string) (verdict, string) {
	if isPackage(test) {
		out, err := exec.Command("go", "test", "-overlay", overlay, "-vet", "off", "-timeout", "2m", test).CombinedOutput()
		switch {
		case bytes.Contains(out, []byte("[build failed]")):
			return invalid, "does not compile"
		case err != nil:
			return noticed, "by " + failure(out, test)
		}
		return unnoticed, ""
	}
	if err := build(berth, overlay); err != nil {
		return invalid, err.Error()
	}
	args, name := suiteArguments(test)
	cmd := exec.Command(suite, append(args, "--runtime", berth, name)...)
	cmd.Env = append(os.Environ(), "FIRST_FAILURE=1", "BATS_TEST_TIMEOUT=240") // for a berth that hangs
	// It also fails if all tests are skipped.
	if out, err := cmd.CombinedOutput(); err != nil && failed.Match(out) {
		return noticed, "by " + name + ": " + failure(out, name)
	}
	return unnoticed, ""
}

func isPackage(test string) bool { return strings.HasPrefix(test, "./") }

// build builds a changed berth, once.
func build(berth, overlay string) error {
	if _, err := os.Stat(berth); err == nil {
		return nil
	}
	cmd := exec.Command("go", "build", "-overlay", overlay, "-tags", "urfave_cli_no_template", "-o", berth, "./cmd/runtime")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("does not compile: %s", lastLine(out))
	}
	return nil
}

// suiteArguments returns the arguments of the suite for an entry of tests, and the name of
// its file.
func suiteArguments(entry string) (args []string, file string) {
	args = []string{"--bats"}
	if bed, rest, ok := strings.Cut(entry, ":"); ok {
		args, entry = append(args, "--beds", bed), rest
	}
	file, filter, ok := strings.Cut(entry, " ")
	if ok {
		args = append(args, "--filter", filter)
	}
	return args, file
}

// overlay writes the changed file and the list for -overlay.
func (m *mutation) overlay(dir string) (string, error) {
	changed := filepath.Join(dir, "changed.go")
	if err := os.WriteFile(changed, m.source, 0o600); err != nil {
		return "", err
	}
	file, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {file: changed}})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, text, 0o600)
}

// failed finds a failed test in the output of go test or of bats.
var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)|^not ok \d+ (.*?)(?: in \d+ms)?$|^(panic: .*)$`)

// failure returns the name of a failed test.
func failure(out []byte, otherwise string) string {
	f := failed.FindSubmatch(out)
	for i := 1; f != nil && i < len(f); i++ {
		if len(f[i]) > 0 {
			return string(f[i])
		}
	}
	return otherwise + ": " + lastLine(out)
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
