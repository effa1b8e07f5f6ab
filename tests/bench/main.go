// Command bench compares berth with runc and crun: those of Debian 12 and of Debian's
// testing suite, and others that it is given. All of them run in the same root
// directory, in turn and in random order, on the same bundle. It prints medians,
// writes them as JSON, and fails when berth misses a limit that it has once met.
//
//	BENCH_ROUNDS    rounds, 100 unless set
//	BENCH_VIEW      v1 or v2: the version of cgroups that the runtimes see; both unless set
//	BENCH_ONLY      regular expression: only measurements with such a name
//	BENCH_RUNTIMES  "name=/path ...": further runtimes; Debian's testing suite has their libraries
//	BENCH_JSON      file for the results, .cache/bench.json unless set; "make generate" draws docs/bench.json
//
// A measurement is made twice in a row, after a pause of 60 ms: the first is called
// cold, the second hot. The kernel makes the difference: a write to the processes of
// a cgroup waits for an RCU grace period, unless there was another a moment ago.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	runtime.LockOSThread() // Pdeathsig is about the thread
	// An interrupted run cleans up, too.
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 1 && args[0] == "measure" {
		return measureInside()
	}
	if len(args) == 1 && args[0] == "clean" {
		return cleanInside()
	}
	s, err := settingsOf(os.Getenv)
	if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return errors.New("needs root")
	}
	w, err := newWork(s)
	if err != nil {
		return err
	}
	defer w.remove()
	all := results{Date: time.Now().UTC().Format(time.DateOnly), Host: thisHost(), Rounds: s.Rounds}
	for _, name := range s.views {
		found, err := w.measure(ctx, name, s)
		if err != nil {
			return err
		}
		if found != nil {
			all.Views = append(all.Views, summarize(name, found))
		}
	}
	text, err := all.encode()
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.output, text, 0o644); err != nil {
		return err
	}
	printTables(os.Stdout, all)
	return judge(os.Stdout, all)
}

// settings are from the environment.
type settings struct {
	Rounds   int
	Only     string
	Runtimes []program
	Cgroup   string // the parent of the containers' cgroups

	views  []string
	output string
}

// program is the executable of a runtime.
type program struct{ Name, Path string }

func settingsOf(env func(string) string) (settings, error) {
	s := settings{Rounds: 100, Only: env("BENCH_ONLY"), views: []string{"v2", "v1"}, output: ".cache/bench.json"}
	if text := env("BENCH_ROUNDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return s, fmt.Errorf("BENCH_ROUNDS: %q: want a number from 1", text)
		}
		s.Rounds = n
	}
	if view := env("BENCH_VIEW"); view != "" {
		if view != "v1" && view != "v2" {
			return s, fmt.Errorf("BENCH_VIEW: %q: want v1 or v2", view)
		}
		s.views = []string{view}
	}
	if _, err := regexp.Compile(s.Only); err != nil {
		return s, fmt.Errorf("BENCH_ONLY: %w", err)
	}
	if file := env("BENCH_JSON"); file != "" {
		s.output = file
	}
	for pair := range strings.FieldsSeq(env("BENCH_RUNTIMES")) {
		name, path, found := strings.Cut(pair, "=")
		if !found || name == "" || strings.Contains(name, "/") {
			return s, fmt.Errorf("BENCH_RUNTIMES: %q: want name=/path", pair)
		}
		s.Runtimes = append(s.Runtimes, program{name, path})
	}
	return s, nil
}

// work is the directory that the measured programs see as /mnt.
type work struct {
	dir  string
	tree string // the root directory
}

// newWork fills it with this program, all runtimes and the bundles: all are copies on
// the same file system, so that none is faster to load.
func newWork(s settings) (*work, error) {
	tree, err := output("tests/bench/tree")
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(".cache")
	if err != nil {
		return nil, err
	}
	if dir, err = os.MkdirTemp(dir, "berth-bench."); err != nil {
		return nil, err
	}
	w := &work{dir: dir, tree: tree}
	if err := w.fill(s); err != nil {
		w.remove()
		return nil, err
	}
	return w, nil
}

// debian are the runtimes of the tree, with paths in it.
var debian = []program{
	{"runc-testing", "usr/sbin/runc"},
	{"crun-testing", "usr/bin/crun"},
	{"runc-debian12", "opt/debian12/runc"},
	{"crun-debian12", "opt/debian12/crun"},
}

func (w *work) fill(s settings) error {
	// The root of a user namespace has to reach the bundle.
	if err := os.Chmod(w.dir, 0o755); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	programs := []program{{"berth", "bin/berth"}}
	for _, p := range debian {
		programs = append(programs, program{p.Name, filepath.Join(w.tree, p.Path)})
	}
	for _, p := range s.Runtimes {
		if slices.ContainsFunc(programs, func(other program) bool { return other.Name == p.Name }) {
			return fmt.Errorf("BENCH_RUNTIMES: %q is the name of two runtimes", p.Name)
		}
		programs = append(programs, p)
	}
	if err := os.Mkdir(filepath.Join(w.dir, "bin"), 0o755); err != nil {
		return err
	}
	for _, p := range append(programs, program{"../bench", self}) {
		if err := copyFile(p.Path, filepath.Join(w.dir, "bin", p.Name)); err != nil {
			return err
		}
	}
	for _, name := range []string{"launch", "bound"} {
		if _, err := output("gcc", "-O2", "-static", "-o", filepath.Join(w.dir, name), "tests/bench/c/"+name+".c"); err != nil {
			return err
		}
	}
	s.Runtimes, s.Cgroup = programs, "/"+filepath.Base(w.dir)
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(w.dir, "settings.json"), text, 0o600); err != nil {
		return err
	}
	return newBundle(filepath.Join(w.dir, "bundle"), s.Cgroup, programs)
}

// measure measures in a view. Both results are nil if this host does not have it.
func (w *work) measure(ctx context.Context, view string, s settings) (found *measured, err error) {
	defer func() { err = errors.Join(err, w.inside(context.WithoutCancel(ctx), view, "clean")) }()
	fmt.Printf("cgroup %s\n", view)
	err = w.inside(ctx, view, "measure")
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == unavailable && len(s.views) > 1 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(w.dir, "measured.json"))
	if err != nil {
		return nil, err
	}
	return found, json.Unmarshal(text, &found)
}

// unavailable is the status of a view that this host does not have.
const unavailable = 77

// inside runs this program again, in the tree.
func (w *work) inside(ctx context.Context, view, command string) error {
	cmd := exec.CommandContext(ctx, "tests/bench/root", view, w.tree, w.dir, "/mnt/bench", command)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	// Not by the terminal's signals: unshare would wait for its child.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd.Run()
}

func (w *work) remove() {
	if err := os.RemoveAll(w.dir); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
}

// output runs a command, and returns its output without the last newline.
func output(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return strings.TrimSuffix(string(text), "\n"), nil
}

// copyFile copies an executable.
func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o755)
}
