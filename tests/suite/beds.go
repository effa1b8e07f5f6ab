package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// bed is a host for tests; see tests/beds and tests/engines.
type bed struct {
	name string
	// enter is a command that runs its arguments there. It exits with bedLacking, and
	// prints the reason, on a machine that cannot have the bed.
	enter []string
	// tags select the tests of the bed, each like bats' --filter-tags: a test runs if
	// one of them matches. The first starts with the bed's own tag, unless it is a
	// negation.
	tags []string
	// guest is set for an emulated, slow bed.
	guest bool
	// made is the command that makes the files of the bed unless they exist; enter runs
	// it too.
	made string
	// dir is the directory of the tests; empty for the integration tests.
	dir string
}

// bedLacking is the status of a bed that cannot be made on this machine.
const bedLacking = 77

// beds are all beds; tests/beds/README.md explains the tags.
var beds = []bed{
	{name: "bats", enter: []string{"tests/beds/host", "--"}, tags: []string{"!systemd,!systemd-user,!guest,!guest-user,!guest-selinux", "host"}},
	{name: "libseccomp", enter: []string{"tests/beds/libseccomp", "--"}, tags: []string{"libseccomp"}},
	{name: "v2", enter: []string{"tests/beds/v2", "--"}, tags: []string{"v2,!v1"}},
	{name: "systemd", enter: []string{"tests/beds/systemd", "--"}, tags: []string{"systemd"}, made: "tests/beds/tree"},
	{name: "systemd-user", enter: []string{"tests/beds/systemd", "--user", "--"}, tags: []string{"systemd-user"}, made: "tests/beds/tree"},
	{name: "guest", enter: []string{"tests/beds/guest", "--"}, tags: []string{"guest"}, guest: true, made: "tests/beds/guest-image"},
	{name: "guest-user", enter: []string{"tests/beds/guest", "--user", "--"}, tags: []string{"guest-user"}, guest: true, made: "tests/beds/guest-image"},
	{name: "guest-selinux", enter: []string{"tests/beds/guest-selinux", "--"}, tags: []string{"guest-selinux"}, guest: true, made: "tests/beds/guest-image"},
	engineBed("podman"),
	engineBed("docker"),
	engineBed("containerd"),
}

// engineBed returns the bed of the tests with a container engine.
func engineBed(engine string) bed {
	return bed{
		name:  engine,
		enter: []string{"env", "ENGINE=" + engine, enginesDir + "/bed"},
		tags:  []string{engine},
		dir:   enginesDir,
	}
}

// bedsNamed finds beds by their names, separated by commas; "all" is every bed, "native"
// those that are not emulated, "guests" the others, "engines" those of tests/engines.
func bedsNamed(names string) ([]bed, error) {
	var found []bed
	for name := range strings.SplitSeq(names, ",") {
		before := len(found)
		for _, b := range beds {
			if name == b.name || name == "all" || name == "native" && !b.guest || name == "guests" && b.guest ||
				name == "engines" && b.dir == enginesDir {
				found = append(found, b)
			}
		}
		if len(found) == before {
			return nil, fmt.Errorf("unknown bed %q", name)
		}
	}
	return found, nil
}

// makeBeds starts to make the files of these beds, while the tests of the first one run.
// It ignores errors: entering the bed tries again and reports them.
func makeBeds(beds []bed) {
	begun := map[string]bool{"": true}
	for _, b := range beds {
		if begun[b.made] {
			continue
		}
		begun[b.made] = true
		_ = exec.Command("nice", b.made).Start()
	}
}

// command runs the arguments in the bed, below a process that reaps orphans.
func (b *bed) command(probe string, args []string) *exec.Cmd {
	line := append(append([]string{}, b.enter...), probe, "reap")
	line = append(line, args...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = os.Environ()
	if b.guest {
		cmd.Env = append(cmd.Env, "BATS_TEST_TIMEOUT=1800")
	}
	return cmd
}

// names returns the test of an entry of differences, and whether it belongs to this bed.
func (b *bed) names(entry string) (string, bool) {
	if b.dir != enginesDir {
		return entry, true
	}
	return strings.CutPrefix(entry, b.name+": ")
}

// tests returns the path of a file, or a pattern of files, among the bed's tests.
func (b *bed) tests(name string) string {
	return filepath.Join(cmp.Or(b.dir, integrationDir), name)
}

// files returns the files that have tests for the bed. Bats would skip the others, but
// slowly in a slow bed.
func (b *bed) files() ([]string, error) {
	all, err := filepath.Glob(b.tests("*.bats"))
	if err != nil || strings.HasPrefix(b.tags[0], "!") {
		return all, err
	}
	tag, _, _ := strings.Cut(b.tags[0], ",")
	comment := regexp.MustCompile(`(?m)^# bats (file|test)_tags=(.*,)?` + tag + `(,|$)`)
	return slices.DeleteFunc(all, func(path string) bool {
		var text []byte
		if err == nil {
			text, err = os.ReadFile(path)
		}
		return !comment.Match(text)
	}), err
}

// lacking counts a bed that this machine cannot have as skipped. In continuous
// integration it counts as failed: a skip would go unnoticed there.
func (r *report) lacking(bed, reason string) {
	res := result{suite: bed, name: "all of it", status: skipped, reason: reason}
	if os.Getenv("CI") != "" {
		res.status = failed
	}
	r.add(res)
}

// lastLine keeps the last written line.
type lastLine struct{ line []byte }

func (l *lastLine) Write(p []byte) (int, error) {
	l.line = append(l.line, p...)
	if i := bytes.LastIndexByte(bytes.TrimRight(l.line, "\n"), '\n'); i >= 0 {
		l.line = l.line[i+1:]
	}
	return len(p), nil
}

func (l *lastLine) String() string { return strings.TrimSpace(string(l.line)) }
