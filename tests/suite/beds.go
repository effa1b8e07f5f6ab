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

// bed is a host that tests are run on; see tests/beds and tests/engines.
type bed struct {
	name string
	// enter is a command that runs its arguments there. It leaves with
	// bedLacking, and the reason, where it cannot.
	enter []string
	// tags are the tests that are run there, each as bats' --filter-tags
	// takes it: a test that one of them fits is run. The first begins with
	// the bed's own tag, unless it is a denial.
	tags []string
	// guest is set for what is emulated, and slow.
	guest bool
	// made makes what the bed is made from, unless that is there; enter would.
	made string
	// dir is the directory of the tests; that of the integration tests if empty.
	dir string
}

// bedLacking is the status of a bed that cannot be made on this machine.
const bedLacking = 77

// beds are all of them; tests/beds/README.md explains the tags.
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

// engineBed is where the tests with a container engine are run.
func engineBed(engine string) bed {
	return bed{
		name:  engine,
		enter: []string{"env", "ENGINE=" + engine, enginesDir + "/bed"},
		tags:  []string{engine},
		dir:   enginesDir,
	}
}

// bedsNamed finds beds by their names, which commas part; "all" is every one,
// "native" those that are not emulated, "guests" the others, "engines" those of
// tests/engines.
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
			return nil, fmt.Errorf("there is no bed %q", name)
		}
	}
	return found, nil
}

// makeBeds begins to make what these beds are made from, beside the tests that
// come first. What goes wrong is told when the bed is entered: it tries again.
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

// command runs the arguments in the bed, below a process that reaps.
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

// names gives the test that an entry of differences is about, and whether it is
// one of this bed's.
func (b *bed) names(entry string) (string, bool) {
	if b.dir != enginesDir {
		return entry, true
	}
	return strings.CutPrefix(entry, b.name+": ")
}

// tests is the path of a file, or a pattern of files, among the bed's tests.
func (b *bed) tests(name string) string {
	return filepath.Join(cmp.Or(b.dir, integrationDir), name)
}

// files are those that have tests for the bed. Bats finds them too, but takes
// its time in a slow bed.
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

// lacking counts a bed that cannot be made here as skipped; in continuous
// integration as failed: there, tests that are not run would go unnoticed.
func (r *report) lacking(bed, reason string) {
	res := result{suite: bed, name: "all of it", status: skipped, reason: reason}
	if os.Getenv("CI") != "" {
		res.status = failed
	}
	r.add(res)
}

// lastLine keeps the last line of what is written to it.
type lastLine struct{ line []byte }

func (l *lastLine) Write(p []byte) (int, error) {
	l.line = append(l.line, p...)
	if i := bytes.LastIndexByte(bytes.TrimRight(l.line, "\n"), '\n'); i >= 0 {
		l.line = l.line[i+1:]
	}
	return len(p), nil
}

func (l *lastLine) String() string { return strings.TrimSpace(string(l.line)) }
