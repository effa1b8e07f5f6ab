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
	// arch is the architecture of a guest with another processor.
	arch string
	// made is the command that makes the files of the bed unless they exist; enter runs
	// it too.
	made string
	// own is set for a bed in which berth runs as another program than the runtime: it
	// cannot test the reference.
	own bool
	// dir is the directory of the tests; empty for the integration tests.
	dir string
	// group is a name that selects this bed and others.
	group string
	// apart is set for a bed that only its own name, or its group's, selects: it has another
	// kernel, or other engines, and takes long.
	apart bool
}

// bedLacking is the status of a bed that cannot be made on this machine.
const bedLacking = 77

// beds are all beds.
var beds = slices.Concat(hosts, engineBeds(), kubernetesBeds)

// hosts are the beds of tests/beds; the README there explains the tags.
var hosts = []bed{
	{name: "bats", enter: []string{"tests/beds/host", "--"}, tags: []string{"!criu,!systemd,!systemd-user,!guest,!guest-user,!guest-selinux,!kernel-refused", "host"}},
	{name: "libseccomp", enter: []string{"tests/beds/libseccomp", "--"}, tags: []string{"libseccomp"}},
	{name: "v2", enter: []string{"tests/beds/v2", "--"}, tags: []string{"v2,!v1"}},
	{name: "criu", enter: []string{"tests/beds/criu", "--"}, tags: []string{"criu"}, made: "tests/beds/criu-tree"},
	{name: "criu-v2", enter: []string{"tests/beds/criu", "--v2", "--"}, tags: []string{"criu"}, made: "tests/beds/criu-tree"},
	{name: "criu-testing", enter: []string{"tests/beds/criu", "--suite", "testing", "--"}, tags: []string{"criu"}, made: "tests/beds/criu-tree testing", apart: true},
	{name: "systemd", enter: []string{"tests/beds/systemd", "--"}, tags: []string{"systemd"}, made: "tests/beds/tree"},
	{name: "systemd-user", enter: []string{"tests/beds/systemd", "--user", "--"}, tags: []string{"systemd-user"}, made: "tests/beds/tree"},
	{name: "guest", enter: []string{"tests/beds/guest", "--"}, tags: []string{"guest"}, guest: true, made: "tests/beds/guest-image"},
	{name: "guest-user", enter: []string{"tests/beds/guest", "--user", "--"}, tags: []string{"guest-user"}, guest: true, made: "tests/beds/guest-image"},
	{name: "guest-selinux", enter: []string{"tests/beds/guest-selinux", "--"}, tags: []string{"guest-selinux"}, guest: true, made: "tests/beds/guest-image"},
	foreignGuest("arm64"),
	complete(foreignGuest("arm64")),
	kernelBed("bullseye", "kernel-refused"),
	kernelBed("bookworm", "kernel"),
	kernelBed("trixie", "kernel"),
	kernelBed("trixie-backports", "kernel"),
	complete(kernelBed("bookworm", "")),
	complete(kernelBed("trixie", "")),
	complete(kernelBed("trixie-backports", "")),
}

// kernelBed returns the bed with the kernel of one of Debian's suites.
func kernelBed(suite, tag string) bed {
	return bed{
		name:  "kernel-" + suite,
		group: "kernels",
		enter: []string{"tests/beds/guest", "--suite", suite, "--timeout", completeTimeout, "--"},
		tags:  []string{tag + ",!v1,!systemd,!systemd-user"},
		guest: true,
		apart: true,
		made:  "tests/beds/guest-image " + suite,
	}
}

// completeTimeout is the time limit, in seconds, of a guest that runs most tests: emulated,
// each takes 5 to 30 seconds.
const completeTimeout = "21600"

// foreignGuest returns a guest with another processor, for the tests with its tag.
func foreignGuest(arch string) bed {
	return bed{
		name:  "guest-" + arch,
		enter: []string{"tests/beds/guest", "--arch", arch, "--"},
		tags:  []string{arch},
		guest: true,
		arch:  arch,
		made:  "tests/beds/guest-image --arch " + arch,
	}
}

// complete returns a bed like b for all tests that a guest can have, which take hours. Only its
// own name selects it.
func complete(b bed) bed {
	b.name += "-complete"
	b.group, b.apart = "", true
	if !slices.Contains(b.enter, "--timeout") {
		b.enter = slices.Insert(b.enter, len(b.enter)-1, "--timeout", completeTimeout)
	}
	b.tags = []string{"!v1,!criu,!systemd-user,!guest-user,!guest-selinux,!kernel-refused,!tools"}
	return b
}

// in reports whether the bed has the name, or is in the group of that name: "kernels" are
// the guests with other kernels, "engines-SUITE" the beds with other engines, "all" every
// other bed, "native" those of them that are not emulated, "guests" the others.
func (b *bed) in(name string) bool {
	switch name {
	case "": // not a name; most beds have no group
		return false
	case b.name, b.group:
		return true
	case "all":
		return !b.apart
	case "native":
		return !b.apart && !b.guest
	case "guests":
		return !b.apart && b.guest
	}
	return false
}

// bedsNamed finds beds by their names or groups, separated by commas.
func bedsNamed(names string) ([]bed, error) {
	var found []bed
	for name := range strings.SplitSeq(names, ",") {
		before := len(found)
		for _, b := range beds {
			if b.in(name) {
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
		_ = exec.Command("nice", strings.Fields(b.made)...).Start()
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
	return ofBed(entry, b.name)
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
	var names []string
	for _, tags := range b.tags {
		tag, _, _ := strings.Cut(tags, ",")
		names = append(names, regexp.QuoteMeta(tag))
	}
	comment := regexp.MustCompile(`(?m)^# bats (file|test)_tags=(.*,)?(` + strings.Join(names, "|") + `)(,|$)`)
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
