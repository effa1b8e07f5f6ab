package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

const (
	integrationDir = "tests/integration"
	enginesDir     = "tests/engines"
	kubernetesDir  = "tests/kubernetes"
)

// tapLine is a result in the output of "bats --formatter tap --timing".
var tapLine = regexp.MustCompile(`^(not ok|ok) \d+ (.*?)(?: in (\d+)(ms|sec|s))?(?: # (skip|timeout)(?: (.*))?)?$`)

// batsRun is one run of the tests of a bed.
type batsRun struct {
	bed     bed
	runtime string
	files   []string // names in the bed's directory of tests; all if empty
	filter  string   // a regular expression for names; all if empty
	// reference is set when the runtime is not berth: tests with the tag "berth" do not
	// run, and the wanted differences must fail.
	reference bool

	planned  int
	seen     map[string]bool
	expected differences // failures of the reference
	everyone differences // failures of every runtime, berth too
}

func (b *batsRun) run(r *report) error {
	if os.Geteuid() != 0 {
		return errors.New("the integration tests need root")
	}
	if err := b.readLists(); err != nil {
		return err
	}
	cmd, err := b.command()
	if err != nil {
		return err
	}
	var stderr lastLine
	cmd.Stderr = io.MultiWriter(os.Stderr, &stderr)
	status, err := b.follow(r, cmd)
	if err != nil {
		return err
	}
	if status == bedLacking && b.planned == 0 {
		r.lacking(b.bed.name, stderr.String())
		return nil
	}
	return b.complete()
}

// readLists reads the lists of tests that are known to fail.
func (b *batsRun) readLists() (err error) {
	if b.reference {
		if b.expected, err = readDifferences(b.bed.tests("reference-differences")); err != nil {
			return err
		}
	}
	b.everyone, err = readDifferences(b.bed.tests("fails-with-all"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// command returns the command that runs bats in the bed.
func (b *batsRun) command() (*exec.Cmd, error) {
	program, err := b.program()
	if err != nil {
		return nil, err
	}
	env, err := buildPrograms(b.bed.arch)
	if err != nil {
		return nil, err
	}
	args, err := b.arguments()
	if err != nil {
		return nil, err
	}
	cmd := b.bed.command(env["PROBE"], append([]string{"bats"}, args...))
	cmd.Env = append(cmd.Env, "RUNTIME="+program, "BERTH_SUITE=1")
	for variable, value := range env {
		cmd.Env = append(cmd.Env, variable+"="+value)
	}
	return cmd, nil
}

// program returns the path of the runtime, and builds berth for a bed with another
// processor.
func (b *batsRun) program() (string, error) {
	path := b.runtime
	if b.bed.arch != "" && path == defaultRuntime {
		dir, err := filepath.Abs(filepath.Join(".cache", b.bed.arch))
		if err != nil {
			return "", err
		}
		cmd := exec.Command("hack/build")
		cmd.Env = append(os.Environ(), "GOARCH="+b.bed.arch, "OUTPUT="+dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("hack/build for %s: %w: %s", b.bed.arch, err, out)
		}
		path = filepath.Join(dir, filepath.Base(path))
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return exec.LookPath(path)
}

// follow runs bats, reports its results, and returns its exit status.
func (b *batsRun) follow(r *report, cmd *exec.Cmd) (int, error) {
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	record, err := os.OpenFile(".cache/"+b.bed.name+".tap", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return 0, err
	}
	defer record.Close()
	cmd.WaitDelay = 5 * time.Second // for processes that hold stderr open
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	b.seen = map[string]bool{}
	readErr := b.read(r, io.TeeReader(stdout, record))
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	return cmd.ProcessState.ExitCode(), readErr
}

// buildPrograms builds the programs that the integration tests use, for an architecture
// ("" is this machine's), and returns the environment variables with their paths.
func buildPrograms(arch string) (env map[string]string, err error) {
	env = map[string]string{}
	for _, p := range []struct {
		variable, file string
		build          []string
		pkg            string
	}{
		{"PROBE", "probe", []string{"build"}, integrationDir + "/probe"},
		{"ATTACK", "attack", []string{"build"}, "tests/attack"},
		{"CGROUP_TESTS", "cgroup.test", []string{"test", "-c"}, "libcontainer/cgroups/manager"},
	} {
		file := filepath.Join(".cache", arch, p.file)
		cmd := exec.Command("go", append(p.build, "-o", file, "./"+p.pkg)...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if arch != "" {
			cmd.Env = append(cmd.Env, "GOARCH="+arch)
		}
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("%s: %w", cmd, err)
		}
		if env[p.variable], err = filepath.Abs(file); err != nil {
			return nil, err
		}
	}
	return env, nil
}

// arguments are the arguments of bats.
func (b *batsRun) arguments() ([]string, error) {
	args := []string{"--formatter", "tap", "--timing"}
	if b.filter != "" {
		args = append(args, "--filter", b.filter)
	}
	for _, tags := range b.bed.tags {
		if b.reference {
			tags += ",!berth"
		}
		args = append(args, "--filter-tags", tags)
	}
	for _, file := range b.files {
		args = append(args, b.bed.tests(filepath.Base(file)))
	}
	if len(b.files) > 0 {
		return args, nil
	}
	files, err := b.bed.files()
	return append(args, files...), err
}

func (b *batsRun) read(r *report, stdout io.Reader) error {
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		fmt.Println(line)
		if m := tapLine.FindStringSubmatch(line); m != nil {
			res := parseResult(m)
			res.suite = b.bed.name
			if b.seen[res.name] {
				r.broken(b.bed.name, fmt.Errorf("two tests have the name %q", res.name))
			}
			b.seen[res.name] = true
			r.add(b.judge(res))
		} else if n, err := strconv.Atoi(trimPlan(line)); err == nil {
			b.planned = n
		}
	}
	return lines.Err()
}

func trimPlan(line string) string {
	if len(line) > 3 && line[:3] == "1.." {
		return line[3:]
	}
	return ""
}

func parseResult(m []string) result {
	res := result{name: m[2], status: passed}
	n, _ := strconv.Atoi(m[3]) // the expression admits digits only
	unit := time.Millisecond
	if m[4] != "ms" {
		unit = time.Second
	}
	res.took = time.Duration(n) * unit
	switch {
	case m[1] == "not ok":
		res.status = failed
	case m[5] == "skip":
		res.status, res.reason = skipped, m[6]
	}
	return res
}

// judge applies the lists to a result. A test that fails with every runtime counts as
// skipped: it shows nothing about this one.
func (b *batsRun) judge(res result) result {
	res = b.everyone.judge(res, skipped, "fails-with-all")
	return b.expected.judge(res, passed, "reference-differences")
}

// complete fails if planned or listed tests have not run.
func (b *batsRun) complete() error {
	if len(b.seen) < b.planned || b.planned == 0 {
		return fmt.Errorf("%d of %d planned tests were run", len(b.seen), b.planned)
	}
	if len(b.files) > 0 || b.filter != "" {
		return nil
	}
	for _, list := range []differences{b.expected, b.everyone} {
		for entry := range list {
			if name, ours := b.bed.names(entry); ours && !b.seen[name] {
				return fmt.Errorf("the listed test %q does not exist", entry)
			}
		}
	}
	return nil
}
