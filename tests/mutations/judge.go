package main

import (
	"bytes"
	"encoding/json"
	"errors"
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
	for _, pkg := range m.tests.packages {
		out, err := exec.Command("go", "test", "-overlay", overlay, "-vet", "off", "-timeout", "2m", pkg).CombinedOutput()
		if bytes.Contains(out, []byte("[build failed]")) {
			return invalid, "does not compile"
		}
		if err != nil {
			return noticed, "by " + failure(out, pkg)
		}
	}
	if v, why := m.judgeInContainers(dir, overlay); v == noticed {
		return v, why
	} else if reason := reasonFor(m.name); reason != "" {
		return accepted, "harmless: " + reason
	} else {
		return v, why
	}
}

// judgeInContainers runs tests of tests/integration with a changed berth until one fails.
func (m *mutation) judgeInContainers(dir, overlay string) (verdict, string) {
	if len(m.tests.files) == 0 {
		return unnoticed, "no test notices"
	}
	berth := filepath.Join(dir, "berth")
	build := exec.Command("go", "build", "-overlay", overlay, "-tags", "urfave_cli_no_template", "-o", berth, "./cmd/runtime")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return invalid, "does not compile: " + lastLine(out)
	}
	for _, file := range m.tests.files {
		args, name := suiteArguments(file)
		out, err := exec.Command(suite, append(args, "--runtime", berth, name)...).CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			return unnoticed, err.Error()
		}
		if err != nil {
			return noticed, "by " + name + ": " + failure(out, name)
		}
	}
	return unnoticed, "no test notices"
}

// suiteArguments returns the arguments of the suite for an entry of tests.files, and the
// name of its file.
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
